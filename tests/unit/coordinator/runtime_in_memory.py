"""A runtime over a log in memory, with a shard that keeps names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from reference_broker.coordinator.runtime import Runtime
from reference_broker.coordinator.shard import (
    NOTHING,
    CoordinatorRecord,
    Decision,
    ShardServices,
)
from reference_broker.environment import Now
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.waiting import Later
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.group_metadata_key import GroupMetadataKey
from reference_broker.wire.messages.group_metadata_value import GroupMetadataValue
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
    epochs: dict[int, int] = field(default_factory=dict)
    watermarks: dict[int, int] = field(default_factory=dict)
    is_held: bool = False
    refusal: ErrorCode | None = None
    limit: int = 1_000
    waiting: list[tuple[int, int, Callable[[Now], None]]] = field(default_factory=list)

    def batches(self, partition: int, offset: int, epoch: int) -> Iterator[Batch]:
        if self.refusal is not None:
            raise KafkaError(self.refusal)
        for raw in self.stored.get(partition, []):
            yield from (one for one in iter_batches(raw) if one.header.last_offset >= offset)

    def start_offset(self, partition: int) -> int:
        return 0

    def end_offset(self, partition: int) -> int:
        return self.ends.get(partition, 0)

    def append(self, partition: int, batch: bytes, epoch: int, now_ms: int) -> int:
        if self.refusal is not None:
            raise KafkaError(self.refusal)
        if epoch != self.epochs.get(partition, epoch):
            raise KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
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
        self.ended: list[tuple[int, bool]] = []

    def replay(self, record: CoordinatorRecord, offset: int, producer_id: int) -> None:
        if record.value is None:
            self.names.pop(record.key.group, None)
        else:
            self.names[record.key.group] = offset

    def replay_marker(self, producer_id: int, *, is_commit: bool) -> None:
        self.ended.append((producer_id, is_commit))

    def mark(self) -> dict[str, int]:
        return dict(self.names)

    def restore(self, mark: dict[str, int]) -> None:
        self.names = dict(mark)

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


def write(runtime: Runtime[NamesShard], decision: Decision, now: Now) -> None:
    runtime.defer(0, lambda shard: decision, now)


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
        timeout_key="offsets.commit.timeout.ms",
    )
    runtime.follow(dict.fromkeys(led, 0), START)
    return runtime
