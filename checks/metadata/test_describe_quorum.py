"""DescribeQuorum (key 55) describes the metadata quorum: its leader, and the log end offset of each voter.

**Claim** The leader is one of the voters; the high watermark is not above the leader's log end offset, and increases
when metadata changes; a request for any other partition is refused, and one to a controller that does not lead is
refused with NOT_LEADER_OR_FOLLOWER.
**Why it matters** Operators use it to see whether a controller can be removed.
**Kafka says** Protocol guide, DescribeQuorum; KIP-595, KIP-836 (timestamps), KIP-853 (directories, endpoints).
**Cannot see** Observers.
**Rejects** tests/plants/tells_the_quorum_of_any_topic.py, tests/plants/tells_no_progress_of_the_quorum.py,
tests/plants/brokers/describes_a_quorum_that_another_leads.py
"""

from __future__ import annotations

import pytest

from harness.clients.controllers import active_controller, controllers_of
from harness.clients.node_client import NodeClient
from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, variants
from harness.judging.outcome import require
from harness.targets.target import Cluster
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest, PartitionData, TopicData
from reference_broker.wire.primitives import TopicName

pytestmark = [
    pytest.mark.feature("DescribeQuorum"),
    pytest.mark.kip(595, 836, 853),
    pytest.mark.document(
        "Protocol guide, DescribeQuorum", "https://kafka.apache.org/protocol.html#The_Messages_DescribeQuorum"
    ),
]


def request(*topics: tuple[str, tuple[int, ...]]) -> DescribeQuorumRequest:
    return DescribeQuorumRequest(
        topics=tuple(
            TopicData(
                topic_name=TopicName(name), partitions=tuple(PartitionData(partition_index=one) for one in indexes)
            )
            for name, indexes in topics
        )
    )


METADATA_LOG = ("__cluster_metadata", (0,))


@all_versions(0, 2)
def test_the_quorum_is_described(exchange: Exchange, version: int) -> None:
    """The leader is a voter, the high watermark is not above its log end offset, and from version 2 on the voters have
    addresses.
    """
    answer = exchange.ask("the metadata log", request(METADATA_LOG), version)

    (partition,) = answer.topics[0].partitions
    assert (answer.error_code, partition.error_code) == (ErrorCode.NONE, ErrorCode.NONE)
    ends = {voter.replica_id: voter.log_end_offset for voter in partition.current_voters}
    assert partition.leader_id in ends
    assert 0 < partition.high_watermark <= ends[partition.leader_id]
    if version >= 2:
        assert {node.node_id for node in answer.nodes if node.listeners} >= set(ends)


@all_versions(0, 2)
def test_the_high_watermark_grows_with_what_is_remembered(exchange: Exchange, version: int) -> None:
    """After a topic was created, the high watermark has increased by at least two records: the topic and its
    partition."""
    (before,) = exchange.quietly(request(METADATA_LOG), version).topics[0].partitions
    exchange.topic()
    (after,) = exchange.quietly(request(METADATA_LOG), version).topics[0].partitions

    grown = after.high_watermark - before.high_watermark
    assert grown >= 2, f"a topic was made, and the metadata log's high watermark grew by {grown}"


@variants(
    "topics",
    another_partition=(("__cluster_metadata", (1,)),),
    another_topic=(("some-topic", (0,)),),
    both=(METADATA_LOG, ("some-topic", (0,))),
    two_partitions=(("__cluster_metadata", (0, 1)),),
)
@all_versions(0, 2)
def test_nothing_else_can_be_asked_for(
    exchange: Exchange, version: int, topics: tuple[tuple[str, tuple[int, ...]], ...]
) -> None:
    """The metadata log has one partition: a request that names any other partition or topic is refused as a whole."""
    answer = exchange.ask(f"{topics}", request(*topics), version)

    codes = [[one.error_code for one in found.partitions] for found in answer.topics]
    assert codes == [[ErrorCode.UNKNOWN_TOPIC_OR_PARTITION] * len(indexes) for _, indexes in topics]


@all_versions(0, 2)
def test_no_topics_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without topics is answered without topics."""
    answer = exchange.ask("no topics", request(), version)

    assert (answer.error_code, answer.topics) == (ErrorCode.NONE, ())


@pytest.mark.cluster(nodes=3)
def test_a_controller_that_does_not_lead_says_so(cluster: Cluster) -> None:
    """Brokers ask the one that leads; who asks another controller by itself is refused."""
    leader = active_controller(cluster)
    for node, address in controllers_of(cluster).items():
        if node != leader:
            with NodeClient(address) as client:
                answer = client.ask(ApiKey.DESCRIBE_QUORUM, 2, request(METADATA_LOG))
            code = ErrorCode(answer.error_code or answer.topics[0].partitions[0].error_code)
            require(code.name, "NOT_LEADER_OR_FOLLOWER", "the answer of a controller that does not lead the quorum")
