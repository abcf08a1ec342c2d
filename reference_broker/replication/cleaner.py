"""Which of a broker's logs are compacted, and when: the dirtiest first, a part at a time between other work.

Retention of compacted logs is done here, too, as in Kafka: before each choice, so every log.cleaner.backoff.ms and not
every log.retention.check.interval.ms; not for logs that cannot be compacted, nor while the cleaner is turned off.

Source: Kafka documentation, "Log Compaction", and "Broker Configs": log.cleaner.*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from reference_broker.effects import Outbox
from reference_broker.environment import Now
from reference_broker.log.compaction.offset_map import OffsetMap
from reference_broker.log.compaction.plan import Plan, plan_for
from reference_broker.log.compaction.round import Abandoned, Round, Step, Uncleanable
from reference_broker.log.log_directory import LogDirectory
from reference_broker.log.partition_log import PartitionLog
from reference_broker.replication.flushes import Flushes
from reference_broker.replication.throttle import Throttle
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.refusal import KafkaError

NEVER_MS: Final = 1 << 62
THROTTLED_MS: Final = 100
"""How long a round waits until it looks again whether it may go on."""


@dataclass(slots=True)
class _Work:
    """One log that is being compacted."""

    folder: LogDirectory
    round: Round
    steps: Iterator[Step]
    next_at_ms: int = 0

    @property
    def is_pointless(self) -> bool:
        """Whether the log has gone meanwhile, by its deletion, a move, or a disk that failed."""
        log = self.round.log
        return not self.folder.is_online or self.folder.logs.get((log.topic, log.partition)) is not log


@dataclass(slots=True)
class Cleaner:
    """`config` gives the settings as they are when they count. `next_deadline_ms` is monotonic."""

    config: Callable[[], BrokerConfig]
    folders: Iterable[LogDirectory]
    outbox: Outbox
    flushes: Flushes
    on_warning: Callable[[str], None]
    on_notice: Callable[[str], None]
    on_deleted: Callable[[], None]
    """Called when old segments were deleted: logs start later than they did."""
    next_deadline_ms: int = 0
    _works: list[_Work] = field(default_factory=list)
    _uncleanable: set[PartitionLog] = field(default_factory=set)
    _throttle: Throttle = field(default_factory=Throttle)
    _flushes: int = 0
    _is_held: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether no flush is on its way."""
        return not self._flushes

    def hold(self) -> None:
        """The logs are about to be closed: what was begun is dropped."""
        self._is_held, self.next_deadline_ms = True, NEVER_MS
        for work in list(self._works):
            if work.next_at_ms != NEVER_MS:  # the others are dropped once their flush has ended
                self._drop(work)

    def look_now(self, now: Now) -> None:
        """Settings have changed: do not wait for as long as the former ones say."""
        if not self._is_held:
            self.next_deadline_ms = now.monotonic_ms

    def on_time(self, now: Now) -> None:
        """Go on with what is due, and look for other logs that are dirty."""
        if self._is_held or now.monotonic_ms < self.next_deadline_ms:
            return
        config = self.config()
        self._throttle.limit = int(config.fraction("log.cleaner.io.max.bytes.per.second"))
        if not self._works and not self._begin(now):
            self.next_deadline_ms = now.monotonic_ms + max(1, config.number("log.cleaner.backoff.ms"))
            return
        for work in list(self._works):
            if work.next_at_ms <= now.monotonic_ms:
                self._go_on(work, now)
        due = [work.next_at_ms for work in self._works]
        self.next_deadline_ms = min(due) if due else now.monotonic_ms

    def _begin(self, now: Now) -> bool:
        """Choose the dirtiest logs, as many as there are cleaner threads; False where none needs it."""
        config = self.config()
        if not config.flag("log.cleaner.enable"):
            return False
        known = {log for folder in self.folders for log in folder.logs.values()}
        self._uncleanable &= known
        self._delete_old_segments(now.wall_ms)
        threads = max(1, config.number("log.cleaner.threads"))
        chosen = sorted(self._wanted(now.wall_ms), key=lambda one: one[2].dirty_ratio, reverse=True)[:threads]
        size, factor = (
            config.number("log.cleaner.dedupe.buffer.size"),
            config.fraction("log.cleaner.io.buffer.load.factor"),
        )
        for folder, log, plan in chosen:
            offsets = OffsetMap.for_keys(plan.end - plan.first_dirty, size // threads, factor)
            round_ = Round(log, plan, offsets)
            self._works.append(_Work(folder, round_, round_.steps(now.wall_ms), now.monotonic_ms))
        return bool(chosen)

    def _compacted(self) -> Iterator[tuple[LogDirectory, PartitionLog]]:
        for folder in self.folders:
            if folder.is_online:
                for log in list(folder.logs.values()):
                    if log.config.is_compacted and log not in self._uncleanable:
                        yield folder, log

    def _delete_old_segments(self, now_ms: int) -> None:
        count = 0
        for _, log in self._compacted():
            with suppress(KafkaError):  # the disk has failed, which its folder has told of
                count += log.delete_old_segments(now_ms)
        if count:
            self.on_deleted()

    def _wanted(self, now_ms: int) -> Iterator[tuple[LogDirectory, PartitionLog, Plan]]:
        for folder, log in self._compacted():
            if len(log.segments) > 1:
                plan = plan_for(log, folder.clean_up_to.get((log.topic, log.partition)), now_ms)
                if plan.is_wanted(log.config.min_cleanable_dirty_ratio):
                    yield folder, log, plan

    def _go_on(self, work: _Work, now: Now) -> None:
        log = work.round.log
        if work.is_pointless:
            self._drop(work)
            return
        if self._throttle.is_exceeded(now.monotonic_ms):
            work.next_at_ms = now.monotonic_ms + THROTTLED_MS
            return
        try:
            step = next(work.steps, None)
        except Uncleanable as trouble:
            self._uncleanable.add(log)
            self.on_warning(f"{log.name} is not compacted until the next start: {trouble}")
            self._drop(work)
        except (Abandoned, KafkaError):  # it was cut; or the disk has failed, which its folder has told of
            self._drop(work)
        else:
            if step is None:
                self._complete(work)
            elif isinstance(step, int):
                self._throttle.record(step, now.monotonic_ms)
                work.next_at_ms = now.monotonic_ms
            else:
                work.next_at_ms = NEVER_MS
                self._flushes += 1
                self.outbox.flush(step, lambda error, at: self._on_flushed(work, error, at))

    def _on_flushed(self, work: _Work, error: OSError | None, now: Now) -> None:
        self._flushes -= 1
        if error is not None and not work.is_pointless:
            work.folder.fail(str(error))
        if self._is_held or error is not None:
            self._drop(work)
            return
        work.next_at_ms = now.monotonic_ms
        self.next_deadline_ms = min(self.next_deadline_ms, now.monotonic_ms)

    def _complete(self, work: _Work) -> None:
        log = work.round.log
        work.folder.clean_up_to[log.topic, log.partition] = work.round.end_offset
        self.on_notice(
            f"{log.name} is compacted up to offset {work.round.end_offset}: "
            f"{work.round.size_before} bytes have become {work.round.size_after}"
        )
        self._drop(work)
        self.flushes.keep_clean_offsets(work.folder)

    def _drop(self, work: _Work) -> None:
        self._works.remove(work)
        try:
            work.round.end()
        except (KafkaError, OSError):
            return  # the disk has failed, which its folder has told of
