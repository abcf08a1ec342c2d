"""DeleteGroups (key 42) deletes groups and their offsets.

**Claim** A group without members is deleted together with its offsets; a group with members is kept.
**Why it matters** If committed offsets are lost, consumers read records again or skip some.
**Kafka says** Protocol guide, DeleteGroups; KIP-229.
**Cannot see** Share groups.
**Rejects** tests/plants/answers_for_the_first_alone.py, tests/plants/deletes_a_group_twice.py,
tests/plants/deletes_groups_in_use.py, tests/plants/hangs_up_on_an_empty_request.py,
tests/plants/makes_groups_by_asking.py, tests/plants/only_says_that_groups_are_deleted.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, commit, coordinated, offsets, stable, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_groups_request import DeleteGroupsRequest
from reference_broker.wire.messages.delete_groups_response import DeleteGroupsResponse
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.primitives import GroupId

pytestmark = [
    pytest.mark.feature("DeleteGroups"),
    pytest.mark.kip(229),
    pytest.mark.document(
        "Protocol guide, DeleteGroups", "https://kafka.apache.org/protocol.html#The_Messages_DeleteGroups"
    ),
]


def group(exchange: Exchange, label: str = "readers") -> str:
    """The name of a new group."""
    coordinated(exchange)
    return exchange.name(label)


def request(*names: str) -> DeleteGroupsRequest:
    return DeleteGroupsRequest(groups_names=tuple(map(GroupId, names)))


def codes(answer: DeleteGroupsResponse) -> dict[str, int]:
    return {one.group_id: one.error_code for one in answer.results}


def state(exchange: Exchange, name: str) -> str:
    """A group's state, as DescribeGroups reports it."""
    (found,) = exchange.quietly(DescribeGroupsRequest(groups=(GroupId(name),)), 5).groups
    told: str = found.group_state
    return told


@all_versions(0, 3)
def test_a_group_is_deleted_with_its_offsets(exchange: Exchange, version: int) -> None:
    """Deleting a group removes the group and its offsets."""
    name, topic = group(exchange), exchange.topic()
    exchange.quietly(commit(name, topic, 5), 7)
    answer = exchange.ask("a group of offsets alone", request(name), version)
    assert codes(answer) == {name: ErrorCode.NONE}
    found = exchange.ask("its offsets then", offsets(7, name, {topic: (0,)}), 7)
    assert found.topics[0].partitions[0].committed_offset == -1
    assert state(exchange, name) == "Dead"


@all_versions(0, 3)
def test_a_group_with_members_stays(exchange: Exchange, version: int) -> None:
    """A group that has members cannot be deleted; it stays stable and keeps its offsets."""
    name, topic = group(exchange), exchange.topic()
    exchange.quietly(commit(name, topic, 5), 7)
    stable(exchange, name)
    assert codes(exchange.ask("a group with a member", request(name), version)) == {name: ErrorCode.NON_EMPTY_GROUP}
    kept = exchange.quietly(offsets(7, name, {topic: (0,)}), 7).topics[0].partitions[0].committed_offset
    assert (state(exchange, name), kept) == ("Stable", 5)


@all_versions(0, 3)
def test_an_unknown_group_is_refused(exchange: Exchange, version: int) -> None:
    """A group that does not exist is refused with GROUP_ID_NOT_FOUND."""
    name = group(exchange)
    answer = exchange.ask("a group that is not there", request(name), version)

    assert codes(answer) == {name: ErrorCode.GROUP_ID_NOT_FOUND}


@versions(0, 2, 3)
def test_each_group_has_an_answer_of_its_own(exchange: Exchange, version: int) -> None:
    """In one request an empty group is deleted, a group with members is refused, and an unknown group is not found."""
    empty, busy, unknown = (group(exchange, label) for label in ("empty", "busy", "unknown"))
    exchange.quietly(commit(empty, exchange.topic(), 5), 7)
    stable(exchange, busy)
    answer = exchange.ask("an empty group, a busy one, one that is not there", request(empty, busy, unknown), version)

    assert codes(answer) == {
        empty: ErrorCode.NONE,
        busy: ErrorCode.NON_EMPTY_GROUP,
        unknown: ErrorCode.GROUP_ID_NOT_FOUND,
    }


@versions(0, 2, 3)
def test_no_groups_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without groups is answered without groups."""
    assert exchange.ask("no groups", request(), version).results == ()


def test_a_group_named_twice(exchange: Exchange) -> None:
    """A group that is named twice is deleted, and is in the answer once."""
    name = group(exchange)
    exchange.quietly(commit(name, exchange.topic(), 5), 7)
    answer = exchange.ask("one group twice", request(name, name), 2)

    assert [(one.group_id, one.error_code) for one in answer.results] == [(name, ErrorCode.NONE)]
