"""Runs a coordinator's shards: loads a partition when this broker leads it, appends what a shard decides as one batch,
replays it, and answers once the high watermark has passed it.

Source: KIP-848, "Group Coordinator"; the same for every coordinator that keeps its state in an internal topic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

from reference_broker.coordinator.records import RecordTypes, decode_record, encode_record
from reference_broker.coordinator.shard import Decision, Shard, ShardServices
from reference_broker.coordinator.timers import PartitionTimers, Timers
from reference_broker.environment import Now
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.waiting import Later
from reference_broker.wire.compression import Compression
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.records import HEADER_SIZE, Batch, Record, encode_batch
from reference_broker.wire.refusal import KafkaError

ANSWERED_AS: Final = {
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ErrorCode.NOT_ENOUGH_REPLICAS: ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ErrorCode.REQUEST_TIMED_OUT: ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ErrorCode.NOT_LEADER_OR_FOLLOWER: ErrorCode.NOT_COORDINATOR,
    ErrorCode.KAFKA_STORAGE_ERROR: ErrorCode.NOT_COORDINATOR,
    ErrorCode.MESSAGE_TOO_LARGE: ErrorCode.UNKNOWN_SERVER_ERROR,
    ErrorCode.RECORD_LIST_TOO_LARGE: ErrorCode.UNKNOWN_SERVER_ERROR,
    ErrorCode.INVALID_FETCH_SIZE: ErrorCode.UNKNOWN_SERVER_ERROR,
}
"""What a client hears of an append that failed."""

RECORD_OVERHEAD: Final = 64
"""More than the length, deltas and sizes of one record can take."""


class CoordinatorLog(Protocol):
    """A coordinator's internal topic, as far as this broker leads it. Each may raise KafkaError."""

    def batches(self, partition: int) -> Iterator[Batch]:
        """Everything in the partition's log, in order."""

    def append(self, partition: int, batch: bytes, now_ms: int) -> int:
        """Append a batch that was made here, at a wall-clock time; the offset of its last record."""

    def high_watermark(self, partition: int) -> int:
        """The offset behind the last committed record."""

    def when_committed(self, partition: int, offset: int, then: Callable[[Now], None]) -> None:
        """Call back once the high watermark has passed an offset; not where this broker stops leading before."""

    def max_batch_bytes(self, partition: int) -> int:
        """The largest batch that the topic takes."""


ShardT = TypeVar("ShardT", bound=Shard)


@dataclass(frozen=True, slots=True)
class Part(Generic[ShardT]):
    """A request's share for one partition: what to decide there, and what to say where that is refused."""

    partition: int
    decide: Callable[[ShardT], Decision]
    refused: Callable[[KafkaError], Any]


@dataclass(slots=True)
class _Led(Generic[ShardT]):
    """A partition that this broker leads and has loaded."""

    shard: ShardT
    leader_epoch: int
    written: int = -1
    """Offset of the last record that was appended here."""
    waiting: deque[tuple[int, Callable[[KafkaError | None, Now], None]]] = field(default_factory=deque)
    """(offset, what to do once the high watermark has passed it, or with why it never will), in order."""
    awaited: int = -1
    """The largest offset whose commit the log is to tell of."""


