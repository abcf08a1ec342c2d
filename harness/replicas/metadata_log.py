"""Reads a node's metadata log, records and snapshots, from its folder in Apache Kafka's format.

Source: KIP-630. A snapshot file is named by the offset after its last record, and that record's leader epoch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.replicas.replica_log import UnreadableLog
from reference_broker.wire.metadata_records import decode_frame
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.records import iter_batches

TOPIC: Final = "__cluster_metadata"
_FOLDER: Final = f"{TOPIC}-0"
_SEGMENT: Final = re.compile(r"\d{20}\.log")
_SNAPSHOT: Final = re.compile(r"(?P<end>\d{20})-(?P<epoch>\d{10})\.checkpoint")


@dataclass(frozen=True, slots=True)
class MetadataRecord:
    """One record, with its offset, leader epoch and batch."""

    offset: int
    epoch: int
    batch: int
    """The base offset of its batch. Batches are applied as a whole."""
    message: Any


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The records that reproduce the metadata up to `end`, exclusive."""

    end: int
    epoch: int
    records: tuple[MetadataRecord, ...]


@dataclass(frozen=True, slots=True)
class MetadataLog:
    """The metadata log of one node."""

    node: int
    records: tuple[MetadataRecord, ...]
    """The records in the segments, without control records."""
    start: int
    """The first offset of the first segment."""
    end: int
    """The offset after the last record, including control records."""
    snapshots: tuple[Snapshot, ...]
    """Sorted by their end."""


def read_metadata_log(node: int, log_dir: Path) -> MetadataLog:
    """Reads the metadata log in a log dir of a node. UnreadableLog if it does not exist or cannot be parsed."""
    folder = log_dir / _FOLDER
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as trouble:
        raise UnreadableLog(f"{folder}: cannot be listed: {trouble.strerror}") from trouble
    segments = [folder / name for name in names if _SEGMENT.fullmatch(name)]
    if not segments:
        raise UnreadableLog(f"{folder}: there is no segment (…00.log)")
    records: list[MetadataRecord] = []
    end = start = int(segments[0].stem)
    for segment in segments:
        found, last = _read(segment)
        records += found
        end = max(end, last)
    snapshots = []
    for name in names:
        if named := _SNAPSHOT.fullmatch(name):
            held, _ = _read(folder / name)
            snapshots.append(Snapshot(int(named["end"]), int(named["epoch"]), tuple(held)))
    return MetadataLog(node, tuple(records), start, end, tuple(snapshots))


def _read(path: Path) -> tuple[list[MetadataRecord], int]:
    """(records of a file without control records, the offset after the last batch)."""
    found: list[MetadataRecord] = []
    end = -1
    try:
        for batch in iter_batches(path.read_bytes()):
            header = batch.header
            end = header.next_offset
            if not header.is_control:
                found += [
                    MetadataRecord(
                        record.offset,
                        header.partition_leader_epoch,
                        header.base_offset,
                        decode_frame(bytes(record.value or b""))[0],
                    )
                    for record in batch.records()
                ]
    except (MalformedRequest, OSError) as trouble:
        raise UnreadableLog(f"{path}: {trouble}") from trouble
    return found, end
