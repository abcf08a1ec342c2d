"""Fetch: batches within every limit, waiting for them, sessions, and each refusal of the header."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from broker_in_memory import NOW, BrokerInMemory, batch, codes
from fetch_requests import BIG, by_id, fetched, only, part, parts_of, request

from reference_broker.waiting import Later
from reference_broker.wire.codec import encode_bytes
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.end_txn_marker import EndTxnMarker
from reference_broker.wire.messages.fetch_request import (
    FetchPartition,
    ReplicaState,
)
from reference_broker.wire.primitives import BrokerId, Uuid
from reference_broker.wire.records import Record, encode_batch
from reference_broker.wire.refusal import KafkaError


@pytest.fixture
def broker() -> BrokerInMemory:
    broker = BrokerInMemory()
    broker.create("t", partitions=3)
    return broker


# -- what is read ---------------------------------------------------------------------------------------------------


def test_batches_come_from_the_offset_on(broker: BrokerInMemory) -> None:
    for value in (b"a", b"b", b"c"):
        broker.append(value)
    answer = only(fetched(broker, request(part(offset=1))))
    assert [one.header.base_offset for one in broker.stored(answer.records)] == [1, 2]
    assert (answer.high_watermark, answer.last_stable_offset, answer.log_start_offset) == (3, 3, 0)


def test_records_are_answered_as_parts_of_files(broker: BrokerInMemory) -> None:
    broker.append(b"a")
    answer = only(fetched(broker, request(part())))
    assert sum(map(len, answer.records)) == broker.partition().log.size


def test_aborted_transactions_are_null_for_who_reads_everything(broker: BrokerInMemory) -> None:
    assert only(fetched(broker, request(part()))).aborted_transactions is None
    assert only(fetched(broker, request(part(), isolation_level=1))).aborted_transactions == ()


def test_aborted_transactions_are_null_where_the_first_batch_is_too_large(broker: BrokerInMemory) -> None:
    for index in (0, 1):
        broker.append(b"a", index=index)
    answers = parts_of(fetched(broker, request(part(0), part(1, max_bytes=1), isolation_level=1)))
    assert [answers[index].aborted_transactions for index in (0, 1)] == [(), None]


def test_the_first_batch_is_whole_whatever_the_limits(broker: BrokerInMemory) -> None:
    broker.append(b"a" * 5000)
    answer = only(fetched(broker, request(part(max_bytes=10), max_bytes=10)))
    assert len(broker.stored(answer.records)) == 1


def test_only_the_first_partition_with_records_may_exceed_the_limits(broker: BrokerInMemory) -> None:
    for index in (1, 2):
        broker.append(b"a" * 5000, index=index)
    answers = parts_of(fetched(broker, request(part(0), part(1, max_bytes=10), part(2, max_bytes=10))))
    assert [bool(answers[index].records) for index in range(3)] == [False, True, False]


def test_the_limit_of_the_whole_answer_counts_down(broker: BrokerInMemory) -> None:
    for index in range(3):
        broker.append(b"a" * 1000, index=index)
    size = broker.partition().log.size
    answers = parts_of(fetched(broker, request(part(0), part(1), part(2), max_bytes=2 * size)))
    assert [bool(answers[index].records) for index in range(3)] == [True, True, False]


@pytest.mark.parametrize(("partition_limit", "limit"), [(-1, BIG), (BIG, -1)])
def test_a_limit_below_zero_is_a_servers_error(broker: BrokerInMemory, partition_limit: int, limit: int) -> None:
    broker.append(b"a")
    response = fetched(broker, request(part(max_bytes=partition_limit), max_bytes=limit))
    assert codes(response) == [ErrorCode.UNKNOWN_SERVER_ERROR]


def test_a_transaction_that_is_open_hides_what_follows_from_committed_readers(broker: BrokerInMemory) -> None:
    broker.append(b"a")
    broker.append(b"b", producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True)
    broker.append(b"c")
    answer = only(fetched(broker, request(part(), isolation_level=1)))
    assert [one.header.base_offset for one in broker.stored(answer.records)] == [0]
    assert (answer.high_watermark, answer.last_stable_offset) == (3, 1)


def abort(broker: BrokerInMemory, producer_id: int, name: str = "t") -> None:
    """End a producer's transaction with an abort marker."""
    marker = Record(0, NOW, b"\0\0\0\0", b"\0\0" + encode_bytes(EndTxnMarker(coordinator_epoch=0), 0))
    control = encode_batch([marker], producer_id=producer_id, producer_epoch=0, is_transactional=True, is_control=True)
    broker.partition(name).append_own(control, broker.now_ms)


