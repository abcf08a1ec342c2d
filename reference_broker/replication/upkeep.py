"""What a broker does to its logs as time goes by: retention, flushes, checkpoints, and the end of deleted files.

Source: Kafka documentation, "Broker Configs": log.retention.check.interval.ms, log.flush.*, replica.high.watermark.*,
producer.id.expiration.*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from reference_broker.environment import Now
from reference_broker.log.log_directory import LogDirectory
from reference_broker.replication.flushes import Flushes
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.refusal import KafkaError

SWEEP_INTERVAL_MS: Final = 1_000


@dataclass(slots=True)
class Task:
    """Something done to every folder, again and again. `run` gets the wall-clock time; `due_ms` is monotonic."""

    run: Callable[[LogDirectory, int], object]
    interval_ms: int
    due_ms: int


class Upkeep:
    """The tasks of a broker, by the settings that it began with, the dynamic ones as they are when they count."""

    def __init__(
        self,
        config: Callable[[], BrokerConfig],
        flushes: Flushes,
        monotonic_ms: int,
        on_deleted: Callable[[], None],
    ) -> None:
        """`on_deleted` is called when old segments were deleted: logs start later than they did."""
        self._config, self._on_deleted = config, on_deleted
        numbers = config().number
        first = monotonic_ms + numbers("log.initial.task.delay.ms")
        # Kafka looks for silent producers only after a whole interval, not after the delay of the others.
        silence_ms = numbers("producer.id.expiration.check.interval.ms")

        def every(name: str, run: Callable[[LogDirectory, int], object], due_ms: int = first) -> Task:
            return Task(run, max(1, numbers(name)), due_ms)

        self._tasks = (
            every("log.retention.check.interval.ms", self._delete_old_segments),
            every("log.flush.scheduler.interval.ms", flushes.flush_overdue),
            every("log.flush.offset.checkpoint.interval.ms", flushes.flush_full_segments),
            every("log.flush.start.offset.checkpoint.interval.ms", flushes.keep_log_starts),
            every("replica.high.watermark.checkpoint.interval.ms", flushes.keep_high_watermarks, monotonic_ms),
            every("producer.id.expiration.check.interval.ms", self._forget_silent_producers, monotonic_ms + silence_ms),
            Task(self._tidy, SWEEP_INTERVAL_MS, monotonic_ms),
        )
        self.next_deadline_ms = min(task.due_ms for task in self._tasks)

    def _forget_silent_producers(self, folder: LogDirectory, now_ms: int) -> None:
        folder.forget_silent_producers(now_ms - self._config().number("producer.id.expiration.ms"))

    def _tidy(self, folder: LogDirectory, now_ms: int) -> None:
        folder.tidy(now_ms, self._config().number("log.segment.delete.delay.ms"))

    def _delete_old_segments(self, folder: LogDirectory, now_ms: int) -> None:
        if folder.delete_old_segments(now_ms):
            self._on_deleted()

    def on_time(self, folders: Iterable[LogDirectory], now: Now) -> None:
        """Do what is due; it is due again one interval from now."""
        due = [task for task in self._tasks if task.due_ms <= now.monotonic_ms]
        for task in due:
            task.due_ms = now.monotonic_ms + task.interval_ms
            for folder in folders:
                # One that fails now is offline, and whoever watches it was told.
                with suppress(KafkaError):
                    task.run(folder, now.wall_ms)
        if due:
            self.next_deadline_ms = min(task.due_ms for task in self._tasks)
