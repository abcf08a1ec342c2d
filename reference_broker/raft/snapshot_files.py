"""The snapshots in the metadata log's folder: listed, read, written, downloaded and removed (KIP-630)."""

from __future__ import annotations

from typing import Final

from reference_broker.environment import Disk
from reference_broker.raft.snapshots import (
    Snapshot,
    SnapshotId,
    encode_snapshot,
    last_contained_timestamp,
    list_snapshots,
    read_snapshot,
)
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Buffer, MalformedRequest
from reference_broker.wire.refusal import KafkaError

UNFINISHED: Final = ".part"


class SnapshotDownload:
    """A snapshot on its way from the leader, in a file of its own. Made by `SnapshotFiles.begin_download`."""

    def __init__(self, files: SnapshotFiles, snapshot_id: SnapshotId) -> None:
        self.snapshot_id = snapshot_id
        self._files = files
        self._file = files.disk.open(files.path_of(snapshot_id) + UNFINISHED, create=True)
        self._file.truncate(0)

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

    def finish(self) -> Snapshot:
        """All has come: check it, make it durable, and give it its name; returns what it says.

        MalformedRequest where it is torn or corrupt; then nothing of it stays.
        """
        self._file.flush()
        self._file.close()
        try:
            snapshot = read_snapshot(self._files.disk, self._file.path)
        except MalformedRequest:
            self._files.disk.remove(self._file.path)
            raise
        self._files.adopt(self.snapshot_id, self._file.path)
        return snapshot

    def abandon(self) -> None:
        """Drop what has come: the leader has changed, or has another snapshot by now."""
        self._file.close()
        self._files.disk.remove(self._file.path)


class SnapshotFiles:
    """The snapshots of one metadata log; `ids` ascend."""

    def __init__(self, disk: Disk, directory: str) -> None:
        self.disk, self.directory = disk, directory
        self.ids: list[SnapshotId] = list_snapshots(disk, directory)

    def path_of(self, snapshot_id: SnapshotId) -> str:
        """Where a snapshot's file is."""
        return f"{self.directory}/{snapshot_id.file_name}"

    def read(self, snapshot_id: SnapshotId) -> Snapshot:
        """What a snapshot says; MalformedRequest where its file is torn or corrupt."""
        return read_snapshot(self.disk, self.path_of(snapshot_id))

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

    def write(self, snapshot_id: SnapshotId, snapshot: Snapshot, now_ms: int) -> None:
        """Write a snapshot; one that is there already stays as it is."""
        if snapshot_id in self.ids:
            return
        data = encode_snapshot(snapshot, epoch=snapshot_id.epoch, now_ms=now_ms)
        self.disk.write_atomically(self.path_of(snapshot_id), data)
        self.ids = sorted((*self.ids, snapshot_id))

    def begin_download(self, snapshot_id: SnapshotId) -> SnapshotDownload:
        """Begin to receive a snapshot; what an earlier attempt left is dropped."""
        return SnapshotDownload(self, snapshot_id)

    def adopt(self, snapshot_id: SnapshotId, path: str) -> None:
        """Give a whole and durable file its name as a snapshot."""
        self.disk.rename(path, self.path_of(snapshot_id))
        self.disk.flush_directory(self.directory)
        if snapshot_id not in self.ids:
            self.ids = sorted((*self.ids, snapshot_id))

    def remove_before(self, end_offset: int) -> None:
        """Remove the snapshots that end before an offset."""
        for snapshot_id in [one for one in self.ids if one.end_offset < end_offset]:
            self.disk.remove(self.path_of(snapshot_id))
            self.ids.remove(snapshot_id)
