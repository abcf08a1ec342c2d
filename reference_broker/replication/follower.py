"""A broker that follows a partition's leader: its log becomes the leader's, byte for byte.

It appends what the leader sends as it came, and truncates where the leader says that the logs part. What is left is a
prefix of the leader's log; the high watermark follows the leader's, never beyond the own log's end.

Source: KIP-101, KIP-279 and KIP-595 (truncation by leader epoch), KIP-107 (the log's start follows the leader's).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_broker.log.partition_log import PartitionLog
from reference_broker.replication.local_broker import LocalBroker
from reference_broker.replication.reading import NO_EPOCH
from reference_broker.replication.throttle import is_throttled
from reference_broker.wire.messages.fetch_response import PartitionData

if TYPE_CHECKING:
    from reference_broker.metadata.topics import PartitionImage


class Follower:
    """Begins with the metadata that names another leader, or none (`leader` is -1 then)."""

    __slots__ = ("_local", "_on_truncated", "epoch", "key", "leader", "log", "partition_epoch", "replica_ids")

    def __init__(self, log: PartitionLog, key: object, local: LocalBroker, on_truncated: Callable[[], None]) -> None:
        """`on_truncated` is called after the log was cut, before anything else is appended."""
        self.log, self.key, self._local, self._on_truncated = log, key, local, on_truncated
        self.leader, self.epoch, self.partition_epoch = -1, NO_EPOCH, -1
        self.replica_ids: tuple[int, ...] = ()

    def update(self, image: PartitionImage) -> None:
        """Take over what the controller decided."""
        self.leader, self.replica_ids, self.partition_epoch = image.leader, image.replicas, image.partition_epoch
        if image.leader_epoch > self.epoch:
            self.epoch = image.leader_epoch
            if self.log.epochs.latest == NO_EPOCH:
                # Without an epoch the leader cannot tell where the logs part: only what was committed is sure.
                self._truncate_to(self.log.high_watermark)

    @property
    def is_throttled(self) -> bool:
        """Whether what is fetched of this partition counts for the throttle of followers (KIP-73)."""
        listed = self.log.config.follower_replication_throttled_replicas
        return bool(listed) and is_throttled(listed, self.log.partition, self._local.node_id)

    @property
    def last_fetched_epoch(self) -> int:
        """The epoch of the last record, by which the leader sees whether the logs part before it; -1 without any."""
        return self.log.epochs.latest

    def take(self, data: PartitionData, now_ms: int) -> int:
        """Append what the leader sent and follow its high watermark and log start; the number of bytes.

        CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR: nothing is appended.
        """
        log = self.log
        before = (log.high_watermark, log.log_start_offset)
        size = log.append_as_follower(data.records, self.epoch, now_ms) if data.records else 0
        if data.high_watermark > log.high_watermark:
            log.set_high_watermark(data.high_watermark)
        log.raise_log_start(min(data.log_start_offset, log.high_watermark))
        if (log.high_watermark, log.log_start_offset) != before:
            self._local.touch(self.key)
        return size

    def truncate_for(self, epoch: int, end_offset: int) -> None:
        """Cut what the leader lacks: its largest epoch not above the last one here is `epoch`, which ended there.

        Where that epoch is unknown here the end of the next lower one is taken; the next fetch goes on from there.
        """
        log = self.log
        found, own_end = log.end_offset_for_epoch(epoch)
        if found < 0:
            target = end_offset
        elif found != epoch:
            target = own_end
        else:
            target = min(own_end, end_offset)
        self._truncate_to(target)

    def go_back_to(self, leader_end: int) -> bool:
        """The leader's log ends before this one does, after an unclean election: cut the rest. False where it does
        not."""
        if leader_end >= self.log.log_end_offset:
            return False
        self._truncate_to(leader_end)
        return True

    def start_over_at(self, leader_start: int) -> None:
        """The leader's log starts after this one ends: all that is here is outdated."""
        if leader_start > self.log.log_end_offset:
            self._local.on_event(
                f"{self.log.name}: the log ends at {self.log.log_end_offset}, the leader's starts at {leader_start}: "
                "all of it goes"
            )
            self.log.truncate_fully(leader_start)
            self._on_truncated()
            self._local.touch(self.key)

    def _truncate_to(self, offset: int) -> None:
        log = self.log
        if offset < log.high_watermark:
            self._local.on_event(
                f"{log.name}: truncated to {offset}, below the high watermark {log.high_watermark}: records that were "
                "committed are lost by an unclean election"
            )
        log.truncate_to(offset)
        self._on_truncated()
        self._local.touch(self.key)
