"""FindCoordinator (key 10) finds the broker that coordinates a group.

**Claim** Every group has a coordinator, which is one of the brokers in Metadata, with the same address; invalid types,
and invalid keys of share partitions, are refused.
**Why it matters** A group cannot do anything before its coordinator is found.
**Kafka says** Protocol guide, FindCoordinator; KIP-699 (several keys), KIP-932 (share groups).
**Cannot see** Coordinators of transactions; coordinators that move (groups/coordinators_fail_over).
**Rejects** tests/plants/coordinates_keys_of_any_type.py, tests/plants/hangs_up_on_an_empty_request.py,
tests/plants/names_a_coordinator_that_is_not_there.py
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, coordinated, variants, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest

pytestmark = [
    pytest.mark.feature("FindCoordinator"),
    pytest.mark.kip(699, 932),
    pytest.mark.document(
        "Protocol guide, FindCoordinator", "https://kafka.apache.org/protocol.html#The_Messages_FindCoordinator"
    ),
]

GROUP, TRANSACTION, SHARE = 0, 1, 2


def request(version: int, *keys: str, kind: int = GROUP) -> FindCoordinatorRequest:
    """The request with the fields that the version uses."""
    if version >= 4:
        return FindCoordinatorRequest(coordinator_keys=keys, key_type=kind)
    return FindCoordinatorRequest(key=keys[0], key_type=kind)


def found(answer: Any, version: int) -> tuple[Any, ...]:
    """The result for each key, from the fields that the version uses."""
    return tuple(answer.coordinators) if version >= 4 else (answer,)


def places(exchange: Exchange, answer: Any, version: int) -> list[tuple[int, bool]]:
    """(error, whether the coordinator is a broker of the cluster at its address) of each key."""
    told = exchange.quietly(MetadataRequest(topics=(), allow_auto_topic_creation=False)).brokers
    brokers = {(one.node_id, one.host, one.port) for one in told}
    return [(one.error_code, (one.node_id, one.host, one.port) in brokers) for one in found(answer, version)]


def refusals(answer: Any, version: int) -> list[tuple[int, int]]:
    """(error, node) of each key."""
    return [(one.error_code, one.node_id) for one in found(answer, version)]


@all_versions(0, 6)
def test_a_group_has_a_coordinator(exchange: Exchange, version: int) -> None:
    """A group that does not exist yet has a coordinator too, and it is a broker of the cluster."""
    coordinated(exchange)
    answer = exchange.ask("a group", request(version, exchange.name("readers")), version)

    assert places(exchange, answer, version) == [(ErrorCode.NONE, True)]


@versions(4, 6)
def test_several_groups_at_once(exchange: Exchange, version: int) -> None:
    """From version 4 on a request may name several groups."""
    coordinated(exchange)
    names = [exchange.name(label) for label in ("one", "two", "three")]
    answer = exchange.ask("three groups", request(version, *names), version)

    assert [one.key for one in answer.coordinators] == names
    assert places(exchange, answer, version) == [(ErrorCode.NONE, True)] * 3


@versions(4, 6)
def test_no_groups(exchange: Exchange, version: int) -> None:
    """A request without groups is answered without coordinators."""
    assert exchange.ask("no groups", request(version), version).coordinators == ()


@versions(4, 6)
def test_a_group_named_twice(exchange: Exchange, version: int) -> None:
    """A group that is named twice is in the answer twice, with the same coordinator."""
    coordinated(exchange)
    name = exchange.name("readers")
    answer = exchange.ask("one group twice", request(version, name, name), version)

    assert [one.key for one in answer.coordinators] == [name, name]
    assert places(exchange, answer, version) == [(ErrorCode.NONE, True)] * 2


@versions(0, 3, 4, 6)
def test_an_empty_key(exchange: Exchange, version: int) -> None:
    """The empty group id has a coordinator as well."""
    coordinated(exchange)
    answer = exchange.ask("the empty key", request(version, ""), version)

    assert places(exchange, answer, version) == [(ErrorCode.NONE, True)]


@pytest.mark.parametrize("kind", [3, -1, 127])
@versions(1, 3, 4, 6)
def test_an_unknown_type_is_refused(exchange: Exchange, version: int, kind: int) -> None:
    """A key type other than group, transaction and share partition is refused."""
    answer = exchange.ask(f"type {kind}", request(version, exchange.name("readers"), kind=kind), version)

    assert refusals(answer, version) == [(ErrorCode.INVALID_REQUEST, -1)]


@versions(4, 5)
def test_share_coordinators_came_with_version_6(exchange: Exchange, version: int) -> None:
    """Before version 6 the key type of share partitions is refused."""
    answer = exchange.ask("type 2", request(version, "g:AAAAAAAAAAAAAAAAAAAAAA:0", kind=SHARE), version)

    assert refusals(answer, version) == [(ErrorCode.INVALID_REQUEST, -1)]


@variants("key", no_parts="readers", no_id="readers:topic:0", no_partition="readers:AAAAAAAAAAAAAAAAAAAAAA:x")
def test_a_share_key_has_three_parts(exchange: Exchange, key: str) -> None:
    """The key of a share partition must consist of the group id, the topic id and the partition."""
    answer = exchange.ask(f"the share key {key}", request(6, key, kind=SHARE), 6)

    assert refusals(answer, 6) == [(ErrorCode.INVALID_REQUEST, -1)]
