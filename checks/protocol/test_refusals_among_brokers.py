"""Error codes that need a second broker.

**Claim** A partition whose leader has no listener of the client's name is told with LISTENER_NOT_FOUND. Version 0 of
Metadata tells a replica that is not alive with REPLICA_NOT_AVAILABLE. DescribeProducers of a partition that another
broker has is answered with NOT_LEADER_OR_FOLLOWER. A reassignment that changes the replication factor is refused with
INVALID_REPLICATION_FACTOR where the client does not allow that. On a controller's listener, version 0 of
DescribeCluster, which asks for brokers, is refused with INVALID_REQUEST.
**Why it matters** By the code a client decides whether to look for another broker, to wait, or to give up.
**Kafka says** Protocol guide, error codes; KIP-103 (listeners), KIP-664 (DescribeProducers), KIP-860 (replication
factor), KIP-919 (DescribeCluster of controllers).
**Cannot see** The same codes of other causes.
**Rejects** tests/plants/brokers/changes_the_replication_factor.py,
tests/plants/brokers/knows_producers_of_other_brokers_partitions.py, tests/plants/brokers/names_dead_replicas.py,
tests/plants/brokers/tells_brokers_at_a_controllers_listener.py,
tests/plants/brokers/tells_leaders_without_a_listener.py
"""

from __future__ import annotations

import pytest

from harness.clients.controllers import active_controller, controllers_of
from harness.clients.guest_broker import GUEST
from harness.comparing.exchange import Exchange
from harness.comparing.pair import Pair
from harness.judging.outcome import require
from harness.targets.target import Cluster
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from reference_broker.wire.messages.describe_cluster_request import DescribeClusterRequest
from reference_broker.wire.messages.describe_producers_request import DescribeProducersRequest, TopicRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import BrokerId

pytestmark = [
    # A separate cluster: the guest would get replicas of other checks' topics, and its session must not end.
    pytest.mark.cluster(config={"broker.session.timeout.ms": "120000", "replica.fetch.backoff.ms": "100"}),
    pytest.mark.feature("Protocol"),
    pytest.mark.kip(103, 664, 860, 919),
    pytest.mark.document("Protocol guide", "https://kafka.apache.org/protocol.html"),
]


@pytest.mark.parametrize("pair", [("OTHER",)], indirect=True, ids=["other-listener"])
def test_a_leader_without_the_clients_listener(exchange: Exchange, pair: Pair) -> None:
    """The client could not reach it; from version 6 on it is told so, and the leader is not named."""
    topic = pair.topic(GUEST, pair.node)
    asked = MetadataRequest(topics=(MetadataRequestTopic(name=topic),))
    for version, wanted in (
        (0, "LEADER_NOT_AVAILABLE"),
        (5, "LEADER_NOT_AVAILABLE"),
        (6, "LISTENER_NOT_FOUND"),
        (12, "LISTENER_NOT_FOUND"),
    ):
        answer = exchange.ask("a topic whose leader has another listener", asked, version)
        (found,) = answer.topics[0].partitions
        told = (ErrorCode(found.error_code).name, found.leader_id)
        require(told, (wanted, -1), f"(error, leader) of a partition whose leader has another listener, v{version}")


def test_a_replica_that_is_not_alive(exchange: Exchange, pair: Pair) -> None:
    """Version 0 leaves it out and says so; later versions name it."""
    topic = pair.topic(pair.node, GUEST)
    pair.guest.fence()
    pair.await_isr(topic, pair.node)
    asked = MetadataRequest(topics=(MetadataRequestTopic(name=topic),))
    for version, wanted in ((0, ("REPLICA_NOT_AVAILABLE", 1)), (1, ("NONE", 2)), (12, ("NONE", 2))):
        answer = exchange.ask("a topic of which a replica is not alive", asked, version)
        (found,) = answer.topics[0].partitions
        told = (ErrorCode(found.error_code).name, len(found.replica_nodes))
        require(told, wanted, f"(error, number of replicas) when one is not alive, v{version}")


def test_producers_of_a_partition_elsewhere(exchange: Exchange, pair: Pair) -> None:
    """The broker has no log of it."""
    topic = pair.topic(GUEST)
    request = DescribeProducersRequest(topics=(TopicRequest(name=topic, partition_indexes=(0,)),))
    (found,) = exchange.ask("the producers of a partition elsewhere", request, 0).topics[0].partitions
    require(ErrorCode(found.error_code).name, "NOT_LEADER_OR_FOLLOWER", "the answer of a broker that has no replica")


def test_another_number_of_replicas(exchange: Exchange, pair: Pair) -> None:
    """Refused where the client says that the replication factor must stay."""
    topic = pair.topic(pair.node)
    wanted = ReassignablePartition(partition_index=0, replicas=(BrokerId(pair.node), BrokerId(GUEST)))
    request = AlterPartitionReassignmentsRequest(
        timeout_ms=10_000,
        allow_replication_factor_change=False,
        topics=(ReassignableTopic(name=topic, partitions=(wanted,)),),
    )
    answer = exchange.ask("two replicas instead of one", request, 1)
    (found,) = answer.responses[0].partitions
    require(ErrorCode(found.error_code).name, "INVALID_REPLICATION_FACTOR", "the answer to a second replica")
    require(pair.reassign(topic, pair.node, GUEST), 0, "the answer where the replication factor may change")


def test_the_brokers_asked_at_a_controllers_listener(exchange: Exchange, cluster: Cluster) -> None:
    """Version 0 asks for brokers, which a controller's listener does not tell; later versions say what they ask for."""
    if not cluster.nodes:
        pytest.skip("the listeners of its controllers are not known")
    address = controllers_of(cluster)[active_controller(cluster)]
    answer = exchange.ask_at(address, "the brokers, at a controller's listener", DescribeClusterRequest(), 0)
    require(ErrorCode(answer.error_code).name, "INVALID_REQUEST", "the answer of a controller's listener to version 0")
