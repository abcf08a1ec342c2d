"""DeleteRecords (key 21) deletes records by moving the log start offset.

**Claim** Records below the low watermark in the answer are no longer served, the others are; an invalid offset is
refused, and topics that are only compacted, or internal, keep their records.
**Why it matters** Deleted records must be gone (privacy) and kept ones must stay.
**Kafka says** Protocol guide, DeleteRecords; KIP-107, KIP-204.
**Cannot see** Several replicas; whether disk space is freed.
**Rejects** tests/plants/deletes_records_by_the_wrong_policy.py, tests/plants/deletes_records_of_kafkas_own_topics.py,
tests/plants/deletes_what_is_not_there.py, tests/plants/deletes_whole_batches_only.py,
tests/plants/hangs_up_on_an_empty_request.py, tests/plants/moves_the_start_of_a_log_back.py,
tests/plants/refuses_to_delete_up_to_the_end.py, tests/plants/serves_deleted_records.py,
tests/plants/takes_any_offset_of_a_deletion.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import (
    all_versions,
    coordinated,
    delete_records,
    fetch,
    list_offsets,
    produce_quietly,
    versions,
)
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_records_request import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from reference_broker.wire.messages.delete_records_response import DeleteRecordsPartitionResult, DeleteRecordsResponse
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import iter_batches

pytestmark = [
    pytest.mark.feature("DeleteRecords"),
    pytest.mark.kip(107, 204),
    pytest.mark.document(
        "Protocol guide, DeleteRecords", "https://kafka.apache.org/protocol.html#The_Messages_DeleteRecords"
    ),
]


def only(answer: DeleteRecordsResponse) -> DeleteRecordsPartitionResult:
    ((found,),) = (one.partitions for one in answer.topics)
    return found


def start(exchange: Exchange, topic: str, partition: int = 0) -> int:
    """The log start offset of a partition."""
    (found,) = exchange.quietly(list_offsets(topic, -2, partition=partition), 6).topics[0].partitions
    offset: int = found.offset
    return offset


def filled(exchange: Exchange, **config: str) -> TopicName:
    """A topic with three batches of two records."""
    topic = exchange.topic(**config)
    for number in range(3):
        produce_quietly(exchange, topic, f"a{number}", f"b{number}", key="k")
    return topic


@all_versions(0, 2)
def test_records_are_deleted(exchange: Exchange, version: int) -> None:
    """Records below an offset are no longer served, even if it is in the middle of a batch; the others are."""
    topic = filled(exchange)
    answer = exchange.ask("below 3 of 6", delete_records(topic, 3), version)
    assert (only(answer).error_code, only(answer).low_watermark) == (ErrorCode.NONE, 3)
    below = exchange.ask("then from 2", fetch(topic, 2), 12)
    assert below.responses[0].partitions[0].error_code == ErrorCode.OFFSET_OUT_OF_RANGE
    above = exchange.ask("and from 3", fetch(topic, 3), 12)
    found = above.responses[0].partitions[0]
    kept = [record.value for one in iter_batches(found.records) for record in one.records() if record.offset >= 3]
    assert (found.log_start_offset, kept) == (3, [b"b1", b"a2", b"b2"])


@all_versions(0, 2)
def test_minus_one_means_all(exchange: Exchange, version: int) -> None:
    """-1 deletes up to the high watermark."""
    topic = filled(exchange)
    answer = exchange.ask("all", delete_records(topic, -1), version)
    assert only(answer).low_watermark == 6
    (earliest,) = exchange.ask("the earliest offset then", list_offsets(topic, -2), 6).topics[0].partitions
    assert earliest.offset == 6


@versions(0, 2)
def test_the_start_does_not_go_back(exchange: Exchange, version: int) -> None:
    """A deletion below the log start offset changes nothing, and is answered with the log start offset."""
    topic = filled(exchange)
    for words, offset in (("below 4", 4), ("below 2 then", 2), ("below 0 then", 0)):
        answer = exchange.ask(words, delete_records(topic, offset), version)
        assert (only(answer).error_code, only(answer).low_watermark) == (ErrorCode.NONE, 4)
    assert start(exchange, topic) == 4


@pytest.mark.parametrize("offset", [7, -2, 9_223_372_036_854_775_807, -9_223_372_036_854_775_808])
@versions(0, 2)
def test_an_offset_that_cannot_be_is_refused(exchange: Exchange, version: int, offset: int) -> None:
    """Offsets above the high watermark, or below -1, are out of range, and nothing is deleted."""
    topic = filled(exchange)
    answer = exchange.ask(f"below {offset} of 6", delete_records(topic, offset), version)

    assert only(answer).error_code == ErrorCode.OFFSET_OUT_OF_RANGE
    assert start(exchange, topic) == 0


@versions(0, 2)
def test_an_unknown_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A topic that does not exist is refused."""
    answer = exchange.ask("a topic that is not there", delete_records(exchange.name("nowhere"), 0), version)

    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@pytest.mark.parametrize("partition", [1, -1])
