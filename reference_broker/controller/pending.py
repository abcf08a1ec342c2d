"""The image that the active controller decides over: ahead of the commit, dropped when it resigns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reference_broker.controller.decision import MetadataLog
from reference_broker.environment import Now
from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import MetadataImage
from reference_broker.wire.metadata_records import VersionedRecord


@dataclass(frozen=True, slots=True)
class MetadataEntry:
    """Records that are appended as one batch. `transaction` are those of one that an earlier controller left open."""

    records: Sequence[VersionedRecord]
    is_awaited: bool = True
    transaction: Sequence[VersionedRecord] | None = None


@dataclass(slots=True)
class PendingImage:
    """Images are immutable: the earlier state is the earlier image."""

    image: MetadataImage

    def replay(self, entry: MetadataEntry, first_offset: int, epoch: int) -> None:
        """As the committed image is made. KeyError or TypeError for a record that does not fit."""
        delta = MetadataDelta(self.image, entry.transaction)
        delta.replay_batch(entry.records, first_offset + len(entry.records) - 1, epoch)
        self.image = delta.after

    def mark(self) -> MetadataImage:
        """The present image."""
        return self.image

    def restore(self, mark: MetadataImage) -> None:
        """Go on from another image."""
        self.image = mark


@dataclass(frozen=True, slots=True)
class EntryLog:
    """The metadata quorum as a log of entries."""

    quorum: MetadataLog

    @property
    def end_offset(self) -> int:
        """The offset that the next record gets."""
        return self.quorum.end_offset

    def append(self, entry: MetadataEntry, epoch: int, now: Now) -> int:
        """KafkaError (NOT_CONTROLLER) in another epoch; OSError where the log cannot be written."""
        return self.quorum.append(entry.records, epoch, now, must_last=entry.is_awaited)
