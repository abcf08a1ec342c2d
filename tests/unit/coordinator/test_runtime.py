"""The runtime: decide, append, replay, answer once it is committed; the same replay at load."""

from __future__ import annotations

import pytest
from runtime_in_memory import (
    START,
    TYPES,
    Fates,
    LogInMemory,
    NamesShard,
    answers_of,
    noting,
    runtime_on,
    write,
)

from reference_broker.coordinator.records import decode_record, encode_record
from reference_broker.coordinator.runtime import Part
from reference_broker.coordinator.shard import (
    NOTHING,
    CoordinatorRecord,
    Decision,
    Producer,
    TransactionMarker,
)
from reference_broker.environment import Now
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.group_metadata_key import GroupMetadataKey
from reference_broker.wire.messages.group_metadata_value import GroupMetadataValue
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.refusal import KafkaError


def test_what_is_decided_is_appended_and_replayed() -> None:
    log = LogInMemory()
    runtime = runtime_on(log, 0)

    assert runtime.submit(0, lambda shard: noting("a", "b", response="done"), Now(5, 0)) == "done"
    assert runtime.shard(0).names == {"a": 0, "b": 1}


def test_the_records_of_a_decision_are_one_batch() -> None:
    log = LogInMemory()
    runtime_on(log, 0).submit(0, lambda shard: noting("a", "b"), Now(5, 0))

    (batch,) = log.batches(0, 0, 0)
    assert (batch.header.records_count, batch.header.base_timestamp, batch.crc_is_valid()) == (2, 5, True)


def test_a_load_replays_what_was_appended() -> None:
    log = LogInMemory()
    runtime_on(log, 0).submit(0, lambda shard: noting("a", "b"), Now(5, 0))

    assert runtime_on(log, 0).shard(0).names == {"a": 0, "b": 1}


def test_a_partition_that_is_not_led_has_no_coordinator() -> None:
    runtime = runtime_on(LogInMemory(), 0)

    with pytest.raises(KafkaError) as refusal:
        runtime.submit(1, lambda shard: NOTHING, START)
    assert refusal.value.code is ErrorCode.NOT_COORDINATOR


def test_a_refused_decision_writes_nothing() -> None:
    log = LogInMemory()
    runtime = runtime_on(log, 0)

    def refuse(shard: NamesShard) -> Decision:
        raise KafkaError(ErrorCode.UNKNOWN_MEMBER_ID)

    with pytest.raises(KafkaError):
        runtime.submit(0, refuse, START)
    assert log.stored == {}


def test_an_answer_waits_for_the_high_watermark() -> None:
    log = LogInMemory(is_held=True)
    runtime = runtime_on(log, 0)

    answer = runtime.submit(0, lambda shard: noting("a", response="done"), START)
    assert answers_of(answer) == []

    log.commit({0: 1})
    assert answers_of(answer) == ["done"]


def test_an_answer_without_records_waits_for_what_was_written_before_it() -> None:
    log = LogInMemory(is_held=True)
    runtime = runtime_on(log, 0)
    runtime.submit(0, lambda shard: noting("a"), START)
    answer = runtime.submit(0, lambda shard: Decision(response="read"), START)
    assert answers_of(answer) == []

    log.commit({0: 1})
    assert answers_of(answer) == ["read"]


def test_answers_keep_the_order_of_questions() -> None:
    log = LogInMemory(is_held=True)
    runtime = runtime_on(log, 0)
    told: list[int] = []
    for number in range(3):
        answer = runtime.submit(0, lambda shard, number=number: noting(f"n{number}", response=number), START)  # type: ignore[misc]
        answer.then(told.append)
    log.commit({0: 2})

    assert told == [0, 1]


def test_with_settle_nothing_is_replayed_and_the_fate_is_told() -> None:
    fates = Fates()
    runtime = runtime_on(LogInMemory(), 0)
    write(runtime, noting("a", settle=fates.settle), START)

    assert (fates.told, runtime.shard(0).names) == ([ErrorCode.NONE], {})


def test_settle_is_told_only_when_it_is_committed() -> None:
    fates = Fates()
    log = LogInMemory(is_held=True)
    runtime = runtime_on(log, 0)
    write(runtime, noting("a", settle=fates.settle), START)
    assert fates.told == []

    log.commit({0: 1})
    assert fates.told == [ErrorCode.NONE]


def test_settle_is_told_of_a_failed_append_in_the_clients_words() -> None:
    fates = Fates()
    log = LogInMemory()
    runtime = runtime_on(log, 0)
    log.refusal = ErrorCode.KAFKA_STORAGE_ERROR
    write(runtime, noting("a", settle=fates.settle), START)

    assert fates.told == [ErrorCode.NOT_COORDINATOR]


def test_a_decision_that_must_stay_whole_and_is_too_large_is_refused() -> None:
    log = LogInMemory(limit=100)
    runtime = runtime_on(log, 0)

    with pytest.raises(KafkaError) as refusal:
        write(runtime, noting("a" * 200), START)
    assert refusal.value.code is ErrorCode.UNKNOWN_SERVER_ERROR


