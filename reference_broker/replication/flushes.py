"""What the logs of a broker have on its way to stable storage: nothing is flushed while the event loop waits.

The small files of logs are flushed a few at a time, so that the metadata log's flushes, which others wait for, come in
between. Nobody is told what relies on them before: see `log.flushing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

from reference_broker.effects import Flushable, Outbox
from reference_broker.environment import Now
from reference_broker.log.flushing import LogFlush, SmallFilesFlush, begin_flush, flush_now
from reference_broker.log.log_directory import LogDirectory
from reference_broker.log.partition_log import PartitionLog
from reference_broker.replication.log_folders import LogFolders
from reference_broker.wire.refusal import KafkaError

SMALL_FILES_AT_ONCE: Final = 8


class Flushes:
    """`is_idle` says whether none is on its way; after `hold` none is begun."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._count = 0
        self._has_small_files = self._is_held = False

    @property
    def is_idle(self) -> bool:
        """Whether all that was begun has ended."""
        return not self._count

    def hold(self, folders: Iterable[LogDirectory]) -> None:
        """Begin a last flush of all logs, and no others: the logs are about to be closed."""
        if self._is_held:
            return
        for folder in folders:
            while folder.has_small_files:
                self._begin(folder, folder.take_small_files(SMALL_FILES_AT_ONCE), lambda folder: None)
            self._begin(folder, list(folder.flushes_of_all()), lambda folder: None)
        self._is_held = True

    def flush_log(self, folder: LogDirectory, log: PartitionLog) -> None:
        """Flush all that was appended to a log, and its topic id, by which a restart sees that the log is wanted."""
        flush = begin_flush(log, is_for_all=True)
        if self._is_held or flush is None:
            flush_now(log)
            log.awaited_flush.end(log)
            return
        self._begin(folder, [flush, *([] if log.is_id_durable else [SmallFilesFlush(log)])], lambda folder: None)

    def has_work(self, folders: LogFolders) -> bool:
        """Whether `go_on` would begin something."""
        return not self._has_small_files and not self._is_held and folders.has_small_files

    def go_on(self, folders: Iterable[LogDirectory]) -> None:
        """Flush the next small files, unless some are on their way."""
        if self._has_small_files or self._is_held:
            return
        for folder in folders:
            if folder.has_small_files:
                self._has_small_files = True
                self._begin(folder, folder.take_small_files(SMALL_FILES_AT_ONCE), self._on_small_files)
                return

    def _on_small_files(self, folder: LogDirectory) -> None:
        self._has_small_files = False

    def flush_overdue(self, folder: LogDirectory, now_ms: int) -> None:
        """Flush the logs that were not flushed for their flush.ms."""
        self._begin(folder, list(folder.overdue_flushes(now_ms)), lambda folder: None)

    def flush_full_segments(self, folder: LogDirectory, now_ms: int) -> None:
        """Flush the segments that are full, and keep up to where each log is durable."""
        self._begin(folder, list(folder.flushes_of_full_segments()), self._keep_recovery_points)

    def _keep_recovery_points(self, folder: LogDirectory) -> None:
        self._write(folder, folder.recovery_points())

    def keep_high_watermarks(self, folder: LogDirectory, now_ms: int) -> None:
        """Keep what readers were allowed to see of each log."""
        self._write(folder, folder.high_watermarks())

    def keep_clean_offsets(self, folder: LogDirectory) -> None:
        """Keep what compaction has gone over."""
        self._write(folder, folder.clean_offsets())

    def keep_log_starts(self, folder: LogDirectory, now_ms: int) -> None:
        """Keep where each log starts."""
        self._write(folder, folder.log_starts())

    def _begin(
        self,
        folder: LogDirectory,
        flushes: Sequence[LogFlush | SmallFilesFlush],
        then: Callable[[LogDirectory], None],
    ) -> None:
        if self._is_held:
            return
        targets: list[Flushable] = []
        for one in flushes:
            if isinstance(one, LogFlush):
                targets += one.targets
            else:
                targets.append(one)

        def finish(error: OSError | None, now: Now) -> None:
            self._count -= 1
            # A folder that fails now is told to whoever watches it.
            with suppress(KafkaError):
                for one in flushes:
                    folder.on_flushed(one, error)
                then(folder)
            if error is None:
                for log in dict.fromkeys(one.log for one in flushes):
                    log.awaited_flush.end(log)

        if not targets:
            with suppress(KafkaError):
                then(folder)
            return
        self._count += 1
        self._outbox.flush(targets, finish)

    def _write(self, folder: LogDirectory, target: Flushable) -> None:
        if self._is_held:
            return

        def finish(error: OSError | None, now: Now) -> None:
            self._count -= 1
            if error is not None and folder.is_online:
                folder.fail(str(error))

        self._count += 1
        self._outbox.flush((target,), finish)
