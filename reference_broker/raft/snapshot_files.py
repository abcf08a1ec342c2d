"""The snapshots in the metadata log's folder: listed, read, written, downloaded and removed (KIP-630).

A new one is written to a file of another name. The flush of that file, which may happen in another thread, also gives
it its name; it counts once `adopt` is told that this is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from reference_broker.environment import Disk
from reference_broker.raft.snapshots import (
    Snapshot,
    SnapshotId,
    iter_records,
    last_contained_timestamp,
    list_snapshots,
    read_head,
    snapshot_parts,
)
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import Buffer, MalformedRequest
from reference_broker.wire.refusal import KafkaError

UNFINISHED: Final = ".part"
PARTS_AT_ONCE: Final = 4
"""How many batches of a snapshot are written before others are served."""
RECORDS_AT_ONCE: Final = 500
"""How many records of a downloaded snapshot are looked at before others are served."""


class UnfinishedSnapshot:
    """A snapshot in a file of its own. Once it is whole, its flush makes it durable under its own name (Flushable)."""

    def __init__(self, files: SnapshotFiles, snapshot_id: SnapshotId) -> None:
        self.snapshot_id, self.is_whole = snapshot_id, False
        self._files = files
        self._file = files.disk.open(files.new_path(snapshot_id), create=True)

    def flush(self) -> None:
        """Return only when the snapshot and its name are on stable storage."""
        self._file.flush()
        self._file.close()
        self._files.disk.rename(self._file.path, self._files.path_of(self.snapshot_id))
        self._files.disk.flush_directory(self._files.directory)

    def abandon(self) -> None:
        """Drop what is there, before the flush has begun."""
        self._file.close()
        self._files.disk.remove(self._file.path)


class SnapshotDraft(UnfinishedSnapshot):
    """A snapshot of our own, written in slices. Made by `SnapshotFiles.begin`."""

    def __init__(
        self,
        files: SnapshotFiles,
        snapshot_id: SnapshotId,
        content: Snapshot,
        records: Iterable[VersionedRecord],
        now_ms: int,
    ) -> None:
        super().__init__(files, snapshot_id)
        self._parts = snapshot_parts(content, records, epoch=snapshot_id.epoch, now_ms=now_ms)

    def write_some(self) -> bool:
        """Write the next batches; whether those were the last, and it `is_whole`."""
        for _ in range(PARTS_AT_ONCE):
            part = next(self._parts, None)
            if part is None:
                self.is_whole = True
                break
            self._file.append((part,))
        return self.is_whole


class SnapshotDownload(UnfinishedSnapshot):
    """A snapshot on its way from the leader. Made by `SnapshotFiles.begin_download`."""

    def __init__(self, files: SnapshotFiles, snapshot_id: SnapshotId) -> None:
        super().__init__(files, snapshot_id)
        self.is_received = False
        """Whether all has come: it is to be checked, and then flushed."""
        self._unchecked: Iterator[VersionedRecord] | None = None

    @property
    def position(self) -> int:
        """Bytes received so far, which is the position to ask for next."""
        return self._file.size

    def append(self, position: int, data: Buffer) -> None:
        """Take the bytes at a position. MalformedRequest where they do not follow what is there."""
        if position != self._file.size:
            raise MalformedRequest(
                f"bytes of snapshot {self.snapshot_id.file_name} from {position} on, but {self._file.size} are there"
            )
        self._file.append((data,))

    def check_some(self) -> bool:
        """Look at the next records; whether those were the last, and it `is_whole`.

        MalformedRequest where it is torn or corrupt: it must be abandoned then.
        """
        if self._unchecked is None:
            self._unchecked = iter_records(self._files.disk, self._file.path)
        self.is_whole = sum(1 for _ in islice(self._unchecked, RECORDS_AT_ONCE)) < RECORDS_AT_ONCE
        return self.is_whole


class SnapshotFiles:
    """The snapshots of one metadata log; `ids` ascend."""

    def __init__(self, disk: Disk, directory: str) -> None:
        self.disk, self.directory = disk, directory
        self.ids: list[SnapshotId] = list_snapshots(disk, directory)
        self._count = 0

    def path_of(self, snapshot_id: SnapshotId) -> str:
        """Where a snapshot's file is."""
        return f"{self.directory}/{snapshot_id.file_name}"

    def new_path(self, snapshot_id: SnapshotId) -> str:
        """A file of its own for another attempt at a snapshot; what a crash leaves of it is removed at the start."""
        self._count += 1
        return f"{self.directory}/{self._count}-{snapshot_id.file_name}{UNFINISHED}"

    def head(self, snapshot_id: SnapshotId) -> Snapshot:
        """What a snapshot says but its records; MalformedRequest where its file is torn or corrupt."""
        return read_head(self.disk, self.path_of(snapshot_id))

    def records(self, snapshot_id: SnapshotId) -> Iterator[VersionedRecord]:
        """Its records, read as they are asked for; MalformedRequest where its file is torn or corrupt."""
        return iter_records(self.disk, self.path_of(snapshot_id))

    def timestamp_of(self, snapshot_id: SnapshotId) -> int:
        """The time of the last record that a snapshot contains, in ms."""
        return last_contained_timestamp(self.disk, self.path_of(snapshot_id))

    def size_of(self, snapshot_id: SnapshotId) -> int:
        """Bytes in a snapshot's file."""
        return self.disk.size(self.path_of(snapshot_id))

    def part(self, snapshot_id: SnapshotId, position: int, max_bytes: int) -> tuple[int, bytes]:
        """(bytes in the whole file, those from a position on) for a FetchSnapshot response.

        SNAPSHOT_NOT_FOUND where there is no such snapshot, POSITION_OUT_OF_RANGE where the file ends before.
        """
        if snapshot_id not in self.ids:
            raise KafkaError(ErrorCode.SNAPSHOT_NOT_FOUND, f"there is no snapshot {snapshot_id.file_name}")
        file = self.disk.open(self.path_of(snapshot_id))
        try:
            if not 0 <= position < file.size:
                raise KafkaError(ErrorCode.POSITION_OUT_OF_RANGE, f"position {position} is outside 0..{file.size}")
            return file.size, file.read_at(position, max(0, min(max_bytes, file.size - position)))
        finally:
            file.close()

    def begin(
        self, snapshot_id: SnapshotId, content: Snapshot, records: Iterable[VersionedRecord], now_ms: int
    ) -> SnapshotDraft | None:
        """Begin to write a snapshot of our own: `content` without its records. None where it is there already."""
        return None if snapshot_id in self.ids else SnapshotDraft(self, snapshot_id, content, records, now_ms)

    def begin_download(self, snapshot_id: SnapshotId) -> SnapshotDownload:
        """Begin to receive a snapshot."""
        return SnapshotDownload(self, snapshot_id)

    def adopt(self, snapshot_id: SnapshotId) -> None:
        """A snapshot is on stable storage under its name: it counts from now on."""
        if snapshot_id not in self.ids:
            self.ids = sorted((*self.ids, snapshot_id))

    def drop(self, snapshot_id: SnapshotId) -> None:
        """A snapshot is on stable storage, and nobody wants it any more."""
        if snapshot_id not in self.ids:
            self.disk.remove(self.path_of(snapshot_id))

    def remove_before(self, end_offset: int) -> None:
        """Remove the snapshots that end before an offset."""
        for snapshot_id in [one for one in self.ids if one.end_offset < end_offset]:
            self.disk.remove(self.path_of(snapshot_id))
            self.ids.remove(snapshot_id)
