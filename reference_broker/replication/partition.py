"""A partition that this broker hosts: its log, who leads it, and what readers may see of it.

Source: KIP-101 and KIP-279 (leader epochs), KIP-392 (reading from followers), KIP-966 (strict min.insync.replicas).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

from reference_broker.log.config import LogConfig
from reference_broker.log.partition_log import Appended, PartitionLog
from reference_broker.log.transaction_index import AbortedTransaction
from reference_broker.metadata.topics import INTERNAL_TOPICS, PartitionImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Buffer, FileSlice, Uuid
from reference_broker.wire.records import Batch, BatchHeader
from reference_broker.wire.refusal import KafkaError

ALL_IN_SYNC: Final = -1
"""acks: the answer waits for every replica in sync."""
NO_EPOCH: Final = -1
HIGH_WATERMARK: Final = -1
"""DeleteRecords: everything that readers may see."""


def partition_key(topic_id: Uuid, index: int) -> Hashable:
    """What a parked request waits on when it waits for a partition: its end, its high watermark, its leadership."""
    return ("partition", topic_id, index)


class Read(NamedTuple):
    """What a fetch found. `diverging` is (epoch, end offset) where the reader's log has gone another way (KIP-595)."""

    high_watermark: int
    last_stable_offset: int
    log_start_offset: int
    slices: tuple[FileSlice, ...]
    size: int
    aborted: list[AbortedTransaction] | None
    diverging: tuple[int, int] | None