@versions(0, 2)
def test_an_unknown_partition_is_refused(exchange: Exchange, version: int, partition: int) -> None:
    """A partition that does not exist is refused."""
    answer = exchange.ask(f"partition {partition}", delete_records(filled(exchange), 0, partition=partition), version)

    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@versions(0, 2)
def test_a_compacted_topic_keeps_its_records(exchange: Exchange, version: int) -> None:
    """If the cleanup policy is compact alone, the deletion is refused and nothing is deleted."""
    topic = filled(exchange, cleanup_policy="compact")
    answer = exchange.ask("a compacted topic", delete_records(topic, 3), version)

    assert only(answer).error_code == ErrorCode.POLICY_VIOLATION
    assert start(exchange, topic) == 0


@versions(0, 2)
def test_a_topic_that_is_compacted_and_deleted(exchange: Exchange, version: int) -> None:
    """If the cleanup policy is compact,delete, records can be deleted."""
    topic = filled(exchange, cleanup_policy="compact,delete")
    answer = exchange.ask("a topic of both policies", delete_records(topic, 3), version)

    assert (only(answer).error_code, only(answer).low_watermark) == (ErrorCode.NONE, 3)
    assert start(exchange, topic) == 3


@versions(2)
def test_a_topic_without_a_policy(exchange: Exchange, version: int) -> None:
    """If the cleanup policy is empty, records can be deleted."""
    topic = filled(exchange, cleanup_policy="")
    answer = exchange.ask("a topic of no policy", delete_records(topic, 3), version)

    assert (only(answer).error_code, only(answer).low_watermark) == (ErrorCode.NONE, 3)
    assert start(exchange, topic) == 3


@versions(0, 2)
def test_kafkas_own_topics_keep_their_records(exchange: Exchange, version: int) -> None:
    """Clients cannot delete records of the topic of committed offsets."""
    coordinated(exchange)
    answer = exchange.ask("the topic of committed offsets", delete_records("__consumer_offsets", 0), version)

    assert only(answer).error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@versions(0, 2)
def test_each_partition_has_an_answer_of_its_own(exchange: Exchange, version: int) -> None:
    """An invalid offset does not affect the other partitions."""
    topic = exchange.topic(partitions=2)
    for partition in (0, 1):
        produce_quietly(exchange, topic, "a", partition=partition)
    wanted = (DeleteRecordsPartition(partition_index=0, offset=1), DeleteRecordsPartition(partition_index=1, offset=5))
    request = DeleteRecordsRequest(topics=(DeleteRecordsTopic(name=topic, partitions=wanted),), timeout_ms=5_000)
    answer = exchange.ask("one that can be and one that cannot", request, version)

    codes = {one.partition_index: one.error_code for one in answer.topics[0].partitions}
    assert codes == {0: ErrorCode.NONE, 1: ErrorCode.OFFSET_OUT_OF_RANGE}
    assert (start(exchange, topic), start(exchange, topic, 1)) == (1, 0)


def test_an_empty_partition(exchange: Exchange) -> None:
    """A deletion from an empty partition succeeds, with 0 as the low watermark."""
    answer = exchange.ask("an empty partition", delete_records(exchange.topic(), 0), 2)

    assert (only(answer).error_code, only(answer).low_watermark) == (ErrorCode.NONE, 0)


@versions(0, 2)
def test_no_topics_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without topics is answered without topics."""
    assert exchange.ask("no topics", DeleteRecordsRequest(timeout_ms=1_000), version).topics == ()
