"""Produce: what is acknowledged is in the log, and each refusal of the header is given."""

from __future__ import annotations

from typing import Any

import pytest
from broker_in_memory import BrokerInMemory, batch, codes

from reference_broker.apis import produce
from reference_broker.effects import HANG_UP, NO_RESPONSE
from reference_broker.replication.leader import Leader
from reference_broker.waiting import Later
from reference_broker.wire.compression import Compression
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.messages.produce_response import PartitionProduceResponse, ProduceResponse
from reference_broker.wire.primitives import TopicName, TransactionalId, Uuid
from reference_broker.wire.records import Record, encode_batch, parse_batch_header, with_header


@pytest.fixture
def broker() -> BrokerInMemory:
    broker = BrokerInMemory()
    broker.create("t", partitions=2)
    return broker


def request(
    records: bytes | None, *, acks: int = -1, topic: str = "t", index: int = 0, **options: Any
) -> ProduceRequest:
    data = PartitionProduceData(index=index, records=records)
    return ProduceRequest(
        acks=acks,
        timeout_ms=1000,
        topic_data=(TopicProduceData(name=TopicName(topic), partition_data=(data,)),),
        **options,
    )


def sent(broker: BrokerInMemory, records: bytes | None, version: int = 12, **options: Any) -> Any:
    return broker.call(produce, request(records, **options), version)


def only(response: ProduceResponse) -> PartitionProduceResponse:
    ((answer,),) = [topic.partition_responses for topic in response.responses]
    return answer


def changed(records: bytes, **fields: Any) -> bytes:
    """A batch with other header fields, and a right checksum."""
    return with_header(parse_batch_header(records)._replace(**fields), records[61:])


@pytest.mark.parametrize("version", [6, 7])
def test_a_codec_that_does_not_exist_is_an_error_of_its_partition(broker: BrokerInMemory, version: int) -> None:
    answer = only(sent(broker, changed(batch(b"a"), attributes=5), version))
    assert (answer.error_code, answer.log_start_offset) == (ErrorCode.UNKNOWN_SERVER_ERROR, 0)


@pytest.mark.parametrize("version", [6, 7])
def test_an_unknown_codec_does_not_matter_where_there_is_no_such_topic(broker: BrokerInMemory, version: int) -> None:
    answer = only(sent(broker, changed(batch(b"a"), attributes=5), version, topic="unknown"))
    assert answer.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@pytest.mark.parametrize("acks", [-1, 1])
def test_a_batch_is_answered_with_the_offset_it_got(broker: BrokerInMemory, acks: int) -> None:
    sent(broker, batch(b"a", b"b"), acks=acks)
    answer = only(sent(broker, batch(b"c"), acks=acks))
    assert (answer.error_code, answer.base_offset, answer.log_append_time_ms, answer.log_start_offset) == (0, 2, -1, 0)


def test_without_acks_there_is_no_answer(broker: BrokerInMemory) -> None:
    assert sent(broker, batch(b"a"), acks=0) is NO_RESPONSE
    assert broker.partition().log.log_end_offset == 1


def test_without_acks_a_refusal_closes_the_connection(broker: BrokerInMemory) -> None:
    assert sent(broker, batch(b"a"), acks=0, topic="unknown") is HANG_UP


def test_a_topic_is_found_by_its_id_from_version_13_on(broker: BrokerInMemory) -> None:
    topic_id = broker.controller.image.topics.by_name["t"].id
    data = PartitionProduceData(index=1, records=batch(b"a"))
    asked = ProduceRequest(acks=1, topic_data=(TopicProduceData(topic_id=topic_id, partition_data=(data,)),))
    response = broker.call(produce, asked, 13)
    assert (only(response).error_code, response.responses[0].topic_id) == (0, topic_id)


def test_an_unknown_topic_id_is_refused(broker: BrokerInMemory) -> None:
    data = PartitionProduceData(index=0, records=batch(b"a"))
    asked = ProduceRequest(acks=1, topic_data=(TopicProduceData(topic_id=Uuid(b"x" * 16), partition_data=(data,)),))
    assert codes(broker.call(produce, asked, 13)) == [ErrorCode.UNKNOWN_TOPIC_ID]


@pytest.mark.parametrize(("topic", "index"), [("unknown", 0), ("t", 2), ("t", -1)])
def test_an_unknown_partition_is_refused(broker: BrokerInMemory, topic: str, index: int) -> None:
    answer = only(sent(broker, batch(b"a"), topic=topic, index=index))
    assert (answer.error_code, answer.base_offset, answer.log_start_offset) == (
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        -1,
        -1,
    )


