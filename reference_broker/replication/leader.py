"""A broker that leads a partition: it appends, knows how far its followers are, and decides what is committed.

It sees the ISR by the controller's leave: see `isr`. The high watermark is the lowest log end of the maximal ISR, and
of those that are about to join it, and does not move while fewer replicas are in sync than min.insync.replicas.

Source: KIP-497 (ISR changes), KIP-841 and KIP-903 (who may join), KIP-966 (min.insync.replicas), KIP-207 (a new
leader), KIP-392 (preferred read replica).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from reference_broker.environment import Now
from reference_broker.log.partition_log import Appended, PartitionLog
from reference_broker.replication.alter_partition import AlterPartitions
from reference_broker.replication.isr import Isr, IsrChange
from reference_broker.replication.local_broker import NO_BROKER_EPOCH, LocalBroker
from reference_broker.replication.reading import NO_EPOCH, Read, diverged, divergence
from reference_broker.replication.replica import Contact, Replica
from reference_broker.replication.replica_selection import ReadableReplica, select_by_rack
from reference_broker.replication.replication_waiters import OnReplicated, ReplicationWaiters
from reference_broker.replication.throttle import is_throttled
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_response import PartitionData as Altered
from reference_broker.wire.primitives import Buffer
from reference_broker.wire.records import Batch
from reference_broker.wire.refusal import KafkaError

if TYPE_CHECKING:
    from reference_broker.metadata.topics import PartitionImage

ALL_IN_SYNC: Final = -1
"""acks: the answer waits for every replica in sync."""
REFUSED: Final = (ErrorCode.INELIGIBLE_REPLICA, ErrorCode.OPERATION_NOT_ATTEMPTED)
"""The controller has not applied a change, and never will."""
OUTDATED: Final = (
    *(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_ID, ErrorCode.FENCED_LEADER_EPOCH),
    *(ErrorCode.INVALID_UPDATE_VERSION, ErrorCode.INVALID_REQUEST, ErrorCode.NEW_LEADER_ELECTED),
)
"""The controller knows better: the leader waits for the metadata, and takes both ISRs for possible until then."""


class FollowerFetch(NamedTuple):
    """What a follower asks for: records from `offset` on, at most `max_bytes`. `epoch` is the leader epoch it knows."""

    replica_id: int
    broker_epoch: int
    offset: int
    log_start_offset: int
    epoch: int
    last_fetched_epoch: int
    max_bytes: int
    at_least_one_batch: bool = True


class Leader:
    """Begins with the metadata that makes it leader; ends with `resign`."""

    __slots__ = (
        "_alter_partitions",
        "_is_resigned",
        "_joining",
        "_local",
        "_replicas",
        "_waiters",
        "epoch",
        "epoch_start_offset",
        "isr",
        "key",
        "log",
        "min_isr",
        "partition_epoch",
        "replica_ids",
    )

    def __init__(
        self, log: PartitionLog, key: object, local: LocalBroker, alter_partitions: AlterPartitions | None
    ) -> None:
        self.log, self.key, self._local, self._alter_partitions = log, key, local, alter_partitions
        self.epoch, self.partition_epoch, self.epoch_start_offset = NO_EPOCH, -1, -1
        self.isr, self.min_isr = Isr(), 1
        self.replica_ids: tuple[int, ...] = ()
        self._replicas: dict[int, Replica] = {}
        self._joining: dict[int, None] = {}
        self._waiters = ReplicationWaiters()
        self._is_resigned = False

    # -- metadata -----------------------------------------------------------------------------------------------

    def update(self, image: PartitionImage, now: Now) -> None:
        """Take over what the controller decided. A new leader epoch begins at the log's end, which the log notes.

        An ISR change that is asked for stays pending where the metadata says nothing new.
        """
        is_news = image.partition_epoch > self.partition_epoch or self.isr.pending is None
        self.replica_ids, self.partition_epoch = image.replicas, image.partition_epoch
        followers = [one for one in image.replicas if one != self._local.node_id]
        self._replicas = {one: self._replicas.get(one) or Replica(one) for one in followers}
        if is_news:
            self.isr.commit(image.isr)
        if image.leader_epoch > self.epoch:
            self._begin_epoch(image.leader_epoch, now)
        self._joining = {one: None for one in self._joining if one in self._replicas and one not in self.isr.maximal}
        self.count_min_isr()
        self.advance_high_watermark()

    def _begin_epoch(self, epoch: int, now: Now) -> None:
        self.epoch, self.epoch_start_offset = epoch, self.log.log_end_offset
        self.log.epochs.assign(epoch, self.epoch_start_offset)
        for replica in self._replicas.values():
            is_in_sync = replica.broker_id in self.isr.committed
            replica.on_leader_epoch(self.epoch_start_offset, is_in_sync=is_in_sync, monotonic_ms=now.monotonic_ms)

    def count_min_isr(self) -> None:
        """min.insync.replicas may have changed; it never asks for more replicas than there are."""
        self.min_isr = min(self.log.config.min_insync_replicas, len(self.replica_ids))

    def resign(self, code: ErrorCode) -> None:
        """Whoever waits is refused; nothing that comes later counts."""
        self._is_resigned = True
        self._waiters.refuse(code)

    # -- writing ------------------------------------------------------------------------------------------------

    def append_from_client(self, batch: Batch, acks: int, now_ms: int) -> Appended:
        """Validate and append a producer's batch.

        NOT_ENOUGH_REPLICAS where acks=-1 asks for more than are in sync; the refusals of `PartitionLog.append_batch`.
        """
        if acks == ALL_IN_SYNC and len(self.isr.committed) < self.min_isr:
            raise KafkaError(
                ErrorCode.NOT_ENOUGH_REPLICAS,
                f"{len(self.isr.committed)} replicas of {self.log.name} are in sync, "
                f"min.insync.replicas asks for {self.min_isr}",
            )
        appended = self.log.append_batch(batch, self.epoch, now_ms)
        self.advance_high_watermark()
        self._local.touch(self.key)
        return appended

    def append_own(self, batch: Buffer, now_ms: int) -> Appended:
        """Append a batch that this node made itself, however few are in sync: whoever made it waits for the commit."""
        appended = self.log.append_own(batch, self.epoch, now_ms)
        self.advance_high_watermark()
        self._local.touch(self.key)
        return appended

    def acknowledgement(self, required_offset: int) -> ErrorCode | None:
        """Whether acks=-1 is answered for records below an offset: NONE, an error, or None while it must wait."""
        return self._outcome() if self.log.high_watermark >= required_offset else None

    def _outcome(self) -> ErrorCode:
        is_enough = len(self.isr.maximal) >= self.min_isr
        return ErrorCode.NONE if is_enough else ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND

    def when_replicated(self, required_offset: int, then: OnReplicated) -> None:
        """Have somebody told once all replicas in sync have the records below an offset, or it will not be known.

        `then` gets what `acknowledgement` says, or why this broker leads no longer; at once where it is known.
        """
        known = self.acknowledgement(required_offset)
        if known is None:
            self._waiters.add(required_offset, then)
        else:
            then(known)

    # -- what is committed --------------------------------------------------------------------------------------

    def advance_high_watermark(self) -> bool:
        """What every replica in sync has, readers may see. Whether that is more than before."""
        log = self.log
        if len(self.isr.committed) < self.min_isr:
            return False
        flush = log.awaited_flush
        end = flush.sure_end(log) if flush.is_on_its_way else log.log_end_offset
        for replica in self._replicas.values():
            if replica.log_end_offset < end and (
                replica.broker_id in self.isr.maximal or replica.broker_id in self._joining
            ):
                end = replica.log_end_offset
        if end <= log.high_watermark:
            return False
        log.high_watermark = end
        if self._waiters.waiting:
            self._waiters.complete(end, self._outcome())
        return True

    @property
    def followers_log_start(self) -> int | None:
        """The lowest log start of the followers whose brokers live: below it records are gone from all; None without
        any."""
        starts = [one.log_start_offset for one in self._replicas.values() if self._local.is_alive(one.broker_id)]
        return min(starts, default=None)

    # -- followers ----------------------------------------------------------------------------------------------

    def preferred_replica(self, rack: str, offset: int, listener: str, monotonic_ms: int) -> int | None:
        """The follower that a consumer in a rack is to read from, on the listener that it uses; None for this broker.

        Only a replica in sync is chosen that has the offset, so that the consumer gets on.
        """
        local = self._local
        own = ReadableReplica(local.node_id, local.rack_of(local.node_id, listener), self.log.log_end_offset, 0)
        followers = [
            ReadableReplica(
                one.broker_id,
                local.rack_of(one.broker_id, listener),
                one.log_end_offset,
                monotonic_ms - one.last_caught_up_ms,
            )
            for one in self._replicas.values()
            if one.broker_id in self.isr.committed and one.log_start_offset <= offset <= one.log_end_offset
        ]
        return select_by_rack(rack, own, followers)

    def read_for_follower(self, fetch: FollowerFetch, now: Now, *, is_first_look: bool = True) -> Read:
        """Records up to the log's end. That it asks for them says what the follower has, at the first look only: a
        request that waits here says nothing new.

        UNKNOWN_LEADER_EPOCH, or NOT_LEADER_OR_FOLLOWER where it names no epoch: it is no replica as far as is known
        here. NOT_LEADER_OR_FOLLOWER: its broker has been registered anew since. OFFSET_OUT_OF_RANGE.
        """
        replica = self._replicas.get(fetch.replica_id)
        if replica is None:
            code = ErrorCode.UNKNOWN_LEADER_EPOCH if fetch.epoch != NO_EPOCH else ErrorCode.NOT_LEADER_OR_FOLLOWER
            raise KafkaError(code, f"broker {fetch.replica_id} has no replica of {self.log.name}")
        log = self.log
        diverging = divergence(log, fetch.offset, fetch.last_fetched_epoch)
        if diverging is not None:
            return diverged(log, diverging)
        fetched = log.read(
            fetch.offset, fetch.max_bytes, log.log_end_offset, at_least_one_batch=fetch.at_least_one_batch
        )
        high_watermark, stable, start = log.high_watermark, log.last_stable_offset, log.log_start_offset
        if is_first_look:
            self._note_fetch(replica, fetch, now)
        if self.is_throttled:
            if self.holds_back(fetch.replica_id, now.monotonic_ms):
                return Read(high_watermark, stable, start, (), 0, None, None)
            self._local.throttles.leader.record(fetched.size, now.monotonic_ms)
        return Read(high_watermark, stable, start, fetched.slices, fetched.size, None, None)

    def let_rest(self, replica_id: int, offset: int, told: tuple[int, int], contact: Contact) -> bool:
        """Have a follower rest that asks for records from `offset` on: see `Replica`.

        False where it may not: it lacks records, is not in sync, or was told another high watermark or log start.
        """
        log, replica = self.log, self._replicas.get(replica_id)
        if (
            replica is None
            or not offset == replica.log_end_offset == log.log_end_offset
            or told != (log.high_watermark, log.log_start_offset)
            or self.isr.pending is not None
            or replica_id not in self.isr.committed
        ):
            return False
        replica.rest(contact)
        return True

    def end_rest(self, replica_id: int, contact: Contact) -> None:
        """Something changed for a follower that rests, or may."""
        replica = self._replicas.get(replica_id)
        if replica is not None:
            replica.end_rest(contact)

    @property
    def is_throttled(self) -> bool:
        """Whether what followers get of this partition counts for the throttle of leaders (KIP-73)."""
        listed = self.log.config.leader_replication_throttled_replicas
        return bool(listed) and is_throttled(listed, self.log.partition, self._local.node_id)

    def holds_back(self, replica_id: int, monotonic_ms: int) -> bool:
        """Whether a follower gets no records now: it is not in sync, and too many bytes have passed."""
        if replica_id in self.isr.committed or not self.is_throttled:
            return False
        return self._local.throttles.leader.is_exceeded(monotonic_ms)

    def _note_fetch(self, replica: Replica, fetch: FollowerFetch, now: Now) -> None:
        if self._local.is_fenced_by_epoch(replica.broker_id, fetch.broker_epoch):
            raise KafkaError(
                ErrorCode.NOT_LEADER_OR_FOLLOWER,
                f"broker {replica.broker_id} has been registered anew since epoch {fetch.broker_epoch}",
            )
        before = (self.log.high_watermark, replica.log_start_offset)
        replica.on_fetch(
            fetch.offset,
            fetch.log_start_offset,
            leader_end=self.log.log_end_offset,
            broker_epoch=fetch.broker_epoch,
            monotonic_ms=now.monotonic_ms,
        )
        self._note_joining(replica, now.monotonic_ms)
        self._expand_isr(replica, now)
        self.advance_high_watermark()
        if (self.log.high_watermark, replica.log_start_offset) != before:
            self._local.touch(self.key)

    def _note_joining(self, replica: Replica, monotonic_ms: int) -> None:
        """Note whether the high watermark waits for a replica that is not in sync yet but caught up.

        Else it could never join: it would always be behind a high watermark that does not wait for it.
        """
        broker_id = replica.broker_id
        if (
            broker_id not in self.isr.maximal
            and replica.is_caught_up(self.log.log_end_offset, monotonic_ms, self._local.replica_lag_time_max_ms)
            and self._local.may_be_in_sync(broker_id, replica.broker_epoch)
        ):
            self._joining[broker_id] = None
        else:
            self._joining.pop(broker_id, None)

    # -- the ISR ------------------------------------------------------------------------------------------------

    def _expand_isr(self, replica: Replica, now: Now) -> None:
        """Ask for a replica that has all that is committed, and something of this leader epoch."""
        if self.isr.pending is not None or replica.broker_id in self.isr.committed:
            return
        needed = max(self.log.high_watermark, self.epoch_start_offset)
        if replica.log_end_offset >= needed and self._local.may_be_in_sync(replica.broker_id, replica.broker_epoch):
            self._propose((*self.isr.committed, replica.broker_id), now)

    def check_lag(self, now: Now) -> None:
        """Ask for an ISR without the replicas that have lagged for too long. Called now and then."""
        if not self._replicas:
            return
        end, max_lag_ms = self.log.log_end_offset, self._local.replica_lag_time_max_ms
        for replica in self._replicas.values():
            self._note_joining(replica, now.monotonic_ms)
        if self.isr.pending is None:
            remaining = tuple(
                one
                for one in self.isr.committed
                if one == self._local.node_id
                or (one in self._replicas and self._replicas[one].is_caught_up(end, now.monotonic_ms, max_lag_ms))
            )
            if remaining != self.isr.committed:
                self._propose(remaining, now)
        if self.advance_high_watermark():
            self._local.touch(self.key)

    def _propose(self, members: tuple[int, ...], now: Now) -> None:
        change = IsrChange(
            (self.log.topic_id, self.log.partition),
            self.epoch,
            self.partition_epoch,
            tuple((one, self._broker_epoch_of(one)) for one in members),
        )
        self._local.on_event(f"{self.log.name}: ISR {self.isr.committed} is to become {members}")
        self.isr.propose(change)
        if not self._submit(change, now):
            self.isr.withdraw()

    def _submit(self, change: IsrChange, now: Now) -> bool:
        """Whether the change could be asked for."""
        return self._alter_partitions is not None and self._alter_partitions.submit(
            change, lambda altered, at: self._on_altered(change, altered, at), now
        )

    def _broker_epoch_of(self, broker_id: int) -> int:
        if broker_id == self._local.node_id:
            return self._local.broker_epoch
        replica = self._replicas.get(broker_id)
        return NO_BROKER_EPOCH if replica is None or replica.broker_epoch is None else replica.broker_epoch

    def _on_altered(self, change: IsrChange, altered: Altered, now: Now) -> None:
        """The controller's answer; one to a question that metadata has overtaken is passed over."""
        if self._is_resigned or self.isr.pending is not change:
            return
        code = ErrorCode(altered.error_code)
        if code == ErrorCode.NONE:
            if altered.leader_epoch == self.epoch and altered.partition_epoch >= self.partition_epoch:
                self.partition_epoch = altered.partition_epoch
                self.isr.commit(tuple(altered.isr))
        elif code in REFUSED:
            self.isr.withdraw()
        elif code not in OUTDATED:
            self._submit(change, now)
        for replica in self._replicas.values():
            self._note_joining(replica, now.monotonic_ms)
        self.advance_high_watermark()
        self._local.touch(self.key)
