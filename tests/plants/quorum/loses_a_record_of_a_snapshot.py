"""Loads a snapshot without its last record.

**Bug** Metadata that was committed before a snapshot is lost by whoever loads it.

**Rejected by**
`python -m harness simulate`: differs from another node's
"""

from __future__ import annotations

from typing import Any

from reference_broker.raft.snapshots import Snapshot, SnapshotId
from reference_broker.raft.store import MetadataStore


def plant() -> None:
    """Plants it."""
    plain = MetadataStore.read_snapshot

    def without_last(self: MetadataStore, snapshot_id: SnapshotId) -> Any:
        found = plain(self, snapshot_id)
        return shortened(found)

    MetadataStore.read_snapshot = without_last  # type: ignore[method-assign]


def shortened(found: Snapshot) -> Snapshot:
    """The snapshot without its last record."""
    return Snapshot(records=found.records[:-1], kraft_version=found.kraft_version, voters=found.voters)