@pytest.mark.parametrize(
    ("records", "version", "code"),
    [
        (None, 12, ErrorCode.INVALID_RECORD),
        (b"", 12, ErrorCode.INVALID_RECORD),
        (batch(b"a")[:-1], 12, ErrorCode.INVALID_RECORD),
        (batch(b"a") + batch(b"b"), 12, ErrorCode.INVALID_RECORD),
        (batch(b"a")[:16] + b"\1" + batch(b"a")[17:], 12, ErrorCode.INVALID_RECORD),
        (batch(b"a", compression=Compression.ZSTD), 6, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE),
        (batch(b"a") + b"\0" * 8 + b"\0\0\0\5" + b"\0" * 20, 12, ErrorCode.CORRUPT_MESSAGE),
        (batch(b"a")[:-1] + b"\xff", 12, ErrorCode.CORRUPT_MESSAGE),
    ],
)
def test_what_is_not_one_batch_is_refused_without_the_logs_start(
    broker: BrokerInMemory, records: bytes | None, version: int, code: ErrorCode
) -> None:
    answer = only(sent(broker, records, version))
    assert (answer.error_code, answer.base_offset, answer.log_start_offset) == (code, -1, -1)


@pytest.mark.parametrize(
    ("records", "text"),
    [
        (batch(b"a")[:8] + b"\0\0\0\5" + batch(b"a")[12:], "Record size 5 is less than"),
        (batch(b"a")[:16] + b"\xff" + batch(b"a")[17:], "Invalid magic found in record: -1"),
    ],
)
def test_what_does_not_begin_like_a_batch_is_refused_with_the_whole_request(
    broker: BrokerInMemory, records: bytes, text: str
) -> None:
    data = (PartitionProduceData(index=0, records=batch(b"a")), PartitionProduceData(index=1, records=records))
    asked = ProduceRequest(acks=1, topic_data=(TopicProduceData(name=TopicName("t"), partition_data=data),))
    response = broker.call(produce, asked, 12)
    assert codes(response) == [ErrorCode.CORRUPT_MESSAGE] * 2
    assert text in (response.responses[0].partition_responses[0].error_message or "")
    assert broker.partition().log.log_end_offset == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"base_offset": 1},
        {"records_count": 2, "last_offset_delta": 1},
        {"records_count": 0, "last_offset_delta": -1},
        {"last_offset_delta": 3},
        {"attributes": 0x20},
        {"producer_id": 5, "producer_epoch": 0, "base_sequence": -1},
    ],
)
def test_a_batch_that_cannot_be_is_refused_with_the_logs_start(broker: BrokerInMemory, fields: dict[str, int]) -> None:
    answer = only(sent(broker, changed(batch(b"a"), **fields)))
    assert (answer.error_code, answer.log_start_offset) == (ErrorCode.INVALID_RECORD, 0)


def test_records_that_cannot_be_decompressed_are_a_servers_error(broker: BrokerInMemory) -> None:
    answer = only(sent(broker, changed(batch(b"a"), attributes=1)))
    assert answer.error_code == ErrorCode.UNKNOWN_SERVER_ERROR


@pytest.mark.parametrize("acks", [2, -2, 100])
def test_other_acks_than_0_1_and_all_are_refused(broker: BrokerInMemory, acks: int) -> None:
    assert codes(sent(broker, batch(b"a"), acks=acks)) == [ErrorCode.INVALID_REQUIRED_ACKS]


def test_only_kafkas_admin_client_writes_to_internal_topics(broker: BrokerInMemory) -> None:
    broker.create_wanted("__consumer_offsets")
    asked = request(batch(b"a"), topic="__consumer_offsets")
    assert codes(broker.call(produce, asked, 12)) == [ErrorCode.INVALID_TOPIC_EXCEPTION]
    assert codes(broker.call(produce, asked, 12, client_id="__admin_client")) == [ErrorCode.NONE]


def test_a_batch_above_the_topics_limit_is_refused(broker: BrokerInMemory) -> None:
    broker.create("small", max_message_bytes="100")
    answer = only(sent(broker, batch(b"a" * 100), topic="small"))
    assert (answer.error_code, answer.log_start_offset) == (ErrorCode.MESSAGE_TOO_LARGE, -1)


