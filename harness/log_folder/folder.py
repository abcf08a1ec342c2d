"""A log folder as a whole: what it says of itself, and the folder of each partition in it."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from crc32c import crc32c
from msgspec import Struct, field

from harness.log_folder.segment import Damage, SegmentRead, read_segment
from harness.replicas.replica_log import (
    HIGH_WATERMARK_CHECKPOINT,
    LEADER_EPOCH_CHECKPOINT,
    LOG_START_CHECKPOINT,
    TopicPartition,
    UnreadableLog,
    read_checkpoint,
    read_epochs,
)
from reference_broker.wire.codec import decode
from reference_broker.wire.messages.producer_snapshot import ProducerSnapshot
from reference_broker.wire.primitives import MalformedRequest

RECOVERY_CHECKPOINT: Final = "recovery-point-offset-checkpoint"
CLEANER_CHECKPOINT: Final = "cleaner-offset-checkpoint"
CLEAN_SHUTDOWN: Final = ".kafka_cleanshutdown"
_PARTITION: Final = re.compile(
    r"(?P<topic>.+?)-(?P<number>\d+)(?:\.(?P<unique>[0-9a-f]+)-(?P<mark>delete|future|stray))?"
)
_LEFT_OVER: Final = (".deleted", ".cleaned", ".swap")


class PartitionRead(Struct, kw_only=True):
    """What a partition's folder holds. What the folder's checkpoints say is None where they do not name it."""

    folder: str
    topic: str
    partition: int
    state: str = "log"
    """"log"; or what its name says: "delete" (a deleted topic's), "future" (on its way to this folder), "stray"."""
    topic_id: str | None = None
    log_start: int | None = None
    high_watermark: int | None = None
    recovery_point: int | None = None
    compacted_up_to: int | None = None
    leader_epochs: list[tuple[int, int]] = field(default_factory=list)
    segments: list[SegmentRead] = field(default_factory=list)
    producer_snapshots: dict[str, int] = field(default_factory=dict)
    """File → producers in it."""
    left_over: list[str] = field(default_factory=list)
    """Files of segments that were deleted, or compacted and not yet put in place."""
    damages: list[Damage] = field(default_factory=list)

    @property
    def all_damages(self) -> Iterator[Damage]:
        """Its own, and those of its segments."""
        yield from self.damages
        for segment in self.segments:
            yield from segment.damages

    @property
    def end_offset(self) -> int:
        """The offset after the last batch; where there is none, that of the last segment's base."""
        ends = [one.base_offset if one.last_offset is None else one.last_offset + 1 for one in self.segments]
        return max(ends, default=0)


class FolderRead(Struct, kw_only=True):
    """A log folder. `was_stopped_in_order` is false while a broker uses it, and after a crash."""

    path: str
    properties: dict[str, str] = field(default_factory=dict)
    """meta.properties: node.id, cluster.id, directory.id."""
    was_stopped_in_order: bool = False
    broker_epoch: int | None = None
    partitions: list[PartitionRead] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)

    @property
    def all_damages(self) -> Iterator[Damage]:
        """Its own, and those of its partitions."""
        yield from self.damages
        for partition in self.partitions:
            yield from partition.all_damages


class NoLogFolder(ValueError):
    """The folder is none of Kafka's, or has no such partition; the message says what was looked for."""


def read_folder(path: Path, partition: str | None) -> FolderRead:
    """Reads a log folder, or one partition of it with its records. NoLogFolder; OSError where it cannot be read."""
    if not path.is_dir():
        raise NoLogFolder(f"{path} is no folder")
    if partition is None and _PARTITION.fullmatch(path.name) and any(path.glob("*.log")):
        path, partition = path.parent, path.name
    folders = [named for one in path.iterdir() if one.is_dir() and (named := _PARTITION.fullmatch(one.name))]
    names = [named[0] for named in sorted(folders, key=lambda named: (named["topic"], int(named["number"]), named[0]))]
    if partition is not None:
        names = [name for name in names if name == partition or name.startswith(f"{partition}.")]
        if not names:
            raise NoLogFolder(f"{path} has no partition {partition!r} (a name is TOPIC-NUMBER)")
    elif not names and not (path / "meta.properties").exists():
        raise NoLogFolder(f"{path} is no log folder of Kafka: no meta.properties, and no folder of a partition")
    found = FolderRead(path=str(path))
    _read_marks(path, found)
    checkpoints = {name: _checkpoint(path / name, found) for name in CHECKPOINTS}
    found.partitions = [
        _read_partition(path / name, checkpoints, reads_records=partition is not None) for name in names
    ]
    return found


