"""Requests of operators at the listener of a controller, where no broker stands between.

**Claim** The active controller describes the quorum at its own listener with the times of each replica: a time of its
own fetch and of its being caught up is that of the answer, an observer's that of its last fetch. It refuses
configurations of a type of resource that it does not know with UNSUPPORTED_VERSION, and a resource that is named twice
with INVALID_REQUEST; other resources of the request are answered by themselves.
**Why it matters** Tools ask controllers (`--bootstrap-controller`) when no broker works.
**Kafka says** KIP-919 (requests to controllers), KIP-836 (times of replicas), KIP-339, KIP-133.
**Cannot see** A time finer than a second. Resources that the controller itself would have to change.
**Rejects** tests/plants/describes_the_quorum_without_times.py, tests/plants/takes_any_resource_at_a_controller.py
"""

from __future__ import annotations

from typing import Any

import pytest

from checks.metadata.test_alter_configs import request as all_settings
from checks.metadata.test_alter_configs import resource as with_settings
from checks.metadata.test_describe_configs import request as described
from checks.metadata.test_describe_quorum import METADATA_LOG
from checks.metadata.test_describe_quorum import request as quorum
from checks.metadata.test_incremental_alter_configs import SET
from checks.metadata.test_incremental_alter_configs import request as changes
from checks.metadata.test_incremental_alter_configs import resource as changed
from harness.clients.controllers import active_controller, controllers_of
from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, variants
from harness.targets.target import Cluster
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.feature("Protocol"),
    pytest.mark.kip(919, 836, 339, 133),
    pytest.mark.document("Protocol guide", "https://kafka.apache.org/protocol.html"),
]
TOPIC, BROKER = 2, 4
UNKNOWN = {"none": 0, "any": 1, "reserved": 3, "cluster": 7, "far": 99, "negative": -1}
LOGGER = 8


@pytest.fixture
def leader(cluster: Cluster) -> tuple[str, int]:
    """(host, port) of the active controller's listener."""
    if not cluster.nodes:
        pytest.skip("the listeners of its controllers are not known")
    return controllers_of(cluster)[active_controller(cluster)]


@all_versions(0, 2)
def test_the_quorum_with_its_times(exchange: Exchange, leader: tuple[str, int], version: int) -> None:
    """The leader has always fetched just now; before version 1 no times are told."""
    answer = exchange.ask_at(leader, "the metadata log", quorum(METADATA_LOG), version)

    (partition,) = answer.topics[0].partitions
    (own,) = [one for one in partition.current_voters if one.replica_id == partition.leader_id]
    times = {own.last_fetch_timestamp, own.last_caught_up_timestamp}
    assert len(times) == 1
    assert (min(times) > 0) == (version >= 1)


@pytest.mark.cluster(nodes=1, controllers=1)
@all_versions(0, 2)
def test_an_observer_with_its_times(exchange: Exchange, leader: tuple[str, int], version: int) -> None:
    """A broker that is no voter is told among the observers, with the time of its last fetch."""
    answer = exchange.ask_at(leader, "the metadata log", quorum(METADATA_LOG), version)

    (partition,) = answer.topics[0].partitions
    (observer,) = partition.observers
    times = (observer.last_fetch_timestamp, observer.last_caught_up_timestamp)
    assert all((one > 0) == (version >= 1) for one in times)


@variants("kind", **UNKNOWN)
@all_versions(0, 2)
def test_settings_of_an_unknown_type_are_not_replaced(
    exchange: Exchange, leader: tuple[str, int], version: int, kind: int
) -> None:
    """AlterConfigs refuses the resource; another one of the request is answered by itself."""
    nowhere = with_settings(TOPIC, exchange.name("nowhere"), retention_ms="1")
    asked = all_settings(with_settings(kind, "x", retention_ms="1"), nowhere, validate_only=True)
    answer = exchange.ask_at(leader, f"type {kind}, and a topic that is not there", asked, version)

    assert codes(answer) == {kind: ErrorCode.UNSUPPORTED_VERSION, TOPIC: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}


@variants("kind", **UNKNOWN)
@all_versions(0, 1)
def test_settings_of_an_unknown_type_are_not_changed(
    exchange: Exchange, leader: tuple[str, int], version: int, kind: int
) -> None:
    """IncrementalAlterConfigs does the same."""
    asked = changes(changed(kind, "x", ("retention.ms", SET, "1")), changed(BROKER, ""), validate_only=True)
    answer = exchange.ask_at(leader, f"type {kind}, and all brokers", asked, version)

    assert codes(answer) == {kind: ErrorCode.UNSUPPORTED_VERSION, BROKER: ErrorCode.NONE}


@variants("kind", **UNKNOWN)
@all_versions(1, 4)
def test_settings_of_an_unknown_type_are_not_described(
    exchange: Exchange, leader: tuple[str, int], version: int, kind: int
) -> None:
    """DescribeConfigs refuses the whole request, as a broker does."""
    answer = exchange.ask_at(leader, f"type {kind}", described((kind, "x")), version)

    assert {one.error_code for one in answer.results} == {ErrorCode.INVALID_REQUEST}


@all_versions(0, 2)
def test_a_resource_that_is_replaced_twice(exchange: Exchange, leader: tuple[str, int], version: int) -> None:
    """A resource that is named twice is refused."""
    twice = all_settings(with_settings(BROKER, ""), with_settings(BROKER, ""), validate_only=True)
    answer = exchange.ask_at(leader, "all brokers, twice", twice, version)

    assert codes(answer) == {BROKER: ErrorCode.INVALID_REQUEST}


@all_versions(0, 1)
def test_a_resource_that_is_changed_twice(exchange: Exchange, leader: tuple[str, int], version: int) -> None:
    """A resource that is named twice is refused."""
    twice = changes(changed(BROKER, ""), changed(BROKER, ""), validate_only=True)
    answer = exchange.ask_at(leader, "all brokers, twice", twice, version)

    assert codes(answer) == {BROKER: ErrorCode.INVALID_REQUEST}


@all_versions(0, 1)
def test_a_logger_that_is_not_there(
    exchange: Exchange, cluster: Cluster, leader: tuple[str, int], version: int
) -> None:
    """A controller has loggers of its own; one that does not exist is refused."""
    own = str(active_controller(cluster))
    asked = changes(changed(LOGGER, own, ("no.such.logger", SET, "INFO")), validate_only=True)
    answer = exchange.ask_at(leader, "a logger", asked, version)

    assert codes(answer) == {LOGGER: ErrorCode.INVALID_CONFIG}


def codes(answer: Any) -> dict[int, ErrorCode]:
    """Resource type → error code."""
    return {one.resource_type: ErrorCode(one.error_code) for one in answer.responses}
