"""DescribeCluster (key 60) tells the cluster's id, its brokers and its controller.

**Claim** A broker names the brokers that listen where it was asked, and refuses to tell of controllers there.
**Why it matters** Admin clients find their way by it.
**Kafka says** Protocol guide, DescribeCluster; KIP-700, KIP-919 (endpoint types), KIP-1073 (fenced brokers).
**Cannot see** A controller's own listener; clusters with fenced brokers.
**Rejects** tests/unit/harness/comparing/test_diff.py::test_a_wrong_error_code_is_a_difference
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_cluster_request import DescribeClusterRequest

pytestmark = pytest.mark.feature("DescribeCluster")


@all_versions(0, 2)
def test_the_cluster_is_described(exchange: Exchange, version: int) -> None:
    """The answer has the cluster's id, and a controller among its brokers."""
    answer = exchange.ask("the cluster", DescribeClusterRequest(), version)

    assert answer.error_code == ErrorCode.NONE
    assert answer.cluster_id
    assert answer.controller_id in [broker.broker_id for broker in answer.brokers]


@all_versions(0, 2)
def test_operations_are_told_when_asked(exchange: Exchange, version: int) -> None:
    """The answer tells what the client may do with the cluster."""
    request = DescribeClusterRequest(include_cluster_authorized_operations=True)
    answer = exchange.ask("the cluster, and what may be done with it", request, version)

    assert answer.cluster_authorized_operations > 0


@versions(1, 2)
def test_a_broker_does_not_tell_of_controllers(exchange: Exchange, version: int) -> None:
    """Controllers are asked for at a controller's listener."""
    answer = exchange.ask("controllers, of a broker", DescribeClusterRequest(endpoint_type=2), version)

    assert answer.error_code == ErrorCode.MISMATCHED_ENDPOINT_TYPE


@pytest.mark.parametrize("kind", [0, 3, -1])
@versions(1, 2)
def test_there_are_two_types_of_endpoints(exchange: Exchange, version: int, kind: int) -> None:
    """Nodes are brokers or controllers."""
    answer = exchange.ask(f"endpoints of type {kind}", DescribeClusterRequest(endpoint_type=kind), version)

    assert answer.error_code == ErrorCode.UNSUPPORTED_ENDPOINT_TYPE


def test_fenced_brokers_may_be_asked_for(exchange: Exchange) -> None:
    """With fenced brokers asked for, the others are still told."""
    answer = exchange.ask("fenced brokers too", DescribeClusterRequest(include_fenced_brokers=True), 2)

    assert len(answer.brokers) >= 1