class Runtime(Generic[ShardT]):
    """The shards of one coordinator. A decision that raises KafkaError writes nothing."""

    def __init__(
        self,
        *,
        log: CoordinatorLog,
        types: RecordTypes,
        new_shard: Callable[[ShardServices], ShardT],
        config: Callable[[], BrokerConfig],
        compression_key: str,
    ) -> None:
        self._log, self._types, self._new_shard, self._config = log, types, new_shard, config
        self._compression_key = compression_key
        self._led: dict[int, _Led[ShardT]] = {}
        self._failed: dict[int, int] = {}
        self._timers = Timers()
        self.next_deadline_ms = self._timers.next_deadline_ms
        """When `on_time` must be called next (monotonic); None for never."""

    # -- leadership ---------------------------------------------------------------------------------------------

    def follow(self, led: Mapping[int, int], now: Now) -> None:
        """Load and unload so that exactly these partitions (index -> leader epoch) are served."""
        for partition in [one for one in self._led if one not in led]:
            self._unload(partition, now)
        for partition in [one for one in self._failed if led.get(one) != self._failed[one]]:
            del self._failed[partition]
        for partition, epoch in led.items():
            current = self._led.get(partition)
            if current is not None:
                current.leader_epoch = epoch
            elif partition not in self._failed:
                self._load(partition, epoch, now)

    def _load(self, partition: int, epoch: int, now: Now) -> None:
        timers = PartitionTimers(self._timers, partition)
        shard = self._new_shard(ShardServices(timers, lambda ticket, answer: self._answer(partition, ticket, answer)))
        led = _Led(shard, epoch)
        try:
            for batch in self._log.batches(partition):
                self._replay_batch(shard, batch)
                led.written = batch.header.last_offset
        except (KafkaError, MalformedRequest, OSError):
            # As in Kafka such a partition has no coordinator until it is led anew.
            self._failed[partition] = epoch
            return
        self._led[partition] = led
        for decision in shard.on_loaded(now):
            self._carry_out(partition, decision, now)

    def _replay_batch(self, shard: ShardT, batch: Batch) -> None:
        producer_id = batch.header.producer_id
        for record in batch.records():
            if batch.header.is_control:
                kind = int.from_bytes((record.key or b"")[2:4], "big")
                shard.replay_marker(producer_id, is_commit=kind == 1)
            elif (decoded := decode_record(record.key, record.value, self._types)) is not None:
                shard.replay(decoded, record.offset, producer_id)

    def _unload(self, partition: int, now: Now) -> None:
        led = self._led.pop(partition)
        self._timers.cancel_all(partition)
        led.shard.on_unloaded()
        while led.waiting:
            _, then = led.waiting.popleft()
            then(KafkaError(ErrorCode.NOT_COORDINATOR), now)

    def shard(self, partition: int) -> ShardT:
        """The shard of a partition. NOT_COORDINATOR where this broker does not lead it."""
        led = self._led.get(partition)
        if led is None:
            raise KafkaError(ErrorCode.NOT_COORDINATOR)
        return led.shard

    def shards(self) -> list[tuple[int, ShardT]]:
        """(partition, shard) of all that is loaded, by partition."""
        return [(partition, self._led[partition].shard) for partition in sorted(self._led)]

    # -- deciding -----------------------------------------------------------------------------------------------

    def submit(self, partition: int, decide: Callable[[ShardT], Decision], now: Now) -> Any:
        """Decide and write; the response, or a Later where it must wait for the high watermark."""
        decision = decide(self.shard(partition))
        self.write(partition, decision, now)
        led = self._led[partition]
        if not led.waiting:
            return decision.response
        later = Later()
        self._answer_when_committed(partition, led, later, decision.response)
        return later

    def submit_all(self, parts: Sequence[Part[ShardT]], combine: Callable[[list[Any]], Any], now: Now) -> Any:
        """Decide and write in several partitions; the combined response, or a Later until all are committed."""
        results: list[Any] = [None] * len(parts)
        open_parts = dict.fromkeys(range(len(parts)))
        later = Later()

        def close(at: int, error: KafkaError | None, now: Now) -> None:
            if error is not None:
                results[at] = parts[at].refused(error)
            del open_parts[at]
            if not open_parts:
                later.complete(combine(results))

        for at, part in enumerate(parts):
            try:
                decision = part.decide(self.shard(part.partition))
                self.write(part.partition, decision, now)
            except KafkaError as error:
                results[at] = part.refused(error)
                del open_parts[at]
                continue
            results[at] = decision.response
            led = self._led[part.partition]
            if led.waiting:
                self._wait(part.partition, led, led.written, partial(close, at))
            else:
                del open_parts[at]
        return later if open_parts else combine(results)

    def write(self, partition: int, decision: Decision, now: Now) -> None:
        """Append a decision's records and replay them. KafkaError, as a client hears it, where that fails."""
        if not decision.records:
            return
        led = self._led[partition]
        try:
            offset = self._append(partition, led, decision, now)
        except KafkaError as error:
            code = ANSWERED_AS.get(error.code, error.code)
            if decision.settle is not None:
                self._carry_out(partition, decision.settle(code, now), now)
                if decision.response is None:
                    return  # who waits was told by `settle`
            raise KafkaError(code, error.detail) from error
        if decision.settle is not None:
            self._when_committed(partition, led, offset, partial(self._settle, partition, decision.settle), now)
        elif self._log.high_watermark(partition) <= offset:
            self._wait(partition, led, offset, lambda why, now: None)

    def _settle(
        self, partition: int, settle: Callable[[ErrorCode, Now], Decision], why: KafkaError | None, now: Now
    ) -> None:
        decision = settle(why.code if why else ErrorCode.NONE, now)
        if partition in self._led:
            self._carry_out(partition, decision, now)

    def carry_out_everywhere(self, decide: Callable[[ShardT], Decision], now: Now) -> None:
        """Decide and write in every partition that is led, for nobody in particular."""
        for partition, shard in self.shards():
            self._carry_out(partition, decide(shard), now)

    def _carry_out(self, partition: int, decision: Decision, now: Now) -> None:
        """Write what no client waits for; where that fails, it is left undone."""
        try:
            self.write(partition, decision, now)
        except KafkaError:
            return

    def _append(self, partition: int, led: _Led[ShardT], decision: Decision, now: Now) -> int:
        limit = self._log.max_batch_bytes(partition)
        codec = Compression(self._config().number(self._compression_key))
        pairs = [(record, *encode_record(record)) for record in decision.records]
        while pairs:
            size, count = HEADER_SIZE, 0
            for _, key, value in pairs:
                size += len(key) + len(value or b"") + RECORD_OVERHEAD
                if size > limit and count and not decision.is_atomic:
                    break
                count += 1
            records = [Record(at, now.wall_ms, key, value) for at, (_, key, value) in enumerate(pairs[:count])]
            batch = encode_batch(records, compression=codec, base_sequence=0)
            if len(batch) > limit:
                raise KafkaError(ErrorCode.MESSAGE_TOO_LARGE, f"a batch of {len(batch)} bytes is over {limit}")
            led.written = self._log.append(partition, batch, now.wall_ms)
            if decision.settle is None:
                first = led.written - count + 1
                for at, (record, _, _) in enumerate(pairs[:count]):
                    led.shard.replay(record, first + at, -1)
            pairs = pairs[count:]
        return led.written

    # -- waiting for the high watermark -------------------------------------------------------------------------

    def _when_committed(
        self,
        partition: int,
        led: _Led[ShardT],
        offset: int,
        then: Callable[[KafkaError | None, Now], None],
        now: Now,
    ) -> None:
        if not led.waiting and self._log.high_watermark(partition) > offset:
            then(None, now)
        else:
            self._wait(partition, led, offset, then)

    def _wait(
        self, partition: int, led: _Led[ShardT], offset: int, then: Callable[[KafkaError | None, Now], None]
    ) -> None:
        led.waiting.append((offset, then))
        if offset > led.awaited:
            led.awaited = offset
            self._log.when_committed(partition, offset, partial(self._pass, partition, led))

    def _pass(self, partition: int, led: _Led[ShardT], now: Now) -> None:
        """The high watermark has moved: whoever it has passed goes on."""
        high_watermark = self._log.high_watermark(partition)
        while led.waiting and led.waiting[0][0] < high_watermark:
            _, then = led.waiting.popleft()
            then(None, now)

    def _answer(self, partition: int, later: Later, response: Any) -> None:
        """A shard answers a request that it let wait; the answer waits in turn for what was written before it."""
        led = self._led.get(partition)
        if led is not None and led.waiting:
            self._answer_when_committed(partition, led, later, response)
        else:
            later.complete(response)

    def _answer_when_committed(self, partition: int, led: _Led[ShardT], later: Later, response: Any) -> None:
        self._wait(partition, led, led.written, lambda why, now: later.complete(why or response))

    # -- time ---------------------------------------------------------------------------------------------------

    def on_time(self, now: Now) -> None:
        """Run what is due."""
        for partition, action in self._timers.take_due(now.monotonic_ms):
            if partition in self._led:
                self._carry_out(partition, action(now), now)
