"""An answer that waits for something to happen to partitions."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence
from typing import Any

from reference_broker.environment import Now
from reference_broker.replication.idle_partitions import IdlePartitions
from reference_broker.replication.partition import Partition
from reference_broker.waiting import Later


class PartitionWatch(Later):
    """Watches partitions until it is answered or its client is gone; a subclass has `on_change`, which they call.

    It may watch the idle partitions of a follower's session as well: then it has `on_busy`.
    Its request is not kept, so no error may complete it.
    """

    __slots__ = ("_watched",)

    NEEDS_REQUEST = False

    def __init__(
        self,
        watched: MutableSequence[Partition | IdlePartitions],
        deadline_ms: int,
        on_expired: Callable[[Now], Any],
    ) -> None:
        super().__init__(deadline_ms, on_expired)
        self._watched = watched
        for partition in watched:
            partition.watch(self)

    def on_change(self, partition: Partition, now: Now) -> None:
        """Something has happened to a partition."""
        raise NotImplementedError

    def on_busy(self, partition: Partition, now: Now) -> None:
        """A partition that was idle is so no more: a change, to those that do not tell the two apart."""
        self.on_change(partition, now)

    def complete(self, result: Any) -> None:
        """The answer is known."""
        self._stop_watching()
        super().complete(result)

    def cancel(self) -> None:
        """The client is gone."""
        self._stop_watching()
        super().cancel()

    def _stop_watching(self) -> None:
        for partition in self._watched:
            partition.unwatch(self)
