"""ListGroups (key 16) lists the groups of a broker.

**Claim** Every group is listed with its type and state, and a filter leaves out the groups that do not match it.
**Why it matters** Operators use it to find unused groups, whose offsets are still stored.
**Kafka says** Protocol guide, ListGroups; KIP-518 (states), KIP-848 (types).
**Cannot see** Groups of other checks: only the groups of this check are compared.
**Rejects** tests/plants/ignores_filters_of_groups.py, tests/plants/lists_no_groups_of_offsets_alone.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, commit, coordinated, joined, stable, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.list_groups_request import ListGroupsRequest
from reference_broker.wire.messages.list_groups_response import ListGroupsResponse

pytestmark = [
    pytest.mark.feature("ListGroups"),
    pytest.mark.kip(518, 848),
    pytest.mark.document(
        "Protocol guide, ListGroups", "https://kafka.apache.org/protocol.html#The_Messages_ListGroups"
    ),
]


def three(exchange: Exchange) -> tuple[str, str, str]:
    """Makes a stable group, one that waits for its leader's assignment, and one that has only committed offsets."""
    coordinated(exchange)
    names = exchange.name("stable"), exchange.name("waiting"), exchange.name("offsets")
    stable(exchange, names[0])
    joined(exchange, names[1])
    exchange.quietly(commit(names[2], exchange.topic(), 5), 7)
    return names


def own(answer: ListGroupsResponse, names: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    return {one.group_id: (one.group_state, one.group_type) for one in answer.groups if one.group_id in names}


@all_versions(0, 5)
def test_all_groups_are_listed(exchange: Exchange, version: int) -> None:
    """Without a filter all groups are listed: from version 4 on with their states, from 5 on with their types."""
    names = three(exchange)
    answer = exchange.ask("all groups", ListGroupsRequest(), version)

    states = ("Stable", "CompletingRebalance", "Empty") if version >= 4 else ("", "", "")
    kind = "classic" if version >= 5 else ""
    assert own(answer, names) == {name: (state, kind) for name, state in zip(names, states, strict=True)}


@pytest.mark.parametrize(
    ("states", "fitting"),
    [
        (("Stable",), ("Stable",)),
        (("Empty", "CompletingRebalance"), ("CompletingRebalance", "Empty")),
        (("Dead",), ()),
        (("NoSuchState",), ()),
        (("stable",), ("Stable",)),
        (("", "Stable"), ("Stable",)),
    ],
    ids=["stable", "empty-and-waiting", "dead", "no-state", "small-letters", "beside-none"],
)
@versions(4, 5)
def test_states_may_be_chosen(
    exchange: Exchange, version: int, states: tuple[str, ...], fitting: tuple[str, ...]
) -> None:
    """From version 4 on groups can be filtered by state, ignoring case; an unknown state matches no group."""
    names = three(exchange)
    answer = exchange.ask(f"states {states}", ListGroupsRequest(states_filter=states), version)

    assert sorted(state for state, _ in own(answer, names).values()) == sorted(fitting)


@pytest.mark.parametrize(
    ("types", "count"),
    [(("classic",), 3), (("Classic",), 3), (("consumer",), 0), (("share", "streams"), 0)],
    ids=["classic", "capital", "consumer", "share-and-streams"],
)
def test_types_may_be_chosen(exchange: Exchange, types: tuple[str, ...], count: int) -> None:
    """From version 5 on groups can be filtered by type, ignoring case."""
    names = three(exchange)
    answer = exchange.ask(f"types {types}", ListGroupsRequest(types_filter=types), 5)

    assert len(own(answer, names)) == count


def test_a_type_that_is_none(exchange: Exchange) -> None:
    """An unknown type matches no group, and is not an error."""
    names = three(exchange)
    answer = exchange.ask("a type that is none", ListGroupsRequest(types_filter=("nosuchtype",)), 5)

    assert (answer.error_code, own(answer, names)) == (ErrorCode.NONE, {})


def test_states_and_types_together(exchange: Exchange) -> None:
    """With both filters, only groups that match both are listed."""
    names = three(exchange)
    request = ListGroupsRequest(states_filter=("Empty",), types_filter=("classic",))
    answer = exchange.ask("empty classic groups", request, 5)

    assert set(own(answer, names)) == {names[2]}
