"""DescribeLogDirs (key 35) tells the folders of a broker and how much each partition takes.

**Claim** Every folder is told with the sizes of the partitions that were asked for.
**Why it matters** People plan disks by it.
**Kafka says** Protocol guide, DescribeLogDirs; KIP-113, KIP-827 (total and usable bytes), KIP-1066 (cordoned folders).
**Cannot see** Brokers with several folders; folders that failed.
**Rejects** tests/unit/harness/comparing/test_diff.py::test_an_element_that_only_one_side_has_is_named
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, produce_quietly, versions
from reference_broker.wire.messages.describe_log_dirs_request import DescribableLogDirTopic, DescribeLogDirsRequest
from reference_broker.wire.primitives import TopicName

pytestmark = pytest.mark.feature("DescribeLogDirs")


def request(*topics: tuple[str, tuple[int, ...]]) -> DescribeLogDirsRequest:
    return DescribeLogDirsRequest(
        topics=tuple(DescribableLogDirTopic(topic=TopicName(name), partitions=indexes) for name, indexes in topics)
    )


@all_versions(1, 5)
def test_sizes_of_partitions_are_told(exchange: Exchange, version: int) -> None:
    """A partition takes the bytes of its batches."""
    topic = exchange.topic(partitions=2)
    produce_quietly(exchange, topic, "one", "two")
    answer = exchange.ask("both partitions of a topic", request((topic, (0, 1))), version)

    sizes = {one.partition_index: one.partition_size for found in answer.results[0].topics for one in found.partitions}
    assert sizes[0] > 0
    assert sizes[1] == 0


@all_versions(1, 5)
def test_all_partitions_are_told(exchange: Exchange, version: int) -> None:
    """Without topics all partitions are told."""
    topic = exchange.topic()
    answer = exchange.ask("all partitions", DescribeLogDirsRequest(topics=None), version)

    assert topic in [found.name for result in answer.results for found in result.topics]


@versions(1, 5)
def test_what_is_not_there_is_left_out(exchange: Exchange, version: int) -> None:
    """Topics and partitions that the broker has not are left out."""
    topic, other = exchange.topic(), exchange.name("nowhere")
    answer = exchange.ask(
        "a partition that is not there, a topic that is not", request((topic, (0, 9)), (other, (0,))), version
    )

    assert [found.name for found in answer.results[0].topics] == [topic]


@versions(1, 5)
def test_no_topics_get_the_folders_alone(exchange: Exchange, version: int) -> None:
    """An empty list of topics gets the folders without partitions."""
    exchange.ask("no topics", request(), version)