CHECKPOINTS: Final = (LOG_START_CHECKPOINT, HIGH_WATERMARK_CHECKPOINT, RECOVERY_CHECKPOINT, CLEANER_CHECKPOINT)


def _read_marks(path: Path, found: FolderRead) -> None:
    properties = path / "meta.properties"
    if properties.exists():
        lines = properties.read_text(encoding="utf-8", errors="replace").splitlines()
        pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
        found.properties = {name.strip(): value.strip() for name, _, value in pairs}
    mark = path / CLEAN_SHUTDOWN
    if mark.exists():
        found.was_stopped_in_order = True
        try:
            found.broker_epoch = int(json.loads(mark.read_text(encoding="utf-8"))["brokerEpoch"])
        except (ValueError, KeyError, TypeError):
            found.damages.append(Damage(file=mark.name, position=None, what="it has no broker epoch"))


def _checkpoint(path: Path, found: FolderRead) -> Mapping[TopicPartition, int]:
    try:
        return read_checkpoint(path)
    except (UnreadableLog, ValueError) as error:
        found.damages.append(Damage(file=path.name, position=None, what=str(error)))
        return {}


def _read_partition(
    folder: Path, checkpoints: Mapping[str, Mapping[TopicPartition, int]], *, reads_records: bool
) -> PartitionRead:
    named = _PARTITION.fullmatch(folder.name)
    if named is None:
        raise NoLogFolder(f"{folder} is not named TOPIC-NUMBER")
    key = named["topic"], int(named["number"])
    starts, marks, points, cleaned = (checkpoints[name].get(key) for name in CHECKPOINTS)
    found = PartitionRead(
        folder=folder.name,
        topic=key[0],
        partition=key[1],
        state=named["mark"] or "log",
        log_start=starts,
        high_watermark=marks,
        recovery_point=points,
        compacted_up_to=cleaned,
    )
    names = sorted(one.name for one in folder.iterdir() if one.is_file())
    logs = [name for name in names if re.fullmatch(r"\d{20}\.log", name)]
    for name in logs:
        found.segments.append(read_segment(folder / name, is_last=name == logs[-1], reads_records=reads_records))
    found.left_over = [name for name in names if name.endswith(_LEFT_OVER)]
    _read_small_files(folder, names, found)
    _look_for_holes(found)
    return found


def _read_small_files(folder: Path, names: list[str], found: PartitionRead) -> None:
    try:
        found.leader_epochs = list(read_epochs(folder / LEADER_EPOCH_CHECKPOINT))
    except (UnreadableLog, ValueError) as error:
        found.damages.append(Damage(file=LEADER_EPOCH_CHECKPOINT, position=None, what=str(error)))
    if "partition.metadata" in names:
        lines = (folder / "partition.metadata").read_text(encoding="utf-8", errors="replace").splitlines()
        found.topic_id = next(
            (line.removeprefix("topic_id: ") for line in lines if line.startswith("topic_id: ")), None
        )
        if found.topic_id is None:
            found.damages.append(Damage(file="partition.metadata", position=None, what="it has no topic_id"))
    for name in names:
        if name.endswith(".snapshot"):
            try:
                found.producer_snapshots[name] = _producers_in((folder / name).read_bytes())
            except (MalformedRequest, ValueError) as error:
                found.damages.append(Damage(file=name, position=None, what=str(error)))


def _producers_in(raw: bytes) -> int:
    if len(raw) < 6 or raw[:2] != struct.pack(">h", 1):
        raise ValueError("it is no producer snapshot of version 1")
    snapshot = decode(ProducerSnapshot, 1, raw[2:])
    if snapshot.crc != crc32c(raw[6:]):
        raise ValueError("it does not match its checksum")
    return len(snapshot.producer_entries)


def _look_for_holes(found: PartitionRead) -> None:
    """Only compaction makes holes; offsets never go back from one segment to the next."""
    for before, after in zip(found.segments, found.segments[1:], strict=False):
        if before.last_offset is not None and before.last_offset >= after.base_offset:
            what = f"it begins at offset {after.base_offset}, and the segment before it ends with {before.last_offset}"
            found.damages.append(Damage(file=after.file, position=None, what=what))