def test_aborted_transactions_are_named_to_committed_readers(broker: BrokerInMemory) -> None:
    broker.append(b"a", producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True)
    abort(broker, 7)
    broker.append(b"b")
    answer = only(fetched(broker, request(part(), isolation_level=1)))
    assert [(one.producer_id, one.first_offset) for one in answer.aborted_transactions or ()] == [(7, 0)]
    assert answer.last_stable_offset == 3


def test_aborted_transactions_behind_what_is_answered_are_not_named(broker: BrokerInMemory) -> None:
    broker.create("indexed", index_interval_bytes="1")
    broker.append(b"a" * 500, name="indexed")
    broker.append(b"b", name="indexed", producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True)
    abort(broker, 7, "indexed")
    first = only(fetched(broker, request(part(max_bytes=10), topic="indexed", isolation_level=1)))
    assert first.aborted_transactions == ()


# -- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [-1, 2, 100])
def test_an_offset_outside_the_log_is_refused(broker: BrokerInMemory, offset: int) -> None:
    broker.append(b"a")
    answer = only(fetched(broker, request(part(offset=offset))))
    assert (answer.error_code, answer.high_watermark, answer.log_start_offset) == (
        ErrorCode.OFFSET_OUT_OF_RANGE,
        -1,
        -1,
    )
    assert answer.aborted_transactions is None


def test_an_unknown_partition_is_refused(broker: BrokerInMemory) -> None:
    response = fetched(broker, request(part(9)))
    assert codes(response) == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]
    assert only(response).aborted_transactions == ()


def test_an_unknown_topic_id_is_refused(broker: BrokerInMemory) -> None:
    response = fetched(broker, by_id(Uuid(b"x" * 16), part()), 13)
    assert codes(response) == [ErrorCode.UNKNOWN_TOPIC_ID]


def test_unknown_ids_are_told_before_unknown_partitions(broker: BrokerInMemory) -> None:
    known = by_id(broker.controller.image.topics.by_name["t"].id, part(-1))
    asked = msgspec.structs.replace(known, topics=known.topics + by_id(Uuid(b"x" * 16), part()).topics)
    assert codes(fetched(broker, asked, 13)) == [ErrorCode.UNKNOWN_TOPIC_ID, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]


@pytest.mark.parametrize(
    ("epoch", "code"), [(0, ErrorCode.FENCED_LEADER_EPOCH), (99, ErrorCode.UNKNOWN_LEADER_EPOCH), (-2, ErrorCode.NONE)]
)
def test_another_leader_epoch_is_refused(broker: BrokerInMemory, epoch: int, code: ErrorCode) -> None:
    broker = broker.restarted()
    assert codes(fetched(broker, request(part(current_leader_epoch=epoch)))) == [code]


def test_a_fenced_reader_is_told_the_leader_from_version_16_on(broker: BrokerInMemory) -> None:
    broker = broker.restarted()
    topic_id = broker.controller.image.topics.by_name["t"].id
    response = fetched(broker, by_id(topic_id, part(current_leader_epoch=0)), 16)
    leader = only(response).current_leader
    assert (leader.leader_id, leader.leader_epoch) == (1, broker.partition().leader_epoch)
    assert [(one.node_id, one.port) for one in response.node_endpoints] == [(1, 9092)]


