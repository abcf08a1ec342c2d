"""A partition that this broker hosts: its log, and the role that the broker plays in it.

Its role follows from `roles`. What only a leader does is refused by every other role.

Source: KIP-101 and KIP-279 (leader epochs), KIP-392 (reading from followers), KIP-631 (roles by metadata).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from reference_broker.environment import Now
from reference_broker.log.config import LogConfig
from reference_broker.log.partition_log import Appended, PartitionLog
from reference_broker.metadata.topics import INTERNAL_TOPICS
from reference_broker.replication.alter_partition import AlterPartitions
from reference_broker.replication.flush_waiters import BeginFlush, FlushWaiters
from reference_broker.replication.follower import Follower
from reference_broker.replication.leader import ALL_IN_SYNC, FollowerFetch, Leader
from reference_broker.replication.local_broker import LocalBroker
from reference_broker.replication.offline import Dropped, Loaded, Offline
from reference_broker.replication.reading import NO_EPOCH, Read, diverged, divergence
from reference_broker.replication.replica import Contact
from reference_broker.replication.replication_waiters import OnReplicated
from reference_broker.replication.roles import TRANSITIONS, Event, Role, WrongTransition
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Buffer
from reference_broker.wire.records import Batch, BatchHeader
from reference_broker.wire.refusal import KafkaError

if TYPE_CHECKING:
    from reference_broker.metadata.topics import PartitionImage

__all__ = ["ALL_IN_SYNC", "HIGH_WATERMARK", "NO_EPOCH", "FollowerFetch", "Partition", "Read", "Reader"]

HIGH_WATERMARK: Final = -1
"""DeleteRecords: everything that readers may see."""


class Reader(Protocol):
    """Who waits for a partition to change: its end, its high watermark, its leadership."""

    def on_change(self, partition: Partition, now: Now) -> None:
        """Look at the partition again; a reader that has seen enough ends its watch."""


class Partition:
    """Made and kept up to date by `Partitions`. `is_leader`, `leader` and the epochs are those of the role.

    Those who wait for it are told of a change by `wake`. A partition that has somebody to wake gives itself to
    `on_touched`; the node calls `wake` when the request in progress is answered.
    """

    __slots__ = (
        "_alter_partitions",
        "_flushes",
        "_is_touched",
        "_local",
        "_on_flushed",
        "_on_touched",
        "_on_truncated",
        "_outcomes",
        "_readers",
        "index",
        "is_internal",
        "is_leader",
        "leader",
        "leader_epoch",
        "log",
        "role",
        "topic",
        "topic_id",
    )

    def __init__(
        self,
        *,
        log: PartitionLog,
        local: LocalBroker,
        alter_partitions: AlterPartitions | None = None,
        on_truncated: Callable[[], None] = lambda: None,
        on_touched: Callable[[Partition], None] = lambda partition: None,
        begin_flush: BeginFlush | None = None,
        on_flushed: Callable[[Partition], None] = lambda partition: None,
    ) -> None:
        """`on_truncated` is called when the log was cut by a follower, `on_flushed` after a flush that flush.messages
        asks for."""
        self.log, self._local, self._alter_partitions = log, local, alter_partitions
        self._on_truncated, self._on_touched = on_truncated, on_touched
        self._is_touched = False
        self._readers: dict[Reader, None] = {}
        self._outcomes: list[Callable[[Now], None]] = []
        self.topic, self.topic_id, self.index = log.topic, log.topic_id, log.partition
        self.is_internal = log.topic in INTERNAL_TOPICS
        self.role: Role = Loaded()
        self.is_leader, self.leader, self.leader_epoch = False, -1, NO_EPOCH
        self._on_flushed = on_flushed
        self._flushes = FlushWaiters(log, begin_flush, self._note_flushed)

    # -- those who wait -----------------------------------------------------------------------------------------

    def watch(self, reader: Reader) -> None:
        """Tell a reader of every change from now on."""
        self._readers[reader] = None

    def unwatch(self, reader: Reader) -> None:
        """Tell it no more; no error where it does not watch."""
        self._readers.pop(reader, None)

    def await_offset(self, required_offset: int, then: Callable[[ErrorCode, Now], None]) -> None:
        """Tell what `when_replicated` tells, but only when the request in progress is answered."""
        self.when_replicated(required_offset, partial(self._note_outcome, then))

    def await_flush(self, required_offset: int, then: Callable[[ErrorCode, Now], None]) -> None:
        """Tell once the records below an offset are flushed, but only when the request in progress is answered."""
        self._flushes.add(required_offset, partial(self._note_outcome, then))

    def _note_flushed(self) -> None:
        if isinstance(self.role, Leader) and self.role.advance_high_watermark():
            self.touch()
        self._on_flushed(self)

    def _note_outcome(self, then: Callable[[ErrorCode, Now], None], code: ErrorCode) -> None:
        self._outcomes.append(partial(then, code))
        self.touch()

    def touch(self) -> None:
        """Something changed: have those who wait told soon."""
        if not self._is_touched and (self._readers or self._outcomes):
            self._is_touched = True
            self._on_touched(self)

    def wake(self, now: Now) -> None:
        """Tell those who wait. What they do may touch the partition again."""
        self._is_touched = False
        outcomes, self._outcomes = self._outcomes, []
        for tell in outcomes:
            tell(now)
        for reader in list(self._readers):
            reader.on_change(self, now)

    # -- roles --------------------------------------------------------------------------------------------------

    def update(self, image: PartitionImage, now: Now) -> None:
        """Take over what the controller decided; what is older than the known partition epoch is passed over."""
        if image.partition_epoch < self.partition_epoch:
            return
        if image.leader == self._local.node_id:
            self._enter(Event.MADE_LEADER)
        else:
            self._enter(Event.MADE_FOLLOWER)
        role = self.role
        if isinstance(role, Leader):
            role.update(image, now)
        elif isinstance(role, Follower):
            role.update(image)
        self.is_leader, self.leader, self.leader_epoch = isinstance(role, Leader), image.leader, image.leader_epoch
        self.touch()

    def fail(self) -> None:
        """The log folder has failed: whoever waits for the partition must look again."""
        self._flushes.end(ErrorCode.KAFKA_STORAGE_ERROR)
        self._leave(Event.FOLDER_FAILED)

    def leave(self) -> None:
        """The partition is not hosted any more: whoever waits for it must look again."""
        self._flushes.end(ErrorCode.NONE)  # it was appended, and nobody needs it any more
        self._leave(Event.DROPPED)

    def _leave(self, event: Event) -> None:
        self._enter(event)
        self.is_leader = False
        self.touch()

    def _enter(self, event: Event) -> None:
        before, kind = self.role, TRANSITIONS.get((type(self.role), event))
        if kind is None:
            raise WrongTransition(f"{self} is {type(before).__name__}: {event.name} cannot happen to it")
        if kind is type(before):
            return
        if kind is Leader:
            self.role = Leader(self.log, self, self._local, self._alter_partitions)
        elif kind is Follower:
            self.role = Follower(self.log, self, self._local, self._on_truncated)
        else:
            self.role = Offline() if kind is Offline else Dropped()
        if isinstance(before, Leader):
            before.resign(ErrorCode.NOT_LEADER_OR_FOLLOWER if kind is not Offline else ErrorCode.KAFKA_STORAGE_ERROR)

    def move_to(self, log: PartitionLog) -> None:
        """The log is in another folder from now on: the same records, by another object."""
        before = self.log
        log.set_high_watermark(before.high_watermark)
        log.raise_log_start(before.log_start_offset)
        log.epochs.replace(list(before.epochs.entries), 0)
        log.last_flush_ms = before.last_flush_ms
        self.log = log
        if isinstance(self.role, (Leader, Follower)):
            self.role.log = log
        self._flushes.take_over(log)
        self.touch()

    def reconfigure(self, config: LogConfig) -> None:
        """Let other settings count from now on."""
        self.log.reconfigure(config)
        if isinstance(self.role, Leader):
            self.role.count_min_isr()
            self.role.advance_high_watermark()
        self.touch()

    @property
    def is_gone(self) -> bool:
        """Whether it is not served here any more."""
        return isinstance(self.role, (Offline, Dropped))

    @property
    def partition_epoch(self) -> int:
        """The latest that is known; -1 without a role."""
        return self.role.partition_epoch if isinstance(self.role, (Leader, Follower)) else -1

    @property
    def replicas(self) -> tuple[int, ...]:
        """All brokers that have a replica, the preferred leader first."""
        return self.role.replica_ids if isinstance(self.role, (Leader, Follower)) else ()

    @property
    def isr(self) -> tuple[int, ...]:
        """The committed ISR, where this broker leads."""
        return self.role.isr.committed if isinstance(self.role, Leader) else ()

    @property
    def led(self) -> Leader:
        """The leader's part. NOT_LEADER_OR_FOLLOWER: another broker leads; KAFKA_STORAGE_ERROR: it is offline."""
        role = self.role
        if isinstance(role, Leader):
            return role
        code = ErrorCode.NOT_LEADER_OR_FOLLOWER if isinstance(role, Follower) else role.code
        raise KafkaError(code, f"broker {self._local.node_id} does not lead {self}")

    def check_epoch(self, epoch: int) -> None:
        """The leader epoch that a client knows, -1 for none: FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH."""
        if epoch == self.leader_epoch or epoch == NO_EPOCH:
            return
        known = f"the client knows leader epoch {epoch} of {self}, {self.leader_epoch} is current"
        if epoch < self.leader_epoch:
            raise KafkaError(ErrorCode.FENCED_LEADER_EPOCH, known)
        raise KafkaError(ErrorCode.UNKNOWN_LEADER_EPOCH, known)

    def checked_log(self, epoch: int, *, only_leader: bool) -> PartitionLog:
        """The log, for a client that knows a leader epoch. Adds the refusals of `led` to those of `check_epoch`."""
        self.check_epoch(epoch)
        return self.led.log if only_leader else self.log

    # -- writing ------------------------------------------------------------------------------------------------

    def append_from_client(self, batch: Batch, acks: int, now_ms: int) -> Appended:
        """Validate and append a producer's batch: see `Leader`. The refusals of `led`."""
        role = self.role
        return (role if isinstance(role, Leader) else self.led).append_from_client(batch, acks, now_ms)

    def append_own(self, batch: Buffer, now_ms: int) -> Appended:
        """Append a batch that this node made itself: see `Leader`. The refusals of `led`."""
        return self.led.append_own(batch, now_ms)

    def begin_verification(self, header: BatchHeader, now_ms: int, *, begins_at_zero: bool, checks_epoch: bool) -> bool:
        """Whether a transaction's coordinator must be asked before its batch is appended; notes that it is.

        The refusals of `led` and of `ProducerState.begin_verification`.
        """
        return self.led.log.producers.begin_verification(
            header, now_ms, begins_at_zero=begins_at_zero, checks_epoch=checks_epoch
        )

    def acknowledgement(self, required_offset: int) -> ErrorCode | None:
        """Whether acks=-1 is answered for records below an offset: NONE, an error, or None while it must wait."""
        role = self.role
        if isinstance(role, Leader):
            return role.acknowledgement(required_offset)
        return ErrorCode.NOT_LEADER_OR_FOLLOWER if isinstance(role, Follower) else role.code

    def when_replicated(self, required_offset: int, then: OnReplicated) -> None:
        """Have somebody told once what `acknowledgement` says as soon as it is not None."""
        role = self.role
        if isinstance(role, Leader):
            role.when_replicated(required_offset, then)
        else:
            then(ErrorCode.NOT_LEADER_OR_FOLLOWER if isinstance(role, Follower) else role.code)

    def delete_records(self, offset: int, *, needs_policy: bool = False) -> int:
        """Raise the log's start; returns it. -1 stands for the high watermark.

        The refusals of `led`; POLICY_VIOLATION for a log that is compacted only (with `needs_policy` also for one
        without a policy); OFFSET_OUT_OF_RANGE.
        """
        log = self.led.log
        if (log.config.is_compacted or needs_policy) and not log.config.has_deletion:
            raise KafkaError(ErrorCode.POLICY_VIOLATION, f"the cleanup policy of {self} does not allow deletion")
        target = log.high_watermark if offset == HIGH_WATERMARK else offset
        if not 0 <= target <= log.high_watermark:
            raise KafkaError(
                ErrorCode.OFFSET_OUT_OF_RANGE,
                f"{self} has no offset {target}: its high watermark is {log.high_watermark}",
            )
        log.raise_log_start(target)
        self.touch()
        return log.log_start_offset

    # -- reading ------------------------------------------------------------------------------------------------

    @property
    def high_watermark(self) -> int:
        """The end of what readers may see."""
        return self.log.high_watermark

    @property
    def is_behind_its_epoch(self) -> bool:
        """Whether a new leader does not know yet what was acknowledged before it (KIP-207)."""
        role = self.role
        return isinstance(role, Leader) and role.epoch_start_offset > self.log.high_watermark

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
        if epoch not in (NO_EPOCH, self.leader_epoch) or (only_leader and not self.is_leader):
            self.checked_log(epoch, only_leader=only_leader)
        log = self.log
        high_watermark, start = log.high_watermark, log.log_start_offset
        if last_fetched_epoch != NO_EPOCH:
            diverging = divergence(log, offset, last_fetched_epoch)
            if diverging is not None:
                return diverged(log, diverging)
        stable = log.last_stable_offset
        up_to = stable if is_committed else high_watermark
        fetched = log.read(offset, max_bytes, up_to, at_least_one_batch=at_least_one_batch)
        # Kafka forgets what it knows of transactions where it takes back the beginning of a batch.
        tells_aborted = is_committed and not fetched.is_cut_short
        aborted = log.aborted_transactions(offset, fetched) if tells_aborted else None
        return Read(high_watermark, stable, start, fetched.slices, fetched.size, aborted, None)

    def read_elsewhere(self, rack: str, offset: int, listener: str, *, epoch: int, now: Now) -> Read | None:
        """What a consumer in a rack is told that is to read from a follower; None where it is served here.

        The refusals of `check_epoch`.
        """
        role = self.role
        chosen = role.preferred_replica(rack, offset, listener, now.monotonic_ms) if isinstance(role, Leader) else None
        if chosen is None:
            return None
        self.check_epoch(epoch)
        log = self.log
        return Read(log.high_watermark, log.last_stable_offset, log.log_start_offset, (), 0, None, None, chosen)

    def read_for_follower(self, fetch: FollowerFetch, now: Now, *, is_first_look: bool = True) -> Read:
        """Whole batches up to the log's end, for a replica of another broker: see `Leader`.

        The refusals of `checked_log` and of `Leader.read_for_follower`.
        """
        self.check_epoch(fetch.epoch)
        return self.led.read_for_follower(fetch, now, is_first_look=is_first_look)

    def let_rest(self, replica_id: int, offset: int, told: tuple[int, int], contact: Contact) -> bool:
        """Have a follower rest: see `Leader`. False where this broker does not lead."""
        role = self.role
        return isinstance(role, Leader) and role.let_rest(replica_id, offset, told, contact)

    def end_rest(self, replica_id: int, contact: Contact) -> None:
        """Something changed for a follower that rests, or may."""
        if isinstance(self.role, Leader):
            self.role.end_rest(replica_id, contact)

    def is_fenced_by_epoch(self, replica_id: int, broker_epoch: int) -> bool:
        """Whether a follower's broker has been registered anew since that epoch."""
        return self._local.is_fenced_by_epoch(replica_id, broker_epoch)

    def end_of_epoch(self, current_epoch: int, epoch: int) -> tuple[int, int]:
        """(largest epoch not above the one asked for, its end offset); (-1, -1) where it is unknown. Leader only."""
        return self.checked_log(current_epoch, only_leader=True).end_offset_for_epoch(epoch)

    def __str__(self) -> str:
        return f"{self.topic}-{self.index}"
