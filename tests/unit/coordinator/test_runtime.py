"""The runtime: decide, append, replay, answer once it is committed; the same replay at load."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from reference_broker.coordinator.records import decode_record, encode_record
from reference_broker.coordinator.runtime import Part, Runtime
from reference_broker.coordinator.shard import NOTHING, CoordinatorRecord, Decision, ShardServices
from reference_broker.environment import Now
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.waiting import Later
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.group_metadata_key import GroupMetadataKey
from reference_broker.wire.messages.group_metadata_value import GroupMetadataValue
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.records import Batch, iter_batches, parse_batch_header, with_header
from reference_broker.wire.refusal import KafkaError

TYPES = {2: (GroupMetadataKey, GroupMetadataValue)}
START = Now(0, 0)
CONFIG = BrokerConfig.of(
    {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": "127.0.0.1:9093",
        "log.dirs": "/data",
    }
)


@dataclass
class LogInMemory:
    stored: dict[int, list[bytes]] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    watermarks: dict[int, int] = field(default_factory=dict)
    is_held: bool = False
    refusal: ErrorCode | None = None
    limit: int = 1_000
    waiting: list[tuple[int, int, Callable[[Now], None]]] = field(default_factory=list)

    def batches(self, partition: int) -> Iterator[Batch]:
        if self.refusal is not None:
            raise KafkaError(self.refusal)
        for raw in self.stored.get(partition, []):
            yield from iter_batches(raw)

    def append(self, partition: int, batch: bytes, now_ms: int) -> int:
        if self.refusal is not None:
            raise KafkaError(self.refusal)
        header = parse_batch_header(batch)
        first = self.ends.get(partition, 0)
        self.stored.setdefault(partition, []).append(with_header(header._replace(base_offset=first), batch[61:]))
        self.ends[partition] = first + header.records_count
        if not self.is_held:
            self.watermarks = dict(self.ends)
        return self.ends[partition] - 1

    def commit(self, watermarks: dict[int, int]) -> None:
        self.watermarks = watermarks
        waiting, self.waiting = self.waiting, []
        for partition, offset, then in waiting:
            if watermarks.get(partition, 0) > offset:
                then(START)
            else:
                self.waiting.append((partition, offset, then))

    def when_committed(self, partition: int, offset: int, then: Callable[[Now], None]) -> None:
        self.waiting.append((partition, offset, then))

    def high_watermark(self, partition: int) -> int:
        return self.watermarks.get(partition, 0)

    def max_batch_bytes(self, partition: int) -> int:
        return self.limit


class NamesShard:
    """Keeps the names that it was told, with the offsets of their records."""

    def __init__(self, services: ShardServices) -> None:
        self.services, self.waiting = services, Later()
        self.names: dict[str, int] = {}

    def replay(self, record: CoordinatorRecord, offset: int, producer_id: int) -> None:
        if record.value is None:
            self.names.pop(record.key.group, None)
        else:
            self.names[record.key.group] = offset

    def replay_marker(self, producer_id: int, *, is_commit: bool) -> None:
        """No transactions here."""

    def on_loaded(self, now: Now) -> Iterable[Decision]:
        self.services.timers.after(("tick",), 100, now, lambda then: noting("ticked"))
        return []

    def on_unloaded(self) -> None:
        self.services.answer(self.waiting, "unloaded")


def noting(*names: str, response: Any = None, **options: Any) -> Decision:
    records = tuple(CoordinatorRecord(GroupMetadataKey(group=name), GroupMetadataValue(), 3) for name in names)
    return Decision(records, response, **options)


class Fates:
    """What is told of decisions with `settle`."""

    def __init__(self) -> None:
        self.told: list[ErrorCode] = []

    def settle(self, code: ErrorCode, now: Now) -> Decision:
        self.told.append(code)
        return NOTHING


def answers_of(*laters: Any) -> list[Any]:
    """The answers that are known so far."""
    known: list[Any] = []
    for later in laters:
        assert isinstance(later, Later)
        if later.is_done:
            later.then(known.append)
    return known


def runtime_on(log: LogInMemory, *led: int) -> Runtime[NamesShard]:
    runtime = Runtime(
        log=log,
        types=TYPES,
        new_shard=NamesShard,
        config=lambda: CONFIG,
        compression_key="offsets.topic.compression.codec",
    )
    runtime.follow(dict.fromkeys(led, 0), START)
    return runtime


def test_what_is_decided_is_appended_and_replayed() -> None:
    log = LogInMemory()
    runtime = runtime_on(log, 0)

    assert runtime.submit(0, lambda shard: noting("a", "b", response="done"), Now(5, 0)) == "done"
    assert runtime.shard(0).names == {"a": 0, "b": 1}


def test_the_records_of_a_decision_are_one_batch() -> None:
    log = LogInMemory()
    runtime_on(log, 0).submit(0, lambda shard: noting("a", "b"), Now(5, 0))

    (batch,) = log.batches(0)
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
    runtime.write(0, noting("a", settle=fates.settle), START)

    assert (fates.told, runtime.shard(0).names) == ([ErrorCode.NONE], {})


def test_settle_is_told_only_when_it_is_committed() -> None:
    fates = Fates()
    log = LogInMemory(is_held=True)
    runtime = runtime_on(log, 0)
    runtime.write(0, noting("a", settle=fates.settle), START)
    assert fates.told == []

    log.commit({0: 1})
    assert fates.told == [ErrorCode.NONE]


def test_settle_is_told_of_a_failed_append_in_the_clients_words() -> None:
    fates = Fates()
    log = LogInMemory()
    runtime = runtime_on(log, 0)
    log.refusal = ErrorCode.KAFKA_STORAGE_ERROR
    runtime.write(0, noting("a", settle=fates.settle), START)

    assert fates.told == [ErrorCode.NOT_COORDINATOR]


def test_a_decision_that_must_stay_whole_and_is_too_large_is_refused() -> None:
    log = LogInMemory(limit=100)
    runtime = runtime_on(log, 0)

    with pytest.raises(KafkaError) as refusal:
        runtime.write(0, noting("a" * 200), START)
    assert refusal.value.code is ErrorCode.UNKNOWN_SERVER_ERROR


def test_a_decision_that_may_be_split_is_split() -> None:
    log = LogInMemory(limit=300)
    runtime = runtime_on(log, 0)
    runtime.write(0, noting(*"abcdef", is_atomic=False), START)

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
    assert runtime.shards() == []

    runtime.follow({0: 1}, START)
    assert len(runtime.shards()) == 1


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
    runtime.write(0, noting("a", settle=lambda code, now: noting("b")), START)

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
