"""The small text files beside the logs: offset checkpoints, leader epochs, partition.metadata, the clean-shutdown mark.

Each is replaced atomically. A file that cannot be right raises ValueError with its path.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from reference_broker.environment import Disk
from reference_broker.wire.primitives import ZERO_UUID, Uuid, parse_uuid, uuid_text

CLEAN_SHUTDOWN = ".kafka_cleanshutdown"
PARTITION_METADATA = "partition.metadata"
EPOCHS = "leader-epoch-checkpoint"

TopicPartition = tuple[str, int]


def _read_rows(disk: Disk, path: str, width: int) -> list[list[str]]:
    try:
        lines = disk.read(path).decode("utf-8").splitlines()
    except FileNotFoundError:
        return []
    if not lines:
        return []
    if lines[0].strip() != "0":
        raise ValueError(f"{path}: version {lines[0]!r} is unknown (only 0 is)")
    rows = [line.split(" ") for line in lines[2:] if line.strip()]
    if len(lines) < 2 or not lines[1].strip().isdigit() or int(lines[1]) != len(rows):
        raise ValueError(f"{path}: the count in line 2 does not match the {len(rows)} entries below it")
    if any(len(row) != width for row in rows):
        raise ValueError(f"{path}: an entry does not have {width} fields")
    return rows


def _write_rows(disk: Disk, path: str, rows: Iterable[tuple[object, ...]]) -> None:
    lines = [" ".join(str(field) for field in row) for row in rows]
    disk.write_atomically(path, "\n".join(["0", str(len(lines)), *lines, ""]).encode("utf-8"))


def read_offsets(disk: Disk, path: str) -> dict[TopicPartition, int]:
    """An offset checkpoint; empty where the file is absent."""
    return {(topic, int(partition)): int(offset) for topic, partition, offset in _read_rows(disk, path, 3)}


def write_offsets(disk: Disk, path: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Replace an offset checkpoint."""
    _write_rows(disk, path, ((topic, partition, offsets[topic, partition]) for topic, partition in sorted(offsets)))


class OffsetsWrite:
    """An offset checkpoint to replace as a flush, perhaps in another thread: `disk` and `offsets` are for it alone."""

    def __init__(self, disk: Disk, path: str, offsets: Mapping[TopicPartition, int]) -> None:
        self._disk, self._path, self._offsets = disk, path, offsets

    def flush(self) -> None:
        """Return only when it is on stable storage."""
        write_offsets(self._disk, self._path, self._offsets)


def read_epochs(disk: Disk, path: str) -> list[tuple[int, int]]:
    """A leader-epoch checkpoint: (epoch, start offset), ascending."""
    entries = [(int(epoch), int(start)) for epoch, start in _read_rows(disk, path, 2)]
    if entries != sorted(entries):
        raise ValueError(f"{path}: the epochs do not ascend")
    return entries


def write_epochs(disk: Disk, path: str, entries: Iterable[tuple[int, int]]) -> None:
    """Replace a leader-epoch checkpoint."""
    _write_rows(disk, path, entries)


def read_topic_id(disk: Disk, directory: str) -> Uuid:
    """The topic id of a partition's folder; ZERO_UUID where its file is absent."""
    path = f"{directory}/{PARTITION_METADATA}"
    try:
        lines = disk.read(path).decode("utf-8").splitlines()
    except FileNotFoundError:
        return ZERO_UUID
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    if "topic_id" not in fields:
        raise ValueError(f"{path}: there is no topic_id")
    return parse_uuid(fields["topic_id"])


def write_topic_id(disk: Disk, directory: str, topic_id: Uuid) -> None:
    """Write a partition's folder's topic id."""
    disk.write_atomically(f"{directory}/{PARTITION_METADATA}", _topic_id_text(topic_id))


def write_topic_id_plainly(disk: Disk, directory: str, topic_id: Uuid) -> None:
    """The same where nothing is there yet, without a flush: a loss of power may leave less than the whole file."""
    path = f"{directory}/{PARTITION_METADATA}"
    if not disk.exists(path):
        disk.write_plainly(path, _topic_id_text(topic_id))


def _topic_id_text(topic_id: Uuid) -> bytes:
    return f"version: 0\ntopic_id: {uuid_text(topic_id)}\n".encode()


def take_clean_shutdown(disk: Disk, directory: str) -> int | None:
    """The broker epoch of a clean shutdown, and the mark removed; None when the last stop was not clean."""
    path = f"{directory}/{CLEAN_SHUTDOWN}"
    if not disk.exists(path):
        return None
    try:
        epoch = int(json.loads(disk.read(path)).get("brokerEpoch", -1))
    except (ValueError, AttributeError):
        epoch = -1
    disk.remove(path)
    return epoch


def mark_clean_shutdown(disk: Disk, directory: str, broker_epoch: int) -> None:
    """Say that everything below was closed in order."""
    content = json.dumps({"version": 0, "brokerEpoch": broker_epoch}, separators=(",", ":"))
    disk.write_atomically(f"{directory}/{CLEAN_SHUTDOWN}", content.encode())