def test_a_decision_that_may_be_split_is_split() -> None:
    log = LogInMemory(limit=300)
    runtime = runtime_on(log, 0)
    write(runtime, noting(*"abcdef", is_atomic=False), START)

    assert len(log.stored[0]) > 1
    assert runtime.shard(0).names == {name: at for at, name in enumerate("abcdef")}


def test_a_timers_decision_is_written() -> None:
    log = LogInMemory()
    runtime = runtime_on(log, 0)
    assert runtime.next_deadline_ms() == 100
    runtime.on_time(Now(0, 100))

    assert runtime.shard(0).names == {"ticked": 0}


def test_when_leadership_goes_the_shard_its_timers_and_its_waiting_answers_go() -> None:
    log = LogInMemory(is_held=True)
    runtime = runtime_on(log, 0)
    waiting = runtime.shard(0).waiting
    answer = runtime.submit(0, lambda shard: noting("a"), START)
    runtime.follow({}, START)

    told, refused = answers_of(waiting, answer)
    assert told == "unloaded"
    assert refused.code is ErrorCode.NOT_COORDINATOR
    assert runtime.next_deadline_ms() is None


def test_a_new_epoch_of_the_same_leader_keeps_the_shard() -> None:
    runtime = runtime_on(LogInMemory(), 0)
    shard = runtime.shard(0)
    runtime.follow({0: 1}, START)

    assert runtime.shard(0) is shard


def test_a_load_that_fails_is_tried_again_when_led_anew() -> None:
    log = LogInMemory(refusal=ErrorCode.KAFKA_STORAGE_ERROR)
    runtime = runtime_on(log, 0)
    log.refusal = None
    runtime.follow({0: 0}, START)
    assert runtime.active() == []

    runtime.follow({0: 1}, START)
    assert runtime.active() == [0]


def test_several_partitions_give_one_answer_when_all_are_committed() -> None:
    log = LogInMemory(is_held=True)
    runtime = runtime_on(log, 0, 1)
    parts = [
        Part(at, lambda shard, at=at: noting("a", response=at), lambda error: error.code)  # type: ignore[misc]
        for at in range(3)
    ]

    answer = runtime.submit_all(parts, tuple, START)
    log.commit({0: 1})
    assert answers_of(answer) == []
    log.commit({0: 1, 1: 1})
    assert answers_of(answer) == [(0, 1, ErrorCode.NOT_COORDINATOR)]


def test_what_a_settled_decision_decides_is_written_too() -> None:
    log = LogInMemory()
    runtime = runtime_on(log, 0)
    write(runtime, noting("a", settle=lambda code, now: noting("b")), START)

    assert runtime.shard(0).names == {"b": 1}


def test_a_record_survives_its_encoding() -> None:
    record = CoordinatorRecord(
        GroupMetadataKey(group="g"), GroupMetadataValue(protocol_type="consumer", generation=3), 3
    )

    assert decode_record(*encode_record(record), TYPES) == record


def test_a_tombstone_survives_its_encoding() -> None:
    record = CoordinatorRecord(GroupMetadataKey(group="g"))

    assert decode_record(*encode_record(record), TYPES) == record


def test_an_unknown_type_decodes_to_nothing() -> None:
    assert decode_record(b"\0\x09abc", b"\0\0", TYPES) is None


def test_a_record_without_a_key_is_malformed() -> None:
    with pytest.raises(MalformedRequest):
        decode_record(None, b"", TYPES)


def test_what_follows_a_decision_sees_its_records() -> None:
    log = LogInMemory()
    runtime = runtime_on(log, 0)
    seen: list[list[str]] = []

    def then(now: Now) -> Decision:
        seen.append(sorted(runtime.shard(0).names))
        return noting("b", response="second")

    assert runtime.submit(0, lambda shard: noting("a", response="first", then=then), START) == "second"
    assert (seen, sorted(runtime.shard(0).names)) == ([["a"]], ["a", "b"])


def test_nothing_follows_a_decision_that_was_not_written() -> None:
    runtime = runtime_on(LogInMemory(limit=100), 0)
    with pytest.raises(KafkaError):
        write(runtime, noting("a" * 200, then=lambda now: pytest.fail("it was not written")), START)


def test_records_of_a_transaction_carry_their_producer() -> None:
    log = LogInMemory()
    write(runtime_on(log, 0), noting("a", producer=Producer(7, 2)), START)
    (batch,) = log.batches(0, 0, 0)

    header = batch.header
    assert (header.producer_id, header.producer_epoch, header.is_transactional) == (7, 2, True)


def test_the_end_of_a_transaction_is_a_control_batch_that_a_load_finds() -> None:
    log = LogInMemory()
    runtime = runtime_on(log, 0)
    write(runtime, Decision((TransactionMarker(is_commit=True, coordinator_epoch=4),), producer=Producer(7, 2)), START)
    (batch,) = log.batches(0, 0, 0)

    assert (batch.header.is_control, batch.header.producer_id) == (True, 7)
    assert (runtime.shard(0).ended, runtime_on(log, 0).shard(0).ended) == ([(7, True)], [(7, True)])
