"""Snapshot files of the metadata log: `<end offset>-<epoch>.checkpoint`, and bootstrap.checkpoint.

A header control batch, batches of metadata records, a footer control batch; offsets count from 0. Source: KIP-630,
KIP-853.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from reference_broker.environment import Disk
from reference_broker.raft.frames import (
    ControlType,
    decode_control,
    decode_records,
    encode_control,
    encode_records,
)
from reference_broker.wire.messages.k_raft_version_record import KRaftVersionRecord
from reference_broker.wire.messages.snapshot_footer_record import SnapshotFooterRecord
from reference_broker.wire.messages.snapshot_header_record import SnapshotHeaderRecord
from reference_broker.wire.messages.voters_record import VotersRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.records import Batch, iter_batches

BOOTSTRAP: Final = "bootstrap.checkpoint"
_NAME: Final = re.compile(r"(\d{20})-(\d{10})\.checkpoint")
RECORDS_PER_BATCH: Final = 1000


@dataclass(frozen=True, slots=True, order=True)
class SnapshotId:
    """The state before `end_offset`; `epoch` is that of the last record in it."""

    end_offset: int
    epoch: int

    @property
    def file_name(self) -> str:
        """Its file in the log's folder."""
        return f"{self.end_offset:020d}-{self.epoch:010d}.checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a snapshot file says. `voters` None where the quorum was static."""

    records: tuple[VersionedRecord, ...]
    kraft_version: int = 0
    voters: VotersRecord | None = None
    last_timestamp_ms: int = 0


def list_snapshots(disk: Disk, directory: str) -> list[SnapshotId]:
    """The snapshots in a folder, oldest first; leftovers of an unfinished one are removed."""
    found = []
    for name in disk.list(directory):
        if name.endswith((".checkpoint.part", ".checkpoint.deleted")):
            disk.remove(f"{directory}/{name}")
        elif match := _NAME.fullmatch(name):
            found.append(SnapshotId(int(match[1]), int(match[2])))
    return sorted(found)


def read_snapshot(disk: Disk, path: str) -> Snapshot:
    """A snapshot file; MalformedRequest where it is torn, corrupt or has no footer."""
    return replace(read_head(disk, path), records=tuple(iter_records(disk, path)))


def read_head(disk: Disk, path: str) -> Snapshot:
    """What a snapshot file says but its records, which are not decoded. MalformedRequest as from `read_snapshot`."""
    kraft_version, timestamp, voters = 0, 0, None
    for batch in _whole_batches(disk, path):
        for kind, message in decode_control(batch) if batch.header.is_control else ():
            if kind is ControlType.SNAPSHOT_HEADER:
                timestamp = message.last_contained_log_timestamp
            elif kind is ControlType.KRAFT_VERSION:
                kraft_version = message.k_raft_version
            elif kind is ControlType.KRAFT_VOTERS:
                voters = message
    return Snapshot(records=(), kraft_version=kraft_version, voters=voters, last_timestamp_ms=timestamp)


def iter_records(disk: Disk, path: str) -> Iterator[VersionedRecord]:
    """The records of a snapshot file, decoded one by one as they are asked for.

    MalformedRequest where it is torn or corrupt, at the latest behind the last one.
    """
    for batch in _whole_batches(disk, path):
        if not batch.header.is_control:
            yield from decode_records(batch)


def _whole_batches(disk: Disk, path: str) -> Iterator[Batch]:
    is_finished = False
    for batch in iter_batches(disk.read(path)):
        if not batch.crc_is_valid():
            raise MalformedRequest(f"{path}: the batch at offset {batch.header.base_offset} does not match its CRC")
        if batch.header.is_control:
            is_finished = any(kind is ControlType.SNAPSHOT_FOOTER for kind, _ in decode_control(batch))
        yield batch
    if not is_finished:
        raise MalformedRequest(f"{path}: there is no footer, the snapshot was not finished")


def last_contained_timestamp(disk: Disk, path: str) -> int:
    """What a snapshot's header says of the time of its last record, in ms, without reading the rest."""
    file = disk.open(path)
    try:
        head = file.read_at(0, 4096)
    finally:
        file.close()
    for batch in iter_batches(head):
        for kind, message in decode_control(batch) if batch.header.is_control else ():
            if kind is ControlType.SNAPSHOT_HEADER:
                return int(message.last_contained_log_timestamp)
        break
    return read_head(disk, path).last_timestamp_ms


def encode_snapshot(snapshot: Snapshot, *, epoch: int, now_ms: int) -> bytes:
    """The bytes of a snapshot file."""
    return b"".join(snapshot_parts(snapshot, snapshot.records, epoch=epoch, now_ms=now_ms))


def snapshot_parts(
    content: Snapshot, records: Iterable[VersionedRecord], *, epoch: int, now_ms: int
) -> Iterator[bytes]:
    """The same batch by batch, with `records` in the place of those of `content`."""
    head: list[tuple[ControlType, object]] = [
        (ControlType.SNAPSHOT_HEADER, SnapshotHeaderRecord(last_contained_log_timestamp=content.last_timestamp_ms))
    ]
    if content.kraft_version > 0 and content.voters is not None:
        head.append((ControlType.KRAFT_VERSION, KRaftVersionRecord(k_raft_version=content.kraft_version)))
        head.append((ControlType.KRAFT_VOTERS, content.voters))
    yield encode_control(head, base_offset=0, epoch=epoch, now_ms=now_ms)
    offset, left = len(head), iter(records)
    while some := tuple(islice(left, RECORDS_PER_BATCH)):
        yield encode_records(some, base_offset=offset, epoch=epoch, now_ms=now_ms)
        offset += len(some)
    foot: Sequence[tuple[ControlType, object]] = [(ControlType.SNAPSHOT_FOOTER, SnapshotFooterRecord())]
    yield encode_control(foot, base_offset=offset, epoch=epoch, now_ms=now_ms)