def test_a_batch_larger_than_a_segment_is_refused(broker: BrokerInMemory) -> None:
    # Kafka takes no smaller segment than 1 MiB from a client.
    broker.create("narrow", segment_bytes="1048576", max_message_bytes="3000000")
    answer = only(sent(broker, batch(b"a" * 1_100_000), topic="narrow"))
    assert (answer.error_code, answer.log_start_offset) == (ErrorCode.RECORD_LIST_TOO_LARGE, -1)


def test_a_timestamp_out_of_range_names_its_record(broker: BrokerInMemory) -> None:
    late = [Record(0, broker.now_ms, b"k", b""), Record(1, broker.now_ms + 3_600_001, b"k", b"")]
    answer = only(sent(broker, encode_batch(late)))
    assert answer.error_code == ErrorCode.INVALID_TIMESTAMP
    assert [one.batch_index for one in answer.record_errors] == [1]
    assert "message with offset 1 is out of range" in (answer.record_errors[0].batch_index_error_message or "")
    assert answer.error_message


def test_the_largest_timestamp_is_never_below_none(broker: BrokerInMemory) -> None:
    sent(broker, batch(b"a", timestamp=-5))
    (stored,) = broker.partition().log.batches_from(0)
    assert stored.header.max_timestamp == -1
    assert stored.crc_is_valid()


def test_a_record_without_a_key_is_named_on_a_compacted_topic(broker: BrokerInMemory) -> None:
    broker.create("compacted", cleanup_policy="compact")
    answer = only(sent(broker, batch(b"a", b"b", key=None), topic="compacted"))
    assert answer.error_code == ErrorCode.INVALID_RECORD
    assert [one.batch_index for one in answer.record_errors] == [0, 1]


def test_log_append_time_is_answered(broker: BrokerInMemory) -> None:
    broker.create("stamped", message_timestamp_type="LogAppendTime")
    assert only(sent(broker, batch(b"a", timestamp=5), topic="stamped")).log_append_time_ms == broker.now_ms


def test_a_retry_is_answered_with_its_first_offset(broker: BrokerInMemory) -> None:
    sent(broker, batch(b"x"))
    first = batch(b"a", producer_id=7, producer_epoch=0, base_sequence=0)
    answers = [only(sent(broker, first)) for _ in range(2)]
    # Kafka tells a duplicate's timestamp even where the producer's clock counts.
    assert [(one.base_offset, one.log_append_time_ms) for one in answers] == [(1, -1), (1, broker.now_ms)]
    assert broker.partition().log.log_end_offset == 2


@pytest.mark.parametrize(
    ("epoch", "sequence", "code"),
    [
        (1, 5, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER),
        (2, 1, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER),
        (0, 1, ErrorCode.INVALID_PRODUCER_EPOCH),
    ],
)
def test_a_batch_that_does_not_follow_its_producers_last_is_refused(
    broker: BrokerInMemory, epoch: int, sequence: int, code: ErrorCode
) -> None:
    sent(broker, batch(b"a", producer_id=7, producer_epoch=1, base_sequence=0))
    answer = only(sent(broker, batch(b"b", producer_id=7, producer_epoch=epoch, base_sequence=sequence)))
    assert (answer.error_code, answer.log_start_offset) == (code, 0)


def test_transactional_records_without_a_transactional_id_are_refused_as_a_whole(broker: BrokerInMemory) -> None:
    records = batch(b"a", producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True)
    answer = only(sent(broker, records))
    assert answer.error_code == ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED


def test_the_first_of_two_batches_tells_whether_there_is_a_transaction(broker: BrokerInMemory) -> None:
    records = batch(b"a", producer_id=1, producer_epoch=0, base_sequence=0, is_transactional=True)
    assert codes(sent(broker, records * 2)) == [ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED]


def test_such_records_without_acks_close_the_connection(broker: BrokerInMemory) -> None:
    records = batch(b"a", producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True)
    assert sent(broker, records, acks=0) is HANG_UP


def test_transactional_records_of_two_producers_are_refused_as_a_whole(broker: BrokerInMemory) -> None:
    data = tuple(
        PartitionProduceData(
            index=index,
            records=batch(b"a", producer_id=7 + index, producer_epoch=0, base_sequence=0, is_transactional=True),
        )
        for index in range(2)
    )
    asked = ProduceRequest(
        acks=1,
        transactional_id=TransactionalId("x"),
        topic_data=(TopicProduceData(name=TopicName("t"), partition_data=data),),
    )
    assert codes(broker.call(produce, asked, 12)) == [ErrorCode.INVALID_PRODUCER_ID_MAPPING] * 2


