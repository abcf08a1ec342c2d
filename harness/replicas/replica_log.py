"""Reads a partition's folder in Apache Kafka's format: batches, leader epochs, log start offset.

The broker may be running: bytes after the last complete batch of the last segment count as a write in progress; in an
earlier segment they are an error. Source: Kafka documentation, "Log" and "Message Format"; KIP-101 for the leader
epochs.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.replicas.segment_batches import SegmentBatches
from reference_broker.wire.records import Batch

_SEGMENT = re.compile(r"\d{20}\.log")
_PARTITION = re.compile(r"(?P<topic>.+)-(?P<number>\d+)")
LOG_START_CHECKPOINT = "log-start-offset-checkpoint"
HIGH_WATERMARK_CHECKPOINT = "replication-offset-checkpoint"
LEADER_EPOCH_CHECKPOINT = "leader-epoch-checkpoint"

TopicPartition = tuple[str, int]


class UnreadableLog(ValueError):
    """A folder is not a readable log; the message says what is wrong in which file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBatch:
    """A batch in a segment, without its records."""

    base_offset: int
    last_offset: int
    leader_epoch: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records: int
    is_control: bool
    is_transactional: bool
    digest: int
    """CRC-32 of all its bytes, to compare batches."""
    is_sound: bool
    """Whether its CRC-32C is correct."""
    place: str
    """File and position: "00000000000000000000.log at 4,096"."""

    @property
    def last_sequence(self) -> int:
        """Sequence number of the last record, which wraps at 2^31; -1 without an idempotent producer."""
        if self.base_sequence < 0:
            return -1
        return (self.base_sequence + self.last_offset - self.base_offset) & 0x7FFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaLog:
    """One replica of one partition."""

    node: int
    batches: tuple[StoredBatch, ...]
    """In the order of the files."""
    leader_epochs: tuple[tuple[int, int], ...]
    """(leader epoch, its start offset), from the leader epoch checkpoint."""
    log_start: int
    """The log start offset: from the checkpoint, but at least the base offset of the first segment."""
    high_watermark: int
    """From the checkpoint, so it may lag behind the replica's; 0 if it is not in the checkpoint."""
    trailing_bytes: int = 0
    """Bytes after the last complete batch: a write in progress, or an interrupted one."""

    @property
    def log_end(self) -> int:
        """The offset after the last batch."""
        return self.batches[-1].last_offset + 1 if self.batches else self.log_start


def read_replica(node: int, log_dir: Path, topic: str, partition: int) -> ReplicaLog:
    """Reads a replica from a log dir of a node. UnreadableLog if it does not exist or is not a log."""
    folder = log_dir / f"{topic}-{partition}"
    segments = sorted(path for path in _listed(folder) if _SEGMENT.fullmatch(path.name))
    if not segments:
        raise UnreadableLog(
            f"{folder}: there is no segment (…00.log); is partition {topic}-{partition} on node {node}?"
        )
    batches: list[StoredBatch] = []
    trailing = 0
    for number, segment in enumerate(segments):
        found, trailing = _read_segment(segment)
        if trailing and number < len(segments) - 1:
            raise UnreadableLog(f"{segment}: {trailing:,} bytes behind the last whole batch, and later segments follow")
        batches += found
    starts = read_checkpoint(log_dir / LOG_START_CHECKPOINT)
    marks = read_checkpoint(log_dir / HIGH_WATERMARK_CHECKPOINT)
    key = topic, partition
    return ReplicaLog(
        node=node,
        batches=tuple(batches),
        leader_epochs=read_epochs(folder / LEADER_EPOCH_CHECKPOINT),
        log_start=max(starts.get(key, 0), int(segments[0].stem)),
        high_watermark=marks.get(key, 0),
        trailing_bytes=trailing,
    )


def partitions_in(log_dir: Path) -> list[TopicPartition]:
    """The partitions with a folder in a log dir, sorted; not folders with a suffix (deleted, future, stray)."""
    found = [_PARTITION.fullmatch(path.name) for path in _listed(log_dir) if path.is_dir()]
    return sorted((match["topic"], int(match["number"])) for match in found if match)


def read_checkpoint(path: Path) -> Mapping[TopicPartition, int]:
    """Reads an offset checkpoint: partition → offset; empty if there is no file. UnreadableLog if it is damaged."""
    return {(topic, int(number)): int(offset) for topic, number, offset in _rows(path, 3)}


def read_epochs(path: Path) -> tuple[tuple[int, int], ...]:
    """Reads a leader epoch checkpoint: (epoch, start offset). UnreadableLog if it is damaged."""
    return tuple((int(epoch), int(start)) for epoch, start in _rows(path, 2))


def _rows(path: Path, width: int) -> list[list[str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    rows = [line.split(" ") for line in lines[2:] if line]
    is_whole = lines[:1] == ["0"] and lines[1:2] == [str(len(rows))] and all(len(row) == width for row in rows)
    if lines and not is_whole:
        raise UnreadableLog(f"{path}: not a checkpoint of version 0 whose second line counts its {len(rows)} entries")
    return rows


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as trouble:
        raise UnreadableLog(f"{folder}: cannot be listed: {trouble.strerror}") from trouble


def _read_segment(path: Path) -> tuple[list[StoredBatch], int]:
    """(batches, number of bytes after the last one that is whole and of Kafka's present format)."""
    batches = SegmentBatches(path)
    found: list[StoredBatch] = []
    for position, batch in batches:
        if batch.header.magic != 2:
            return found, batches.size_bytes - position
        found.append(_stored(batch, f"{path.name} at {position:,}"))
    return found, batches.rest_bytes


def _stored(batch: Batch, place: str) -> StoredBatch:
    header = batch.header
    return StoredBatch(
        base_offset=header.base_offset,
        last_offset=header.last_offset,
        leader_epoch=header.partition_leader_epoch,
        producer_id=header.producer_id,
        producer_epoch=header.producer_epoch,
        base_sequence=header.base_sequence,
        records=header.records_count,
        is_control=header.is_control,
        is_transactional=header.is_transactional,
        digest=zlib.crc32(batch.data),
        is_sound=batch.crc_is_valid(),
        place=place,
    )
