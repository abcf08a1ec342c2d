"""A snapshot of the metadata log becomes the image, in slices: others are served between two of them (KIP-630)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import MetadataImage
from reference_broker.wire.metadata_records import VersionedRecord

STEPS_AT_ONCE: Final = 500
"""How many records are replayed, or topics and partitions compared, in one slice."""


class SnapshotReplay:
    """From `before` to the image that a snapshot makes out of nothing: what it does not name is gone.

    `delta` is the difference, once `go_on` has said that it is whole. `offset` and `epoch` are those of the last record
    that the snapshot stands for.
    """

    def __init__(self, before: MetadataImage, records: Iterable[VersionedRecord], *, offset: int, epoch: int) -> None:
        self._before, self._offset, self._epoch = before, offset, epoch
        self.delta = MetadataDelta(MetadataImage(cluster_id=before.cluster_id))
        self._steps = self._replay(records)

    def go_on(self, at_most: int = STEPS_AT_ONCE) -> bool:
        """Do the next slice; whether it was the last. Errors as those of `MetadataDelta.replay_batch`."""
        return sum(1 for _ in islice(self._steps, at_most)) < at_most

    def _replay(self, records: Iterable[VersionedRecord]) -> Iterator[None]:
        for message, version in records:
            self.delta.replay(message, version)
            yield
        self.delta.replay_batch((), self._offset, self._epoch)
        if self._before != self.delta.before:
            whole = self.delta.after
            self.delta = MetadataDelta(self._before)
            yield from self.delta.become(whole)
