"""A member's own snapshots on their way to stable storage: written in slices, flushed by an effect (KIP-630)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from reference_broker.effects import Halt, Outbox
from reference_broker.environment import Now
from reference_broker.raft.snapshot_files import SnapshotDraft
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.raft.store import MetadataStore
from reference_broker.wire.metadata_records import VersionedRecord


class SnapshotWriting:
    """One snapshot at a time. `after` is called once it is there."""

    def __init__(self, store: MetadataStore, outbox: Outbox) -> None:
        self._store, self._outbox = store, outbox
        self._draft: SnapshotDraft | None = None
        self.after: Callable[[Now], None] = lambda now: None

    @property
    def is_running(self) -> bool:
        """Whether a snapshot is not on stable storage yet."""
        return self._draft is not None

    @property
    def has_more(self) -> bool:
        """Whether `go_on` has something to write."""
        return self._draft is not None and not self._draft.is_whole

    def begin(self, snapshot_id: SnapshotId, records: Iterable[VersionedRecord], now: Now) -> None:
        """Write the first slice. ValueError where a snapshot cannot stand there, or another one is being written."""
        if self._draft is not None:
            raise ValueError(f"no snapshot {snapshot_id.file_name}: {self._draft.snapshot_id.file_name} is not done")
        self._draft = self._store.begin_snapshot(snapshot_id, records, now.wall_ms)
        self.go_on()

    def go_on(self) -> None:
        """Write the next slice; after the last one, flush."""
        draft = self._draft
        if draft is None or draft.is_whole:
            return
        if draft.write_some():
            self._outbox.flush((draft,), partial(self._on_flushed, draft))

    def _on_flushed(self, draft: SnapshotDraft, error: OSError | None, now: Now) -> None:
        self._draft = None
        if error is not None:
            self._outbox.put(Halt(f"cannot write a snapshot of the metadata log: {error}"))
            return
        self._store.adopt_snapshot(draft, now.wall_ms)
        self.after(now)
