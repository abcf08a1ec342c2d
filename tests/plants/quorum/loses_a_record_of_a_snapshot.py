"""Loads a snapshot without its last record.

**Bug** Metadata that was committed before a snapshot is lost by whoever loads it.

**Rejected by**
`python -m harness simulate`: differs from another node's
"""

from __future__ import annotations

from collections.abc import Iterator

from reference_broker.raft.snapshots import SnapshotId
from reference_broker.raft.store import MetadataStore
from reference_broker.wire.metadata_records import VersionedRecord


def plant() -> None:
    """Plants it."""
    plain = MetadataStore.snapshot_records

    def without_last(self: MetadataStore, snapshot_id: SnapshotId) -> Iterator[VersionedRecord]:
        return iter(list(plain(self, snapshot_id))[:-1])

    MetadataStore.snapshot_records = without_last  # type: ignore[method-assign]
