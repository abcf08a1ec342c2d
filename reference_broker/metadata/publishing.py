"""Commits in, images out: the parts of a node are told of each change in a fixed order.

Source: KIP-631. Only what is committed gets here; the controller that is ahead of it has a pending image of its own.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import MetadataImage
from reference_broker.metadata.snapshot_replay import SnapshotReplay
from reference_broker.wire.metadata_records import VersionedRecord

if TYPE_CHECKING:
    from reference_broker.environment import Now

Subscriber = Callable[[MetadataDelta, "Now"], None]
"""Told what changed, and when, after every commit that changed something."""


class Committed(Protocol):
    """A batch of the metadata log that is committed."""

    @property
    def last_offset(self) -> int:
        """The offset of its last record."""

    @property
    def epoch(self) -> int:
        """The leader epoch it was written in."""

    @property
    def records(self) -> Sequence[VersionedRecord]:
        """Its records; none for a control batch."""


class SnapshotPlace(Protocol):
    """Where in the log a snapshot stands."""

    @property
    def end_offset(self) -> int:
        """The offset behind the last record that it holds."""

    @property
    def epoch(self) -> int:
        """The leader epoch of that record."""


class Publisher:
    """Listens to the metadata quorum. `image` is the committed metadata; subscribers are told in their order.

    A record that cannot be applied, or a subscriber that fails, calls `halt` with the reason: this node no longer
    knows the cluster, so it must stop. The image then stays as it was before the records.
    """

    def __init__(self, cluster_id: str, halt: Callable[[str], None]) -> None:
        self.image = MetadataImage(cluster_id=cluster_id)
        self._halt, self._has_failed = halt, False
        self._subscribers: list[Subscriber] = []
        self._transaction: list[VersionedRecord] | None = None

    @property
    def transaction(self) -> Sequence[VersionedRecord] | None:
        """The committed records of a metadata transaction that has not ended; None where none is open (KIP-868)."""
        return self._transaction

    def subscribe(self, subscriber: Subscriber) -> None:
        """Have a part of the node told of every change from now on, after those that subscribed before."""
        self._subscribers.append(subscriber)

    # -- what the quorum tells ----------------------------------------------------------------------------------

    def on_commit(self, batches: Sequence[Committed], now: Now) -> None:
        """Batches are committed, in order, each once."""

        def replayed() -> MetadataDelta:
            delta = MetadataDelta(self.image, self._transaction)
            for batch in batches:
                delta.replay_batch(batch.records, batch.last_offset, batch.epoch)
            return delta

        self._publish(replayed, now)

    def on_snapshot(
        self, snapshot_id: SnapshotPlace, records: Iterable[VersionedRecord], now: Now
    ) -> Callable[[Now], bool] | None:
        """A snapshot stands in the place of all that was committed before its end.

        None where it is published; else what goes on with it, until it says that it was the last slice.
        """
        replay = SnapshotReplay(self.image, records, offset=snapshot_id.end_offset - 1, epoch=snapshot_id.epoch)

        def go_on(now: Now) -> bool:
            return self._publish(lambda: replay.delta if replay.go_on() else None, now)

        return None if go_on(now) else go_on

    def on_leader(self, leader_id: int | None, epoch: int, now: Now) -> None:
        """Another leader changes nothing of what is committed."""

    def _publish(self, make: Callable[[], MetadataDelta | None], now: Now) -> bool:
        """Publish what is made; false where it is not whole yet."""
        if self._has_failed:
            return True
        what = "committed metadata records cannot be applied"
        try:
            if (delta := make()) is None:
                return False
            self.image, self._transaction = delta.after, delta.transaction
            for subscriber in () if delta.is_empty else self._subscribers:
                what = f"{getattr(subscriber, '__qualname__', subscriber)} failed on the metadata"
                subscriber(delta, now)
        except Exception:
            self._has_failed = True
            self._halt(f"{what} behind offset {self.image.offset}: {traceback.format_exc()}")
        return True