def test_transactional_records_wait_for_a_coordinator_that_is_not_there(broker: BrokerInMemory) -> None:
    records = batch(b"a", producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True)
    answer = only(sent(broker, records, transactional_id=TransactionalId("x")))
    assert answer.error_code == ErrorCode.NOT_ENOUGH_REPLICAS
    assert broker.partition().log.log_end_offset == 0


def test_a_partition_that_is_not_led_here_names_its_leader(broker: BrokerInMemory) -> None:
    broker.follow()
    broker.partition().leader = 1
    response = sent(broker, batch(b"a"))
    assert only(response).error_code == ErrorCode.NOT_LEADER_OR_FOLLOWER
    assert only(response).current_leader.leader_id == 1
    assert [(one.node_id, one.host, one.port) for one in response.node_endpoints] == [(1, "127.0.0.1", 9092)]


def test_a_partition_in_a_folder_that_failed_is_refused(broker: BrokerInMemory) -> None:
    broker.disk.is_broken = True
    assert codes(sent(broker, batch(b"a"))) == [ErrorCode.KAFKA_STORAGE_ERROR]
    assert codes(sent(broker, batch(b"a"))) == [ErrorCode.KAFKA_STORAGE_ERROR]


def test_too_few_replicas_in_sync_refuse_only_acks_all(broker: BrokerInMemory) -> None:
    broker.partition().led.isr.commit(())
    assert codes(sent(broker, batch(b"a"), acks=-1)) == [ErrorCode.NOT_ENOUGH_REPLICAS]
    assert codes(sent(broker, batch(b"a"), acks=1)) == [ErrorCode.NONE]


@pytest.fixture
def parked(broker: BrokerInMemory, plain_python: None, monkeypatch: pytest.MonkeyPatch) -> Later:
    """A Produce with acks=-1 whose partition waits for replicas that other brokers have."""
    monkeypatch.setattr(Leader, "advance_high_watermark", lambda self: False)
    parked = sent(broker, batch(b"a"))
    assert isinstance(parked, Later)
    assert broker.waits(parked)
    return parked


def let_high_watermark_pass(broker: BrokerInMemory) -> None:
    led = broker.partition().led
    led.log.high_watermark = 1
    led._waiters.complete(1, led._outcome())


def test_acks_all_is_answered_when_the_high_watermark_has_passed_the_batch(
    broker: BrokerInMemory, parked: Later
) -> None:
    let_high_watermark_pass(broker)
    assert only(broker.wake(parked)).base_offset == 0


def test_acks_all_times_out_with_the_batch_in_the_log(broker: BrokerInMemory, parked: Later) -> None:
    answer = only(broker.wake(parked, is_late=True))
    assert (answer.error_code, answer.base_offset) == (ErrorCode.REQUEST_TIMED_OUT, 0)
    assert parked.deadline_ms == broker.now_ms + 1000


def test_acks_all_ends_with_an_error_when_the_leadership_is_lost(broker: BrokerInMemory, parked: Later) -> None:
    broker.follow()
    assert codes(broker.wake(parked)) == [ErrorCode.NOT_LEADER_OR_FOLLOWER]


def test_acks_all_ends_with_an_error_when_the_topic_is_deleted(broker: BrokerInMemory, parked: Later) -> None:
    broker.delete("t")
    assert broker.partitions.find("t", 0) is None
    assert codes(broker.wake(parked)) == [ErrorCode.NOT_LEADER_OR_FOLLOWER]


def test_acks_all_tells_when_replicas_fell_out_of_sync_meanwhile(broker: BrokerInMemory, parked: Later) -> None:
    broker.partition().led.isr.commit(())
    let_high_watermark_pass(broker)
    assert codes(broker.wake(parked)) == [ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND]


def test_partitions_are_answered_each_by_itself(broker: BrokerInMemory) -> None:
    data = tuple(PartitionProduceData(index=index, records=batch(b"a")) for index in (0, 5, 1))
    asked = ProduceRequest(acks=-1, topic_data=(TopicProduceData(name=TopicName("t"), partition_data=data),))
    assert codes(broker.call(produce, asked, 12)) == [
        ErrorCode.NONE,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode.NONE,
    ]


def test_an_append_for_which_nobody_waits_wakes_nobody(broker: BrokerInMemory) -> None:
    sent(broker, batch(b"a"), acks=1)
    assert broker.touched == []
