"""Writes the committed image as a snapshot when one is due (KIP-630)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Protocol

from reference_broker.metadata.publishing import Publisher
from reference_broker.wire.metadata_records import VersionedRecord

if TYPE_CHECKING:
    from reference_broker.environment import Now


INTERVAL_MS: Final = 60_000


class SnapshotStore(Protocol):
    """The metadata quorum as far as it keeps snapshots."""

    def is_snapshot_due(self, now: Now) -> bool:
        """Whether enough was written, or enough time went by, since the last snapshot."""

    def write_snapshot(self, records: Iterable[VersionedRecord], offset: int, epoch: int, now: Now) -> None:
        """Write the state behind the record at `offset`, of `epoch`; records may be taken later. May raise OSError."""


class SnapshotGenerator:
    """Every node writes its own snapshots, the active controller's too: they are of the committed image."""

    def __init__(self, publisher: Publisher, store: SnapshotStore) -> None:
        self._publisher, self._store = publisher, store
        self._looked_ms = 0

    def next_deadline_ms(self) -> int:
        """When `on_time` must be called next (monotonic)."""
        return self._looked_ms + INTERVAL_MS

    def on_time(self, now: Now) -> None:
        """Write a snapshot if one is due; none within a metadata transaction, which it could not hold (KIP-868)."""
        self._looked_ms = now.monotonic_ms
        if self._publisher.transaction is None and self._store.is_snapshot_due(now):
            image = self._publisher.image
            self._store.write_snapshot(image.records(), image.offset, image.epoch, now)
