"""The partitions of a follower's fetch session in which nothing has changed since the follower had everything.

They are left out when the session's next fetch is read, so that a fetch costs what has changed, and not what there is.
A fetch still says of each of them that its follower lives and has all: `Contact` notes that for all at once.

Source: KIP-227 (fetch sessions), KIP-903 (broker epochs).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from reference_broker.environment import Now
from reference_broker.replication.replica import Contact
from reference_broker.wire.primitives import Uuid

if TYPE_CHECKING:
    from reference_broker.replication.partition import Partition

TopicKey = str | Uuid
"""A topic by id from version 13 of Fetch on, else by name."""
WantedKey = tuple[TopicKey, int]


class WaitingForMore(Protocol):
    """A fetch of the session that waits for something to tell."""

    def on_busy(self, partition: Partition, now: Now) -> None:
        """A partition is idle no more."""


class IdlePartitions:
    """Of one session of one incarnation of a broker. A partition leaves by itself as soon as anything changes in it.

    `on_leave` is told that it has left.
    """

    def __init__(
        self, replica_id: int, broker_epoch: int, on_leave: Callable[[WantedKey], None], monotonic_ms: int
    ) -> None:
        self.replica_id, self.broker_epoch = replica_id, broker_epoch
        self._waiting: WaitingForMore | None = None
        self._on_leave = on_leave
        self._contact = Contact(monotonic_ms)
        self._idle: dict[WantedKey, Partition] = {}

    def __len__(self) -> int:
        return len(self._idle)

    def watch(self, waiting: WaitingForMore) -> None:
        """A fetch of the session waits: it is told of a partition that leaves."""
        self._waiting = waiting

    def unwatch(self, waiting: WaitingForMore) -> None:
        """It waits no more; no error where another one has begun to wait."""
        if self._waiting is waiting:
            self._waiting = None

    def on_fetch(self, monotonic_ms: int) -> None:
        """The session's next fetch has come. One of a broker that has been registered anew since says nothing."""
        one = next(iter(self._idle.values()), None)
        if one is not None and one.is_fenced_by_epoch(self.replica_id, self.broker_epoch):
            self.clear()
        self._contact.last_fetch_ms = monotonic_ms

    def take(self, partition: Partition, offset: int, told: tuple[int, int]) -> bool:
        """Take a partition in whose follower asks for records from `offset` on; False where it may not rest.

        `told` are the high watermark and the log start that the follower was told.
        """
        if not partition.let_rest(self.replica_id, offset, told, self._contact):
            return False
        self._idle[partition.topic_id, partition.index] = partition
        partition.watch(self)
        return True

    def remove(self, key: WantedKey) -> None:
        """A partition is asked for otherwise, or no more; no error where it is not idle."""
        partition = self._idle.pop(key, None)
        if partition is not None:
            partition.unwatch(self)
            partition.end_rest(self.replica_id, self._contact)
            self._on_leave(key)

    def clear(self) -> None:
        """All leave."""
        for key in list(self._idle):
            self.remove(key)

    def on_change(self, partition: Partition, now: Now) -> None:
        """Something changed in a partition."""
        self.remove((partition.topic_id, partition.index))
        if self._waiting is not None:
            self._waiting.on_busy(partition, now)