def test_a_reader_whose_log_went_another_way_is_told_where(broker: BrokerInMemory) -> None:
    broker.append(b"a")
    broker = broker.restarted()
    broker.append(b"b")
    epoch = broker.partition().leader_epoch
    answer = only(fetched(broker, request(part(offset=5, last_fetched_epoch=epoch - 1))))
    assert (answer.error_code, answer.diverging_epoch.epoch, answer.diverging_epoch.end_offset) == (0, 0, 1)
    assert not answer.records


@pytest.mark.parametrize("epoch", [99, 0])
def test_a_last_epoch_that_is_unknown_or_an_offset_below_the_start_is_out_of_range(
    broker: BrokerInMemory, epoch: int
) -> None:
    for value in (b"a", b"b"):
        broker.append(value)
    broker.partition().delete_records(1)
    assert codes(fetched(broker, request(part(last_fetched_epoch=epoch)))) == [ErrorCode.OFFSET_OUT_OF_RANGE]


def test_a_partition_that_is_not_led_here_is_refused_below_version_11(broker: BrokerInMemory) -> None:
    broker.follow()
    assert codes(fetched(broker, request(part()), 10)) == [ErrorCode.NOT_LEADER_OR_FOLLOWER]
    assert codes(fetched(broker, request(part()), 11)) == [ErrorCode.NONE]


@pytest.mark.parametrize(
    ("version", "code"), [(5, ErrorCode.NOT_LEADER_OR_FOLLOWER), (6, ErrorCode.KAFKA_STORAGE_ERROR)]
)
def test_a_folder_that_failed_is_told_as_old_clients_understand_it(
    broker: BrokerInMemory, version: int, code: ErrorCode
) -> None:
    broker.disk.is_broken = True
    with pytest.raises(KafkaError):
        broker.append(b"a")
    assert codes(fetched(broker, request(part()), version)) == [code]


@pytest.mark.parametrize(
    ("epoch", "code"), [(-1, ErrorCode.NOT_LEADER_OR_FOLLOWER), (0, ErrorCode.UNKNOWN_LEADER_EPOCH)]
)
def test_a_follower_without_a_replica_is_refused(broker: BrokerInMemory, epoch: int, code: ErrorCode) -> None:
    asked = request(part(current_leader_epoch=epoch), replica_id=BrokerId(2))
    assert codes(fetched(broker, asked)) == [code]


def test_a_follower_tells_its_id_in_a_tagged_field_from_version_15_on(broker: BrokerInMemory) -> None:
    topic_id = broker.controller.image.topics.by_name["t"].id
    state = ReplicaState(replica_id=BrokerId(2), replica_epoch=1)
    asked = by_id(topic_id, part(current_leader_epoch=0), replica_state=state)
    assert codes(fetched(broker, asked, 15)) == [ErrorCode.UNKNOWN_LEADER_EPOCH]


@pytest.fixture
def replicated(broker: BrokerInMemory) -> BrokerInMemory:
    """Broker 2 has a replica that is in sync, so that nothing is committed without it."""
    image = broker.controller.image.partition("t", 0)
    assert image is not None
    broker.partition().update(replace(image, replicas=(1, 2), isr=(1, 2), partition_epoch=9), broker.now)
    return broker


def test_a_follower_reads_what_is_not_committed(replicated: BrokerInMemory) -> None:
    replicated.append(b"a")
    assert not only(fetched(replicated, request(part()))).records
    assert only(fetched(replicated, request(part(), replica_id=BrokerId(2)))).records


def test_what_a_follower_asks_for_says_what_it_has(replicated: BrokerInMemory) -> None:
    replicated.append(b"a")
    fetched(replicated, request(part(offset=1), replica_id=BrokerId(2)))
    assert replicated.partition().high_watermark == 1


def test_a_follower_waits_until_the_leader_has_more_and_says_nothing_new_then(replicated: BrokerInMemory) -> None:
    replicated.append(b"a")
    park = parked(replicated, part(offset=1), replica_id=BrokerId(2))
    replicated.append(b"b")
    assert only(replicated.wake(park)).records
    assert replicated.partition().high_watermark == 1


