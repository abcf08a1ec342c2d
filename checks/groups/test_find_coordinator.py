"""FindCoordinator (key 10) tells which broker looks after a group.

**Claim** Every group has a coordinator that is a broker of the cluster; keys and types that cannot be are refused.
**Why it matters** Nothing of a group works before its coordinator is found.
**Kafka says** Protocol guide, FindCoordinator; KIP-699 (several keys), KIP-932 (share groups).
**Cannot see** Coordinators of transactions; coordinators that move.
**Rejects** tests/unit/harness/comparing/test_diff.py::test_a_wrong_error_code_is_a_difference
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, coordinated, variants, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest

pytestmark = pytest.mark.feature("FindCoordinator")

GROUP, TRANSACTION, SHARE = 0, 1, 2


def request(version: int, *keys: str, kind: int = GROUP) -> FindCoordinatorRequest:
    """The request in the shape of a version."""
    if version >= 4:
        return FindCoordinatorRequest(coordinator_keys=keys, key_type=kind)
    return FindCoordinatorRequest(key=keys[0], key_type=kind)


@all_versions(0, 6)
def test_a_group_has_a_coordinator(exchange: Exchange, version: int) -> None:
    """A group that is not there yet has a coordinator too."""
    coordinated(exchange)
    answer = exchange.ask("a group", request(version, exchange.name("readers")), version)

    found = answer.coordinators[0] if version >= 4 else answer
    assert (found.error_code, found.node_id >= 0) == (ErrorCode.NONE, True)


@versions(4, 6)
def test_several_groups_at_once(exchange: Exchange, version: int) -> None:
    """From version 4 on several groups may be asked for."""
    coordinated(exchange)
    names = [exchange.name(label) for label in ("one", "two", "three")]
    answer = exchange.ask("three groups", request(version, *names), version)

    assert [found.key for found in answer.coordinators] == names


@versions(4, 6)
def test_no_groups(exchange: Exchange, version: int) -> None:
    """A request without groups is answered without coordinators."""
    assert exchange.ask("no groups", request(version), version).coordinators == ()


@versions(4, 6)
def test_a_group_named_twice(exchange: Exchange, version: int) -> None:
    """A group that is named twice is answered as Kafka answers it."""
    coordinated(exchange)
    name = exchange.name("readers")
    exchange.ask("one group twice", request(version, name, name), version)


@versions(0, 3, 4, 6)
def test_an_empty_key(exchange: Exchange, version: int) -> None:
    """The group without a name has a coordinator as well."""
    coordinated(exchange)
    exchange.ask("the empty key", request(version, ""), version)


@pytest.mark.parametrize("kind", [3, -1, 127])
@versions(1, 3, 4, 6)
def test_an_unknown_type_is_refused(exchange: Exchange, version: int, kind: int) -> None:
    """Groups, transactions and share partitions have coordinators."""
    exchange.ask(f"type {kind}", request(version, exchange.name("readers"), kind=kind), version)


@versions(4, 5)
def test_share_coordinators_came_with_version_6(exchange: Exchange, version: int) -> None:
    """Before version 6 a share coordinator cannot be asked for."""
    exchange.ask("type 2", request(version, "g:AAAAAAAAAAAAAAAAAAAAAA:0", kind=SHARE), version)


@variants("key", no_parts="readers", no_id="readers:topic:0", no_partition="readers:AAAAAAAAAAAAAAAAAAAAAA:x")
def test_a_share_key_has_three_parts(exchange: Exchange, key: str) -> None:
    """The key of a share partition is the group, the topic's id and the partition."""
    answer = exchange.ask(f"the share key {key}", request(6, key, kind=SHARE), 6)

    assert answer.coordinators[0].error_code == ErrorCode.INVALID_REQUEST
