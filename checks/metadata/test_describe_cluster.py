"""DescribeCluster (key 60) describes the cluster: its id, its brokers and its controller.

**Claim** DescribeCluster and Metadata answer with the same cluster id, brokers and addresses; one of the brokers is the
controller; authorized operations are in the answer only if they were asked for; a broker refuses to list controllers.
**Why it matters** Admin clients find brokers and the controller with it.
**Kafka says** Protocol guide, DescribeCluster; KIP-430 (operations), KIP-700, KIP-919 (endpoint types), KIP-1073
(fenced brokers).
**Cannot see** A controller's own listener; clusters with fenced brokers.
**Rejects** tests/plants/tells_of_controllers_at_a_brokers_listener.py, tests/plants/tells_another_port_of_a_broker.py
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import CLUSTER_OPERATIONS, NOT_ASKED, all_versions, versions
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_cluster_request import DescribeClusterRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest

pytestmark = [
    pytest.mark.feature("DescribeCluster"),
    pytest.mark.kip(430, 700, 919, 1073),
    pytest.mark.document(
        "Protocol guide, DescribeCluster", "https://kafka.apache.org/protocol.html#The_Messages_DescribeCluster"
    ),
]


def cluster_by_metadata(exchange: Exchange) -> Any:
    """The cluster, as Metadata describes it."""
    return exchange.quietly(MetadataRequest(topics=(), allow_auto_topic_creation=False), 9)


def addresses_by_metadata(exchange: Exchange) -> list[tuple[int, str, int]]:
    """(id, host, port) of each broker, by Metadata."""
    return sorted((one.node_id, one.host, one.port) for one in cluster_by_metadata(exchange).brokers)


def addresses(answer: Any) -> list[tuple[int, str, int]]:
    """(id, host, port) of each broker of an answer."""
    return sorted((one.broker_id, one.host, one.port) for one in answer.brokers)


@all_versions(0, 2)
def test_the_cluster_is_described(exchange: Exchange, version: int) -> None:
    """The answer has the same cluster id and brokers as Metadata; one of the brokers is the controller."""
    answer = exchange.ask("the cluster", DescribeClusterRequest(), version)

    assert answer.error_code == ErrorCode.NONE
    assert answer.cluster_id == cluster_by_metadata(exchange).cluster_id
    require(addresses(answer), addresses_by_metadata(exchange), "the list of brokers with their addresses")
    assert answer.controller_id in [broker.broker_id for broker in answer.brokers]
    assert answer.cluster_authorized_operations == NOT_ASKED


@all_versions(0, 2)
def test_operations_are_told_when_asked(exchange: Exchange, version: int) -> None:
    """On request the answer contains the client's authorized operations, all of which are operations of a cluster."""
    request = DescribeClusterRequest(include_cluster_authorized_operations=True)
    answer = exchange.ask("the cluster, and what may be done with it", request, version)

    told = answer.cluster_authorized_operations
    assert told > 0
    assert told & ~CLUSTER_OPERATIONS == 0


@versions(1, 2)
def test_a_broker_does_not_tell_of_controllers(exchange: Exchange, version: int) -> None:
    """A broker refuses a request for controllers: these are listed only by a controller's listener."""
    answer = exchange.ask("controllers, of a broker", DescribeClusterRequest(endpoint_type=2), version)

    assert (answer.error_code, answer.brokers) == (ErrorCode.MISMATCHED_ENDPOINT_TYPE, ())


@pytest.mark.parametrize("kind", [0, 3, -1])
@versions(1, 2)
def test_there_are_two_types_of_endpoints(exchange: Exchange, version: int, kind: int) -> None:
    """An endpoint type other than broker and controller is refused."""
    answer = exchange.ask(f"endpoints of type {kind}", DescribeClusterRequest(endpoint_type=kind), version)

    assert (answer.error_code, answer.brokers) == (ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, ())


def test_fenced_brokers_may_be_asked_for(exchange: Exchange) -> None:
    """A request for fenced brokers also lists all others, as brokers that are not fenced."""
    answer = exchange.ask("fenced brokers too", DescribeClusterRequest(include_fenced_brokers=True), 2)

    serving = [one.broker_id for one in answer.brokers if not one.is_fenced]
    assert serving == [broker_id for broker_id, _, _ in addresses_by_metadata(exchange)]