def test_an_isolation_level_that_does_not_exist_is_a_servers_error(broker: BrokerInMemory) -> None:
    response = fetched(broker, request(part(), isolation_level=2))
    assert (response.error_code, codes(response)) == (
        ErrorCode.UNKNOWN_SERVER_ERROR,
        [ErrorCode.UNKNOWN_SERVER_ERROR],
    )


def test_an_isolation_level_does_not_matter_where_nothing_is_read(broker: BrokerInMemory) -> None:
    response = fetched(broker, by_id(Uuid(b"x" * 16), part(), isolation_level=2), 13)
    assert (response.error_code, codes(response)) == (ErrorCode.NONE, [ErrorCode.UNKNOWN_TOPIC_ID])


# -- waiting --------------------------------------------------------------------------------------------------------


def parked(broker: BrokerInMemory, *parts: FetchPartition, **fields: Any) -> Later:
    found = fetched(broker, request(*parts, **({"max_wait_ms": 500} | fields)))
    assert isinstance(found, Later)
    return found


def test_a_fetch_at_the_end_waits_and_is_answered_when_records_come(broker: BrokerInMemory) -> None:
    park = parked(broker, part(), part(1))
    assert broker.waits(park)
    broker.append(b"a", index=1)
    assert [bool(one.records) for one in parts_of(broker.wake(park)).values()] == [False, True]


def test_a_fetch_that_waits_is_answered_empty_at_its_deadline(broker: BrokerInMemory) -> None:
    park = parked(broker, part())
    assert park.deadline_ms == NOW + 500
    assert not only(broker.wake(park, is_late=True)).records


def test_a_fetch_that_is_answered_or_given_up_watches_nothing(broker: BrokerInMemory) -> None:
    answered, given_up = parked(broker, part()), parked(broker, part())
    given_up.cancel()
    broker.append(b"a")
    broker.wake(answered)
    broker.append(b"b")
    assert broker.touched == []


def test_a_fetch_waits_for_as_many_bytes_as_it_wants(broker: BrokerInMemory) -> None:
    size = len(batch(b"a"))
    broker.append(b"a")
    park = parked(broker, part(), part(1), min_bytes=3 * size)
    broker.append(b"a", index=1)
    assert broker.waits(park)
    broker.append(b"a")
    assert len(broker.stored(parts_of(broker.wake(park))[0].records)) == 2


def test_bytes_beyond_a_partitions_limit_do_not_count(broker: BrokerInMemory) -> None:
    park = parked(broker, part(max_bytes=100), min_bytes=150)
    broker.append(b"a" * 1000)
    assert broker.waits(park)


def test_an_error_is_answered_at_once(broker: BrokerInMemory) -> None:
    assert codes(fetched(broker, request(part(), part(1, offset=9), max_wait_ms=500))) == [
        ErrorCode.NONE,
        ErrorCode.OFFSET_OUT_OF_RANGE,
    ]


def test_a_partition_that_does_not_exist_keeps_the_others_waiting(broker: BrokerInMemory) -> None:
    park = parked(broker, part(), part(9))
    assert codes(broker.wake(park, is_late=True)) == [ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]


def test_a_new_segment_ends_the_wait(broker: BrokerInMemory) -> None:
    park = parked(broker, part(), min_bytes=BIG)
    broker.append(b"a")
    broker.partition().log.roll(NOW)
    broker.append(b"b")
    assert not broker.waits(park)


def test_a_deletion_ends_the_wait(broker: BrokerInMemory) -> None:
    park = parked(broker, part())
    broker.delete("t")
    assert codes(broker.wake(park)) == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]


def test_a_new_leader_epoch_ends_the_wait_of_who_knew_the_old_one(broker: BrokerInMemory) -> None:
    park = parked(broker, part(current_leader_epoch=0))
    broker.partition().leader_epoch = 1
    assert codes(broker.wake(park)) == [ErrorCode.FENCED_LEADER_EPOCH]


def test_a_committed_reader_waits_for_the_end_of_a_transaction(broker: BrokerInMemory) -> None:
    broker.append(b"a", producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True)
    park = parked(broker, part(), isolation_level=1)
    broker.append(b"b")
    assert broker.waits(park)
    abort(broker, 7)
    assert not broker.waits(park)