class Partition:
    """Made and kept up to date by `Partitions`. `touch` is told the key when anything of it changed."""

    __slots__ = (
        "epoch_start_offset",
        "index",
        "is_gone",
        "is_internal",
        "is_leader",
        "isr",
        "key",
        "leader",
        "leader_epoch",
        "log",
        "min_isr",
        "node_id",
        "partition_epoch",
        "replicas",
        "topic",
        "topic_id",
        "touch",
    )

    def __init__(self, *, node_id: int, log: PartitionLog, touch: Callable[[Hashable], None]) -> None:
        self.node_id, self.log, self.touch = node_id, log, touch
        self.topic, self.topic_id, self.index = log.topic, log.topic_id, log.partition
        self.key = partition_key(log.topic_id, log.partition)
        self.is_internal = log.topic in INTERNAL_TOPICS
        self.leader, self.leader_epoch, self.partition_epoch = -1, NO_EPOCH, -1
        self.is_leader, self.is_gone = False, False
        self.isr: tuple[int, ...] = ()
        self.replicas: tuple[int, ...] = ()
        self.epoch_start_offset = -1
        self.min_isr = 1

    # -- leadership ---------------------------------------------------------------------------------------------

    def update(self, image: PartitionImage) -> None:
        """Take over what the controller decided. A new leadership begins at the log's end, which the log notes."""
        if image.partition_epoch < self.partition_epoch:
            return
        self.replicas, self.isr, self.partition_epoch = image.replicas, image.isr, image.partition_epoch
        self.leader, self.is_leader = image.leader, image.leader == self.node_id
        if image.leader_epoch > self.leader_epoch and self.is_leader:
            self.epoch_start_offset = self.log.log_end_offset
            self.log.epochs.assign(image.leader_epoch, self.epoch_start_offset)
        self.leader_epoch = image.leader_epoch
        self._count_min_isr()
        self.advance_high_watermark()
        self.touch(self.key)

    def reconfigure(self, config: LogConfig) -> None:
        """Let other settings count from now on."""
        self.log.reconfigure(config)
        self._count_min_isr()
        self.advance_high_watermark()
        self.touch(self.key)

    def leave(self) -> None:
        """The partition is deleted, or its folder offline: whoever waits for it must look again."""
        self.is_gone, self.is_leader = True, False
        self.touch(self.key)

    def _count_min_isr(self) -> None:
        self.min_isr = min(self.log.config.min_insync_replicas, len(self.replicas))

    def advance_high_watermark(self) -> None:
        """What every replica in sync has, readers may see. This node is the only replica, so that is its log's end.

        Not while there are fewer replicas in sync than min.insync.replicas (KIP-966).
        """
        if self.is_leader and len(self.isr) >= self.min_isr:
            self.log.high_watermark = self.log.log_end_offset

    def check_epoch(self, epoch: int) -> None:
        """The leader epoch that a client knows, -1 for none: FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH."""
        if epoch == self.leader_epoch or epoch == NO_EPOCH:
            return
        known = f"the client knows leader epoch {epoch} of {self}, {self.leader_epoch} is current"
        if epoch < self.leader_epoch:
            raise KafkaError(ErrorCode.FENCED_LEADER_EPOCH, known)
        raise KafkaError(ErrorCode.UNKNOWN_LEADER_EPOCH, known)

    def checked_log(self, epoch: int, *, only_leader: bool) -> PartitionLog:
        """The log, for a client that knows a leader epoch. Adds NOT_LEADER_OR_FOLLOWER to `check_epoch`'s refusals."""
        self.check_epoch(epoch)
        if only_leader and not self.is_leader:
            raise self._not_leader()
        return self.log

    def _not_leader(self) -> KafkaError:
        return KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER, f"broker {self.node_id} does not lead {self}")

    # -- writing ------------------------------------------------------------------------------------------------

    def append_from_client(self, batch: Batch, acks: int, now_ms: int) -> Appended:
        """Validate and append a producer's batch.

        NOT_LEADER_OR_FOLLOWER; NOT_ENOUGH_REPLICAS where acks=-1 asks for more than are in sync; and the refusals of
        `PartitionLog.append_batch`.
        """
        self._check_writable(acks)
        appended = self.log.append_batch(batch, self.leader_epoch, now_ms)
        self._after_append()
        return appended

    def append_own(self, batch: Buffer, now_ms: int) -> Appended:
        """Append a batch that this node made itself, as a producer with acks=-1 would."""
        self._check_writable(ALL_IN_SYNC)
        appended = self.log.append_own(batch, self.leader_epoch, now_ms)
        self._after_append()
        return appended

    def begin_verification(self, header: BatchHeader, now_ms: int, *, begins_at_zero: bool, checks_epoch: bool) -> bool:
        """Whether a transaction's coordinator must be asked before its batch is appended; notes that it is.

        NOT_LEADER_OR_FOLLOWER; the refusals of `ProducerState.begin_verification`.
        """
        if not self.is_leader:
            raise self._not_leader()
        return self.log.producers.begin_verification(
            header, now_ms, begins_at_zero=begins_at_zero, checks_epoch=checks_epoch
        )

    def _check_writable(self, acks: int) -> None:
        if not self.is_leader:
            raise self._not_leader()
        if acks == ALL_IN_SYNC and len(self.isr) < self.min_isr:
            raise KafkaError(
                ErrorCode.NOT_ENOUGH_REPLICAS,
                f"{len(self.isr)} replicas of {self} are in sync, min.insync.replicas asks for {self.min_isr}",
            )

    def _after_append(self) -> None:
        self.advance_high_watermark()
        self.touch(self.key)

    def acknowledgement(self, required_offset: int) -> ErrorCode | None:
        """Whether acks=-1 is answered for records below an offset: NONE, an error, or None while it must wait."""
        if self.is_gone or not self.is_leader:
            return ErrorCode.NOT_LEADER_OR_FOLLOWER
        if self.log.high_watermark < required_offset:
            return None
        return ErrorCode.NONE if self.min_isr <= len(self.isr) else ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND

    def delete_records(self, offset: int, *, needs_policy: bool = False) -> int:
        """Raise the log's start; the low watermark. -1 stands for the high watermark.

        NOT_LEADER_OR_FOLLOWER, POLICY_VIOLATION for a log that is compacted only (with `needs_policy` also for one
        without a policy), OFFSET_OUT_OF_RANGE.
        """
        if not self.is_leader:
            raise self._not_leader()
        log = self.log
        if (log.config.is_compacted or needs_policy) and not log.config.has_deletion:
            raise KafkaError(ErrorCode.POLICY_VIOLATION, f"the cleanup policy of {self} does not allow deletion")
        target = log.high_watermark if offset == HIGH_WATERMARK else offset
        if not 0 <= target <= log.high_watermark:
            raise KafkaError(
                ErrorCode.OFFSET_OUT_OF_RANGE,
                f"{self} has no offset {target}: its high watermark is {log.high_watermark}",
            )
        log.raise_log_start(target)
        self.touch(self.key)
        return log.log_start_offset

    # -- reading ------------------------------------------------------------------------------------------------

    @property
    def high_watermark(self) -> int:
        """The end of what readers may see."""
        return self.log.high_watermark

    @property
    def is_behind_its_epoch(self) -> bool:
        """Whether a new leader does not know yet what was acknowledged before it (KIP-207)."""
        return self.epoch_start_offset > self.log.high_watermark

    def read(
        self,
        offset: int,
        max_bytes: int,
        *,
        epoch: int,
        last_fetched_epoch: int = NO_EPOCH,
        is_committed: bool = False,
        only_leader: bool = True,
        at_least_one_batch: bool = True,
    ) -> Read:
        """Whole batches from an offset on, up to the high watermark, or the last stable offset if `is_committed`.

        `epoch` is the leader epoch that the reader knows. OFFSET_OUT_OF_RANGE, also where the log knows nothing of
        `last_fetched_epoch`; and the refusals of `checked_log`.
        """
        log = self.checked_log(epoch, only_leader=only_leader)
        high_watermark, start = log.high_watermark, log.log_start_offset
        stable = log.last_stable_offset
        if last_fetched_epoch != NO_EPOCH:
            diverging = self._divergence(offset, last_fetched_epoch)
            if diverging is not None:
                return Read(high_watermark, stable, start, (), 0, None, diverging)
        up_to = stable if is_committed else high_watermark
        fetched = log.read(offset, max_bytes, up_to, at_least_one_batch=at_least_one_batch)
        # Kafka forgets what it knows of transactions where it takes back the beginning of a batch.
        tells_aborted = is_committed and not fetched.is_cut_short
        aborted = log.aborted_transactions(offset, fetched) if tells_aborted else None
        return Read(high_watermark, stable, start, fetched.slices, fetched.size, aborted, None)

    def _divergence(self, offset: int, last_fetched_epoch: int) -> tuple[int, int] | None:
        """(epoch, end offset) where the reader's last epoch ended earlier here; None where both logs agree so far."""
        found, end = self.log.end_offset_for_epoch(last_fetched_epoch)
        if found < 0 or offset < self.log.log_start_offset:
            raise KafkaError(
                ErrorCode.OFFSET_OUT_OF_RANGE,
                f"{self}: offset {offset} after epoch {last_fetched_epoch} is not here "
                f"({self.log.log_start_offset}..{self.log.log_end_offset})",
            )
        return (found, end) if found < last_fetched_epoch or end < offset else None

    def end_of_epoch(self, current_epoch: int, epoch: int) -> tuple[int, int]:
        """(largest epoch not above the one asked for, its end offset); (-1, -1) where it is unknown. Leader only."""
        return self.checked_log(current_epoch, only_leader=True).end_offset_for_epoch(epoch)

    def __str__(self) -> str:
        return f"{self.topic}-{self.index}"
