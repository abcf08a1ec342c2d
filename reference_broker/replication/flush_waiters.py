"""Who waits until records are on stable storage because the topic's flush.messages asks for that."""

from __future__ import annotations

from collections.abc import Callable

from reference_broker.log.partition_log import PartitionLog
from reference_broker.replication.replication_waiters import OnReplicated, ReplicationWaiters
from reference_broker.wire.errors import ErrorCode

BeginFlush = Callable[[PartitionLog], None]


class FlushWaiters:
    """Of one partition. `begin` has its log flushed as an effect; without it that is done at once."""

    __slots__ = ("_begin", "_on_flushed", "_waiters", "log")

    def __init__(self, log: PartitionLog, begin: BeginFlush | None, on_flushed: Callable[[], None]) -> None:
        """`on_flushed` is called before those who wait are told."""
        self._begin, self._on_flushed = begin, on_flushed
        self._waiters = ReplicationWaiters()
        self.log = log
        self.take_over(log)

    def take_over(self, log: PartitionLog) -> None:
        """The partition has another log: a copy, which was flushed as it was written."""
        self.log.awaited_flush.begin = None
        self.log, log.awaited_flush.begin = log, self._begin
        log.awaited_flush.on_ended = self._on_ended
        self._on_ended()

    def _on_ended(self) -> None:
        self._on_flushed()
        if self._waiters.waiting:
            self._waiters.complete(self.sure_end, ErrorCode.NONE)

    @property
    def sure_end(self) -> int:
        """The end of what may be acknowledged."""
        return self.log.awaited_flush.sure_end(self.log)

    def add(self, required_offset: int, then: OnReplicated) -> None:
        """Have somebody told NONE once the records below an offset are flushed, else what `end` is given."""
        self._waiters.add(required_offset, then)

    def end(self, outcome: ErrorCode) -> None:
        """The partition is not hosted any more, or its folder has failed: nothing more is flushed."""
        self.log.awaited_flush.begin = self._begin = None
        self._waiters.refuse(outcome)
