"""Runs a coordinator's shards: loads a partition in slices when this broker leads it, has its shard decide, appends and
replays, and answers once the high watermark has passed it.

Source: KIP-848, "Group Coordinator"; the same for every coordinator that keeps its state in an internal topic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from reference_broker.coordinator.led_partition import LedPartition, Phase
from reference_broker.coordinator.log import CoordinatorLog, EntryLog, entries
from reference_broker.coordinator.records import RecordTypes
from reference_broker.coordinator.shard import Decision, Shard, ShardServices
from reference_broker.coordinator.timers import PartitionTimers, Timers
from reference_broker.environment import Now
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.waiting import Later
from reference_broker.wire.compression import Compression
from reference_broker.wire.errors import ErrorCode
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

SLICE_RECORDS: Final = 1_000
"""About how many records are loaded in one turn of the node: other requests are answered between two."""


ShardT = TypeVar("ShardT", bound=Shard)


@dataclass(frozen=True, slots=True)
class Part(Generic[ShardT]):
    """A request's share for one partition: what to decide there, and what to say where that is refused.

    `is_read`: it changes nothing, and sees only what is committed.
    """

    partition: int
    decide: Callable[[ShardT], Decision]
    refused: Callable[[KafkaError], Any]
    is_read: bool = False


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
        timeout_key: str,
    ) -> None:
        """Two settings by name: the codec of batches, and how long a client waits for the commit (ms)."""
        self._log, self._types, self._new_shard, self._config = log, types, new_shard, config
        self._compression_key, self._timeout_key = compression_key, timeout_key
        self._led: dict[int, LedPartition[ShardT]] = {}
        self._loading: dict[int, None] = {}
        self._timers = Timers()

    # -- leadership ---------------------------------------------------------------------------------------------

    def follow(self, led: Mapping[int, int], now: Now) -> None:
        """Load and unload so that exactly these partitions (index -> leader epoch) are served."""
        for partition in [one for one in self._led if one not in led]:
            self._unload(partition, now)
        for partition, epoch in led.items():
            current = self._led.get(partition)
            if current is not None and current.machine.epoch < epoch:
                if current.may_go_on(epoch):
                    current.machine.epoch = epoch
                    continue
                self._unload(partition, now)
            if partition not in self._led:
                self._begin(partition, epoch)
        self._load(now)

    def _begin(self, partition: int, epoch: int) -> None:
        timers = PartitionTimers(self._timers, partition)
        shard = self._new_shard(ShardServices(timers, Later.complete))
        codec = EntryLog(self._log, partition, lambda: Compression(self._config().number(self._compression_key)))
        self._led[partition] = LedPartition(
            partition, shard, epoch=epoch, topic=self._log, log=codec, types=self._types, timers=timers
        )
        self._loading[partition] = None

    def _load(self, now: Now) -> None:
        """The next slice; the partitions come one after the other."""
        left = SLICE_RECORDS
        for partition in list(self._loading):
            led = self._led[partition]
            left -= led.load(left, now)
            if led.phase is not Phase.LOADING:
                del self._loading[partition]
            if led.phase is Phase.ACTIVE:
                self._watch(led)
                for decision in led.shard.on_loaded(now):
                    self._carry_out(led, decision, now)
            if left <= 0:
                return

    def _unload(self, partition: int, now: Now) -> None:
        led = self._led.pop(partition)
        self._loading.pop(partition, None)
        led.enter(Phase.UNLOADED)
        led.shard.on_unloaded()
        led.machine.resign(KafkaError(ErrorCode.NOT_COORDINATOR), now)
        self._timers.cancel_all(partition)

    def shard(self, partition: int) -> ShardT:
        """The shard of a partition. NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS."""
        return self._active(partition).shard

    def active(self) -> list[int]:
        """The partitions that are loaded."""
        return [partition for partition in sorted(self._led) if self._led[partition].phase is Phase.ACTIVE]

    @property
    def is_loading(self) -> bool:
        """Whether some partition is not loaded yet."""
        return bool(self._loading)

    def _active(self, partition: int) -> LedPartition[ShardT]:
        led = self._led.get(partition)
        if led is None:
            raise KafkaError(ErrorCode.NOT_COORDINATOR, f"another broker leads partition {partition}")
        _ = led.active
        return led

    # -- deciding -----------------------------------------------------------------------------------------------

    def submit(self, partition: int, decide: Callable[[ShardT], Decision], now: Now) -> Any:
        """Decide and write; the response, or a Later where it must wait for the high watermark."""
        led = self._active(partition)
        decision = self._write(led, decide(led.shard), now)
        deadline_ms = now.monotonic_ms + self._config().number(self._timeout_key)
        late = KafkaError(ErrorCode.COORDINATOR_NOT_AVAILABLE, "the records were not replicated in time")
        return led.machine.answer(decision.response, now, deadline_ms=deadline_ms, late=late)

    def defer(self, partition: int, decide: Callable[[ShardT], Decision], now: Now) -> None:
        """Decide and write for a request that the shard answers when it can."""
        led = self._active(partition)
        self._write(led, decide(led.shard), now)

    def submit_all(self, parts: Sequence[Part[ShardT]], combine: Callable[[list[Any]], Any], now: Now) -> Any:
        """Decide in several partitions; the combined response, or a Later until all that it rests on is committed."""
        results: list[Any] = [None] * len(parts)
        open_parts = dict.fromkeys(range(len(parts)))

        def close(at: int, error: KafkaError | None, now: Now) -> None:
            if error is not None:
                results[at] = parts[at].refused(error)
            open_parts.pop(at, None)
            if not open_parts:
                later.complete(combine(results))

        def give_up(now: Now) -> Any:
            for at in open_parts:
                results[at] = parts[at].refused(KafkaError(ErrorCode.COORDINATOR_NOT_AVAILABLE))
            return combine(results)

        later = Later(now.monotonic_ms + self._config().number(self._timeout_key), give_up)
        waiting: list[tuple[int, LedPartition[ShardT]]] = []
        for at, part in enumerate(parts):
            try:
                led = self._active(part.partition)
                if part.is_read and not led.is_behind:
                    results[at] = led.read(part.decide)
                    del open_parts[at]
                    continue
                results[at] = self._write(led, part.decide(led.shard), now).response
            except KafkaError as error:
                results[at] = part.refused(error)
                del open_parts[at]
                continue
            if led.machine.is_committed:
                del open_parts[at]
            else:
                waiting.append((at, led))
        for at, led in waiting:
            led.machine.when_committed(partial(close, at), now)
        return later if open_parts else combine(results)

    def carry_out_everywhere(self, decide: Callable[[ShardT], Decision], now: Now) -> None:
        """Decide and write in every partition that is loaded, for nobody in particular."""
        for partition in self.active():
            led = self._led[partition]
            self._carry_out(led, decide(led.shard), now)

    def _carry_out(self, led: LedPartition[ShardT], decision: Decision, now: Now) -> None:
        """Write what no client waits for; where that fails, it is left undone."""
        try:
            self._write(led, decision, now)
        except KafkaError:
            return

    # -- writing ------------------------------------------------------------------------------------------------

    def _write(self, led: LedPartition[ShardT], decision: Decision, now: Now) -> Decision:
        """Append a decision's records and replay them, then what follows from it; the last of these decisions.

        KafkaError, as a client hears it, where that fails.
        """
        while True:
            self._append(led, decision, now)
            if decision.then is None:
                return decision
            decision = decision.then(now)

    def _append(self, led: LedPartition[ShardT], decision: Decision, now: Now) -> None:
        if not decision.records:
            return
        machine = led.active
        try:
            for entry in entries(
                decision.records,
                producer=decision.producer,
                is_replayed=decision.settle is None,
                is_atomic=decision.is_atomic,
                max_batch_bytes=self._log.max_batch_bytes(led.partition),
            ):
                machine.append(entry, now)
        except KafkaError as error:
            code = ANSWERED_AS.get(error.code, error.code)
            if decision.settle is not None:
                self._carry_out(led, decision.settle(code, now), now)
                if decision.response is None:
                    return  # who waits was told by `settle`
            raise KafkaError(code, error.detail) from error
        if not machine.is_waited_for:
            machine.on_committed(self._log.high_watermark(led.partition) - 1, now)
        self._watch(led)
        if decision.settle is not None:
            self._settle_when_committed(led, decision.settle, now)

    def _settle_when_committed(
        self, led: LedPartition[ShardT], settle: Callable[[ErrorCode, Now], Decision], now: Now
    ) -> None:
        """Tell a decision's fate once, be it that its records are committed, cannot be, or are not in time."""
        led.writes += 1
        key = ("write", str(led.writes))
        is_open = True

        def tell(code: ErrorCode, now: Now) -> Decision | None:
            nonlocal is_open
            if not is_open:
                return None
            is_open = False
            led.timers.cancel(key)
            return settle(code, now)

        def on_outcome(why: KafkaError | None, now: Now) -> None:
            decision = tell(why.code if why is not None else ErrorCode.NONE, now)
            if decision is not None and led.phase is Phase.ACTIVE:
                self._carry_out(led, decision, now)

        def on_late(now: Now) -> Decision:
            return tell(ErrorCode.COORDINATOR_NOT_AVAILABLE, now) or Decision()

        if not led.machine.is_committed:
            led.timers.after(key, self._config().number(self._timeout_key), now, on_late)
        led.machine.when_committed(on_outcome, now)

    def _watch(self, led: LedPartition[ShardT]) -> None:
        """Have the log tell when all that was appended so far is committed."""
        offset = led.machine.awaited_offset
        if not led.machine.is_committed and offset > led.awaited:
            led.awaited = offset
            self._log.when_committed(led.partition, offset, partial(self._on_high_watermark, led))

    def _on_high_watermark(self, led: LedPartition[ShardT], now: Now) -> None:
        if led.phase is Phase.ACTIVE:
            led.machine.on_committed(self._log.high_watermark(led.partition) - 1, now)

    # -- time ---------------------------------------------------------------------------------------------------

    def next_deadline_ms(self) -> int | None:
        """When `on_time` must be called next (monotonic); None for never."""
        return 0 if self._loading else self._timers.next_deadline_ms()

    def on_time(self, now: Now) -> None:
        """Load the next slice, and run what is due."""
        if self._loading:
            self._load(now)
        for partition, action in self._timers.take_due(now.monotonic_ms):
            led = self._led.get(partition)
            if led is not None:
                self._carry_out(led, action(now), now)
