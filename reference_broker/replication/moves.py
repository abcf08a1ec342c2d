"""Replicas that move from one log folder of this broker to another (KIP-113, KIP-858).

A copy of the log is made beside it, a part at a time. Once the copy has all, the controller is told of the new folder;
once it knows, the copy takes the log's place. So at no time does the metadata name a folder in which the log never was,
and after a crash on the way the folder that it names has the log or its copy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from reference_broker.environment import Now
from reference_broker.log.config import LogConfig
from reference_broker.log.log_directory import LogDirectory
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.replication import truncate_to_prefix
from reference_broker.replication.folder_news import TopicIdPartition
from reference_broker.replication.partition import Partition
from reference_broker.replication.placement import Placement
from reference_broker.replication.throttle import Throttle
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.records import iter_batches
from reference_broker.wire.refusal import KafkaError

MOST_BYTES: Final = 1 << 20
"""What is copied at once."""
LOOK_AGAIN_MS: Final = 100
NEVER_MS: Final = 1 << 62


class Assign(Protocol):
    """Tells the controller in which folder a replica is to be."""

    def __call__(self, replica: TopicIdPartition, directory_id: Uuid, now: Now, on_assigned: OnAssigned, /) -> None:
        """`on_assigned` is called once the controller knows."""


OnAssigned = Callable[[Now], None]


class Assignment(Enum):
    """What the controller knows of a move."""

    NONE = auto()
    QUEUED = auto()
    ACCEPTED = auto()


@dataclass(slots=True)
class Move:
    """One replica: `log` is the copy, in `folder`; `source` is where the log is."""

    partition: Partition
    source: LogDirectory
    folder: LogDirectory
    log: PartitionLog
    assignment: Assignment = Assignment.NONE
    next_at_ms: int = 0

    @property
    def key(self) -> tuple[str, int]:
        """The partition."""
        return self.partition.topic, self.partition.index

    @property
    def replica(self) -> TopicIdPartition:
        """The same by topic id."""
        return self.partition.topic_id, self.partition.index

    @property
    def lag(self) -> int:
        """How many offsets the copy lacks."""
        return self.partition.log.log_end_offset - self.log.log_end_offset


class Moves:
    """All of a broker; `placement` is told of those that are complete."""

    def __init__(
        self, *, placement: Placement, throttle: Throttle, assign: Assign, on_event: Callable[[str], None]
    ) -> None:
        self._placement, self._throttle, self._assign, self._on_event = placement, throttle, assign, on_event
        self._moves: dict[tuple[str, int], Move] = {}

    def find(self, key: tuple[str, int]) -> Move | None:
        """The move of a partition's replica."""
        return self._moves.get(key)

    def move(self, partition: Partition, folder: LogDirectory | None, now: Now) -> None:
        """Have a replica in another folder; one that is there, or on its way there, stays so.

        KAFKA_STORAGE_ERROR where that folder, or any, does not work: a copy could be made twice.
        """
        key = (partition.topic, partition.index)
        moving = self._moves.get(key)
        if moving is not None and moving.folder is folder:
            return
        self.cancel(key, now)
        if folder is self._placement.places[key]:
            return
        if folder is None or not folder.is_online or self._placement.folders.failures:
            raise KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, f"{partition} cannot move while a log folder is offline")
        self._begin(partition, folder)

    def resume(self, partition: Partition) -> None:
        """Go on with a move that an earlier run began."""
        key = (partition.topic, partition.index)
        for folder in self._placement.folders:
            is_other = folder is not self._placement.places[key]
            if is_other and any(found == key for found, _ in folder.futures.on_disk()):
                self._begin(partition, folder)
                return

    def _begin(self, partition: Partition, folder: LogDirectory) -> None:
        log, source = partition.log, self._placement.places[partition.topic, partition.index]
        copy = folder.futures.open(
            partition.topic, partition.index, partition.topic_id, log.config, start_offset=log.log_start_offset
        )
        truncate_to_prefix(copy, log)
        self._moves[partition.topic, partition.index] = Move(partition, source, folder, copy)
        self._on_event(f"{partition} moves from {source.path} to {folder.path}")

    def cancel(self, key: tuple[str, int], now: Now) -> None:
        """The replica stays where it is, and the controller is told so where it may know otherwise."""
        move = self._moves.pop(key, None)
        if move is None:
            return
        if move.folder.is_online:
            move.folder.futures.remove(key)
        if move.assignment is not Assignment.NONE:
            self._assign(move.replica, self._placement.folders.id_of(move.source), now, lambda now: None)

    def lose(self, folder: LogDirectory) -> None:
        """A folder has failed: nothing moves from it or into it."""
        for key, move in list(self._moves.items()):
            if folder in (move.source, move.folder):
                del self._moves[key]
                move.log.abandon()
                move.folder.futures.logs.pop(key, None)

    def on_truncated(self, partition: Partition) -> None:
        """A log was cut: its copy is cut, too, before anything else is appended."""
        move = self._moves.get((partition.topic, partition.index))
        if move is not None:
            move.log.truncate_to(min(move.log.log_end_offset, partition.log.log_end_offset))

    def reconfigure(self, key: tuple[str, int], config: LogConfig) -> None:
        """Let other settings count for a copy."""
        if (move := self._moves.get(key)) is not None:
            move.log.reconfigure(config)

    def next_deadline_ms(self) -> int:
        """When `on_time` must be called (monotonic)."""
        return min(move.next_at_ms for move in self._moves.values()) if self._moves else NEVER_MS

    def on_time(self, now: Now) -> None:
        """Copy a part of each log that moves; end the moves that are complete."""
        for key, move in list(self._moves.items()):
            if move.next_at_ms > now.monotonic_ms:
                continue
            try:
                self._go_on(move, now)
            except KafkaError as error:
                self._on_event(f"{move.partition} does not move to {move.folder.path}: {error.detail}")
                if key in self._moves:
                    move.next_at_ms = now.monotonic_ms + LOOK_AGAIN_MS

    def _go_on(self, move: Move, now: Now) -> None:
        if move.lag and self._throttle.is_exceeded(now.monotonic_ms):
            move.next_at_ms = now.monotonic_ms + LOOK_AGAIN_MS
            return
        if move.lag:
            self._throttle.record(self._copy(move, now), now.monotonic_ms)
        move.next_at_ms = now.monotonic_ms + (0 if move.lag else LOOK_AGAIN_MS)
        if move.lag:
            return
        if move.assignment is Assignment.NONE:
            move.assignment = Assignment.QUEUED
            directory_id = self._placement.folders.id_of(move.folder)
            self._assign(move.replica, directory_id, now, lambda at: self._on_assigned(move, at))
        elif move.assignment is Assignment.ACCEPTED:
            self._complete(move, now)

    def _complete(self, move: Move, now: Now) -> None:
        """The copy has all, and the controller knows: it takes the log's place.

        A crash between the two steps leaves the copy alone, in the folder that the metadata names: it is taken then.
        """
        partition, key = move.partition, move.key
        del self._moves[key]
        clean_up_to = move.source.clean_up_to.get(key)
        move.source.delete_log(*key, now.wall_ms)
        if clean_up_to is not None:
            move.folder.clean_up_to[key] = clean_up_to
        log = move.folder.promote_future(*key, partition.log.config)
        self._placement.places[key] = move.folder
        partition.move_to(log)
        self._on_event(f"{partition} is in {move.folder.path} now")

    def _on_assigned(self, move: Move, now: Now) -> None:
        if self._moves.get(move.key) is move:
            move.assignment, move.next_at_ms = Assignment.ACCEPTED, now.monotonic_ms

    def _copy(self, move: Move, now: Now) -> int:
        """The next part of the log; the number of bytes."""
        log, copy = move.partition.log, move.log
        if copy.log_end_offset < log.log_start_offset:
            copy.truncate_fully(log.log_start_offset)
        fetched = log.read(copy.log_end_offset, MOST_BYTES, log.log_end_offset, at_least_one_batch=True)
        if fetched.segment is None:
            return 0
        (piece,) = fetched.slices
        data = fetched.segment.file.read_at(piece.position, piece.size)
        for batch in iter_batches(data):
            if batch.header.base_offset < copy.log_end_offset:
                copy.truncate_fully(batch.header.base_offset)  # the log starts within its first batch
            copy.append_as_it_is(batch, now.wall_ms)
        copy.set_high_watermark(log.high_watermark)
        copy.raise_log_start(min(log.log_start_offset, copy.high_watermark))
        return len(data)
