"""The model of a log: what it allows, what it does not, and what it says then."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model.batch import written
from harness.model.log import PartitionLog
from harness.model.settings import DEFAULTS
from harness.model.specification import Specification
from harness.model.topics import Topic
from harness.search.lockstep.actions import WrittenBatch
from harness.search.lockstep.bytes import DAMAGES, bytes_of
from harness.search.strategies.batches import batch_bytes, batches
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_records_response import DeleteRecordsPartitionResult
from reference_broker.wire.messages.list_offsets_request import ListOffsetsPartition
from reference_broker.wire.messages.list_offsets_response import ListOffsetsPartitionResponse
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.messages.produce_response import PartitionProduceResponse
from reference_broker.wire.primitives import TopicName

NOW = 1_700_000_100_000


def log() -> PartitionLog:
    return PartitionLog(dict(DEFAULTS))


def batch(sequence: int = -1, count: int = 1, epoch: int = 0) -> Any:
    own: dict[str, Any] = (
        {"producer_id": 7, "producer_epoch": epoch, "base_sequence": sequence} if sequence >= 0 else {}
    )
    one = WrittenBatch(values=("a",) * count, **own)
    return written(bytes_of(one, 7 if sequence >= 0 else -1), 12)


def produced(own: PartitionLog, what: Any, code: int = 0, base_offset: int = -1) -> list[str]:
    answer = PartitionProduceResponse(error_code=code, base_offset=base_offset, log_start_offset=own.start)
    return list(own.produce("orders-0", what, answer, NOW))


def test_batches_follow_each_other() -> None:
    own = log()

    assert produced(own, batch(count=2), base_offset=0) == []
    assert produced(own, batch(), base_offset=2) == []


def test_an_offset_that_is_not_the_next_is_not_allowed() -> None:
    assert produced(log(), batch(), base_offset=1) == ["orders-0: base offset should be 0, and is 1"]


def test_a_repeated_batch_has_the_offset_that_it_had() -> None:
    own = log()
    produced(own, batch(0), base_offset=0)

    assert produced(own, batch(1), base_offset=1) == []
    assert produced(own, batch(0), base_offset=0) == []
    assert own.end == 2


def test_a_gap_in_sequences_must_be_refused() -> None:
    own = log()
    produced(own, batch(0), base_offset=0)

    assert produced(own, batch(5), base_offset=1) == [
        "orders-0: expected OUT_OF_ORDER_SEQUENCE_NUMBER (45), got NONE (0)"
    ]


def test_an_older_epoch_must_be_refused() -> None:
    own = log()
    produced(own, batch(0, epoch=1), base_offset=0)

    assert produced(own, batch(1, epoch=0), int(ErrorCode.INVALID_PRODUCER_EPOCH)) == []


def test_sequences_wrap_to_zero() -> None:
    own = log()
    produced(own, batch(2**31 - 1), base_offset=0)

    assert produced(own, batch(0), base_offset=1) == []


def test_deleted_records_are_below_the_start() -> None:
    own = log()
    produced(own, batch(count=3), base_offset=0)

    assert list(own.delete("orders-0", 2, DeleteRecordsPartitionResult(low_watermark=2))) == []
    assert own.offset_codes(1) == {ErrorCode.OFFSET_OUT_OF_RANGE}
    assert own.readable(2) == [(2, b"a")]


@pytest.mark.parametrize(
    ("at", "offset", "timestamp"), [(-1, 3, -1), (-2, 0, -1), (1_700_000_000_001, 1, 1_700_000_000_001)]
)
def test_offsets_are_found_by_time(at: int, offset: int, timestamp: int) -> None:
    own = log()
    produced(own, batch(count=3), base_offset=0)
    asked = ListOffsetsPartition(timestamp=at)

    assert list(own.offset_at("", asked, ListOffsetsPartitionResponse(offset=offset, timestamp=timestamp), 9)) == []
    assert list(own.offset_at("", asked, ListOffsetsPartitionResponse(offset=offset + 1, timestamp=timestamp), 9))


@pytest.mark.parametrize(("first_time", "may_miss"), [(-1, True), (1, False)])
def test_a_search_by_time_may_miss_what_follows_records_from_before_all_time(first_time: int, may_miss: bool) -> None:
    own = log()
    for timestamp, base_offset in ((first_time, 0), (NOW, 1)):
        one = written(bytes_of(WrittenBatch(values=("a",), timestamp=timestamp), -1), 12)
        produced(own, one, base_offset=base_offset)
    list(own.delete("orders-0", 1, DeleteRecordsPartitionResult(low_watermark=1)))

    assert own.at(5) == [(1, NOW)] + [(-1, -1)] * may_miss


def test_what_is_sound_is_appended_where_another_partition_has_the_connection_closed() -> None:
    model = Specification()
    topic = Topic("orders", b"o" * 16, {})
    topic.logs.append(log())
    model.topics.by_name["orders"] = topic
    data = bytes_of(WrittenBatch(values=("a",)), -1)
    parts = (PartitionProduceData(index=0, records=data),)
    topics = tuple(TopicProduceData(name=TopicName(name), partition_data=parts) for name in ("orders", "nowhere"))

    assert model.unanswered(ProduceRequest(acks=0, topic_data=topics), 9, is_closed=True, now_ms=NOW) == []
    assert topic.logs[0].end == 1


@settings(max_examples=200, deadline=None, database=None)
@given(data=batch_bytes(batches(st.sampled_from(list(DAMAGES)))))
def test_the_model_has_a_word_on_any_batch(data: bytes) -> None:
    own = log()
    read = written(data, 12)
    refused = own.refusals(read, NOW)

    assert refused or read.records


@settings(max_examples=200, deadline=None, database=None)
@given(data=st.binary(max_size=200))
def test_the_model_refuses_any_bytes_that_are_no_batch(data: bytes) -> None:
    assert written(data, 12).faults
