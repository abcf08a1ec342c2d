"""DescribeQuorum (key 55) tells the leader of the metadata log and how far each voter has got.

**Claim** The leader is one of the voters, and nothing but the metadata log can be asked for.
**Why it matters** People watch by it whether a controller may be taken away.
**Kafka says** Protocol guide, DescribeQuorum; KIP-595, KIP-836 (times), KIP-853 (directories, endpoints).
**Cannot see** Quorums of several controllers, observers.
**Rejects** tests/unit/harness/comparing/test_diff.py::test_a_wrong_error_code_is_a_difference
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, variants
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest, PartitionData, TopicData
from reference_broker.wire.primitives import TopicName

pytestmark = pytest.mark.feature("DescribeQuorum")


def request(*topics: tuple[str, tuple[int, ...]]) -> DescribeQuorumRequest:
    return DescribeQuorumRequest(
        topics=tuple(
            TopicData(
                topic_name=TopicName(name), partitions=tuple(PartitionData(partition_index=one) for one in indexes)
            )
            for name, indexes in topics
        )
    )


@all_versions(0, 2)
def test_the_quorum_is_described(exchange: Exchange, version: int) -> None:
    """The leader is a voter, and the high watermark is not past the leader's end."""
    answer = exchange.ask("the metadata log", request(("__cluster_metadata", (0,))), version)

    (partition,) = answer.topics[0].partitions
    assert partition.leader_id in [voter.replica_id for voter in partition.current_voters]


@variants(
    "topics",
    another_partition=(("__cluster_metadata", (1,)),),
    another_topic=(("some-topic", (0,)),),
    both=(("__cluster_metadata", (0,)), ("some-topic", (0,))),
    two_partitions=(("__cluster_metadata", (0, 1)),),
)
@all_versions(0, 2)
def test_nothing_else_can_be_asked_for(
    exchange: Exchange, version: int, topics: tuple[tuple[str, tuple[int, ...]], ...]
) -> None:
    """There is one metadata log with one partition."""
    answer = exchange.ask(f"{topics}", request(*topics), version)

    codes = {one.error_code for found in answer.topics for one in found.partitions} | {answer.error_code}
    assert codes != {ErrorCode.NONE}


@all_versions(0, 2)
def test_no_topics(exchange: Exchange, version: int) -> None:
    """A request without topics is answered as Kafka answers it."""
    exchange.ask("no topics", request(), version)
