"""DescribeLogDirs (key 35) lists the log folders of a broker and the size of each partition.

**Claim** Log folders are listed with the sizes (bytes) of the requested partitions, from version 4 on also with the
total and usable bytes of their volumes; partitions that do not exist are left out.
**Why it matters** Operators use it to plan disk space.
**Kafka says** Protocol guide, DescribeLogDirs; KIP-113, KIP-827 (total and usable bytes), KIP-1066 (cordoned folders).
**Cannot see** Brokers with several folders; folders that failed.
**Rejects** tests/plants/tells_records_for_bytes.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, batch, produce_quietly, versions
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_log_dirs_request import DescribableLogDirTopic, DescribeLogDirsRequest
from reference_broker.wire.messages.describe_log_dirs_response import DescribeLogDirsResponse
from reference_broker.wire.primitives import TopicName

pytestmark = [
    pytest.mark.feature("DescribeLogDirs"),
    pytest.mark.kip(113, 827, 1066),
    pytest.mark.document(
        "Protocol guide, DescribeLogDirs", "https://kafka.apache.org/protocol.html#The_Messages_DescribeLogDirs"
    ),
]

VOLUMES_SINCE = 4


def request(*topics: tuple[str, tuple[int, ...]]) -> DescribeLogDirsRequest:
    return DescribeLogDirsRequest(
        topics=tuple(DescribableLogDirTopic(topic=TopicName(name), partitions=indexes) for name, indexes in topics)
    )


@all_versions(1, 5)
def test_sizes_of_partitions_are_told(exchange: Exchange, version: int) -> None:
    """The size of a partition is that of its batches; from version 4 on a volume's total and usable bytes are
    plausible."""
    topic = exchange.topic(partitions=2)
    produce_quietly(exchange, topic, "one", "two")
    answer = exchange.ask("both partitions of a topic", request((topic, (0, 1))), version)

    assert {result.error_code for result in answer.results} == {ErrorCode.NONE}
    require(sizes(answer), {(topic, 0): len(batch("one", "two")), (topic, 1): 0}, "the bytes of each partition")
    for result in answer.results if version >= VOLUMES_SINCE else ():
        assert 0 <= result.usable_bytes <= result.total_bytes
        assert result.total_bytes > 0


def sizes(answer: DescribeLogDirsResponse) -> dict[tuple[str, int], int]:
    """(topic, partition) -> bytes."""
    return {
        (topic.name, one.partition_index): one.partition_size
        for result in answer.results
        for topic in result.topics
        for one in topic.partitions
    }


@all_versions(1, 5)
def test_all_partitions_are_told(exchange: Exchange, version: int) -> None:
    """A null list of topics gets all partitions."""
    topic = exchange.topic()
    answer = exchange.ask("all partitions", DescribeLogDirsRequest(topics=None), version)

    assert sizes(answer).get((topic, 0)) == 0


@versions(1, 5)
def test_what_is_not_there_is_left_out(exchange: Exchange, version: int) -> None:
    """Topics and partitions that do not exist are left out."""
    topic, other = exchange.topic(), exchange.name("nowhere")
    answer = exchange.ask(
        "a partition that is not there, a topic that is not", request((topic, (0, 9)), (other, (0,))), version
    )

    assert sizes(answer) == {(topic, 0): 0}


@versions(1, 5)
def test_no_topics_get_the_folders_alone(exchange: Exchange, version: int) -> None:
    """An empty list of topics gets the folders without partitions."""
    answer = exchange.ask("no topics", request(), version)

    assert [result.error_code for result in answer.results] == [ErrorCode.NONE] * len(answer.results)
    assert [result.log_dir for result in answer.results if result.log_dir]
    assert sizes(answer) == {}
