"""Fetch: read batches of some partitions from given offsets on, waiting for them where there are none yet.

**Promises** Whole stored batches in the order of offsets, nothing at or beyond the high watermark, or the last stable
offset with isolation level read_committed, which also names the aborted transactions. A follower gets all that the
leader has; what it asks for tells the leader what it has. The first partition that has
anything gives at least one whole batch, whatever the limits. A consumer whose rack has a replica in sync is sent there
where replica.selector.class says so. The answer waits up to max_wait_ms for min_bytes. In a
session only partitions with something new are answered.
**Refuses** For all: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH; FETCH_SESSION_TOPIC_ID_ERROR: a session
by names goes on by ids, or the other way; UNKNOWN_SERVER_ERROR: an isolation level that does not exist. Per partition:
UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR; INCONSISTENT_TOPIC_ID: the
session's topic was deleted and made again; FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, the latter also for
a follower that has no replica as far as the leader knows; OFFSET_OUT_OF_RANGE: below the log's start or beyond its end,
or after a leader epoch that it does not know; UNKNOWN_SERVER_ERROR: a limit below 0.
**Versions** 7 sessions; 9 the leader epoch that the reader knows; 11 racks, reading from followers; 12 diverging
epochs; 13 topic ids; 15 the replica's state as a tagged field; 16 the leader where it is another; 18 a follower's high
watermark.
**Departs from Kafka** Not served on the controller's listener. Of replica.selector.class only Kafka's own selectors are
honoured: others are Java. Sessions share one cache of Kafka's total size, which Kafka splits in eight.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from reference_broker.apis.context import BrokerContext
from reference_broker.apis.leader_hint import addresses_of, leader_of
from reference_broker.apis.partition_watch import PartitionWatch
from reference_broker.environment import Now
from reference_broker.log.segment import Segment
from reference_broker.replication.fetch_session import TOPIC_IDS_SINCE, Found, Plan, Wanted
from reference_broker.replication.idle_partitions import IdlePartitions
from reference_broker.replication.partition import NO_EPOCH, FollowerFetch, Partition, Read
from reference_broker.replication.replica_selection import RACK_AWARE
from reference_broker.waiting import Later
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest
from reference_broker.wire.messages.fetch_response import (
    AbortedTransaction,
    EpochEndOffset,
    FetchableTopicResponse,
    FetchResponse,
    LeaderIdAndEpoch,
    NodeEndpoint,
    PartitionData,
)
from reference_broker.wire.primitives import ZERO_UUID, BrokerId, Frozen, ProducerId
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.FETCH
VERSIONS: Final = range(4, 19)
LISTENERS: Final = ("broker",)

FOLLOWERS_SINCE: Final = 11
LEADERS_SINCE: Final = 16
STORAGE_ERROR_SINCE: Final = 6
READ_COMMITTED: Final = 1
NO_RECORDS: Final = b""


class Params(Frozen, frozen=True):
    """What holds for every partition of a fetch."""

    is_committed: bool
    only_leader: bool
    is_follower: bool
    replica_id: int
    replica_epoch: int
    min_bytes: int
    max_bytes: int
    rack: str = ""
    """The consumer's rack, where it may be sent to a follower in it; else empty."""


class Watched(Struct):
    """What a fetch waits for in a partition: where in its log it would go on, and how many bytes there are so far."""

    ask: FetchPartition
    segment: Segment
    position: int
    available: int = 0


def is_routine(request: FetchRequest) -> bool:
    """A consumer's fetch moves nothing that is due later; a follower's may begin a change of the ISR."""
    return request.replica_id < 0 and request.replica_state.replica_id < 0


def handle(request: FetchRequest, ctx: BrokerContext) -> FetchResponse | Later:
    """Read, and wait where there is too little."""
    version = ctx.api_version
    replica_id = request.replica_state.replica_id if version >= 15 else request.replica_id
    is_follower = replica_id >= 0
    parts, monotonic_ms = ctx.parts, ctx.now.monotonic_ms
    by_id = parts.publisher.image.topics.by_id
    follower = (replica_id, request.replica_state.replica_epoch) if is_follower else None
    plan = ctx.fetch_sessions.plan(request, version, by_id, follower=follower, monotonic_ms=monotonic_ms)
    if plan.error or not (plan.wanted or plan.idle):
        return plan.answer([], (), monotonic_ms)
    max_bytes = min(request.max_bytes, parts.settings.current.number("fetch.max.bytes"))
    params = Params(
        is_committed=request.isolation_level == READ_COMMITTED,
        only_leader=is_follower or version < FOLLOWERS_SINCE,
        is_follower=is_follower,
        replica_id=replica_id,
        replica_epoch=request.replica_state.replica_epoch,
        min_bytes=min(request.min_bytes, max_bytes),
        max_bytes=max_bytes,
        rack=_rack_of(request, ctx) if request.rack_id else "",
    )
    reading = _Reading(plan, params, ctx)
    reading.sort_out()
    if reading.present and request.isolation_level not in (0, READ_COMMITTED):
        raise KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, f"there is no isolation level {request.isolation_level}")
    reading.read()
    is_empty = not (reading.present or plan.idle)
    if request.max_wait_ms <= 0 or reading.size >= params.min_bytes or reading.must_answer_now or is_empty:
        return reading.answer(ctx.now)
    return WaitingFetch(reading, monotonic_ms + request.max_wait_ms)


def _rack_of(request: FetchRequest, ctx: BrokerContext) -> str:
    """The rack by which a consumer's replica is selected; empty where that is not done."""
    is_for_clients = ctx.api_version >= FOLLOWERS_SINCE and is_routine(request)
    is_selected = ctx.settings.static.text("replica.selector.class") == RACK_AWARE
    return request.rack_id if is_for_clients and is_selected else ""


def error_response(request: FetchRequest, version: int, code: ErrorCode, message: str | None) -> FetchResponse:
    """The error of the whole answer; below version 13 every partition has it, too."""
    topics: tuple[FetchableTopicResponse, ...] = ()
    if version < TOPIC_IDS_SINCE:
        topics = tuple(
            FetchableTopicResponse(
                topic=topic.topic, partitions=tuple(_unread(one.partition, code) for one in topic.partitions)
            )
            for topic in request.topics
        )
    return FetchResponse(error_code=code, session_id=request.session_id, responses=topics)


def _unread(index: int, code: ErrorCode) -> PartitionData:
    """The answer for a partition that was not looked for."""
    return PartitionData(partition_index=index, error_code=code, high_watermark=-1, records=NO_RECORDS)


class _Reading:
    """Reads the partitions of a plan, once and perhaps again later."""

    __slots__ = (
        "absent",
        "ctx",
        "found",
        "is_first_look",
        "leaders",
        "must_answer_now",
        "params",
        "plan",
        "present",
        "size",
    )

    def __init__(self, plan: Plan, params: Params, ctx: BrokerContext) -> None:
        self.plan, self.params, self.ctx = plan, params, ctx
        self.found: list[Found] = []
        self.absent: list[Found] = []
        self.present: list[tuple[Wanted, Partition | None]] = []
        self.leaders: list[int] = []
        self.size = 0
        self.must_answer_now = False
        self.is_first_look = True

    def sort_out(self) -> None:
        """Tell the partitions that are there from those that are not."""
        for wanted in self.plan.wanted:
            partition = self._find(wanted)
            if partition is None and (code := self._absence(wanted)) is not None:
                self.absent.append((wanted, _unread(wanted.index, code), 0))
            else:
                self.present.append((wanted, partition))
        if self.absent and not self.params.is_follower:
            # Kafka looks for the names of all ids before it looks for partitions.
            self.absent.sort(key=lambda found: found[1].error_code != ErrorCode.UNKNOWN_TOPIC_ID)

    def read_again(self) -> None:
        """Look anew at those that were there."""
        self.found, self.leaders, self.size, self.is_first_look = [], [], 0, False
        wanted_again, self.present = self.present, []
        for wanted, _ in wanted_again:
            self.present.append((wanted, self._find(wanted)))
        self.read()

    def read(self) -> None:
        """Look at every partition in turn; once one gave a batch, the limits hold for the others."""
        left = self.params.max_bytes
        for wanted, partition in self.present:
            data, size = self._read_one(wanted, partition, left)
            self.size += size
            left = max(0, left - size)
            self.found.append((wanted, data, size))

    def _find(self, wanted: Wanted) -> Partition | None:
        if wanted.topic_id != ZERO_UUID:
            return self.ctx.partitions.find_by_id(wanted.topic_id, wanted.index)
        return None if wanted.topic is None else self.ctx.partitions.find(wanted.topic, wanted.index)

    def _absence(self, wanted: Wanted) -> ErrorCode | None:
        if wanted.topic is None:
            return ErrorCode.UNKNOWN_TOPIC_ID
        if self.ctx.image.partition(wanted.topic, wanted.index) is None:
            return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        return None

    def _read_one(self, wanted: Wanted, partition: Partition | None, left: int) -> tuple[PartitionData, int]:
        ask, params = wanted.ask, self.params
        try:
            if partition is None:
                self.ctx.partitions.get(wanted.topic or "", wanted.index)
                raise KafkaError(ErrorCode.INCONSISTENT_TOPIC_ID, "the topic was made again under another id")
            elsewhere = self._read_elsewhere(partition, ask) if params.rack else None
            if elsewhere is not None:
                read = elsewhere
            elif params.is_follower:
                read = self._read_for_follower(partition, ask, left)
            else:
                read = partition.read(
                    ask.fetch_offset,
                    min(ask.partition_max_bytes, left),
                    epoch=max(ask.current_leader_epoch, NO_EPOCH),  # every negative one means none
                    last_fetched_epoch=max(ask.last_fetched_epoch, NO_EPOCH),
                    is_committed=params.is_committed,
                    only_leader=params.only_leader,
                    at_least_one_batch=self.size == 0,
                )
        except KafkaError as error:
            self.must_answer_now = True
            return self._refused(wanted, error.code), 0
        if read.diverging is not None or read.preferred_replica >= 0:
            self.must_answer_now = True
        return _data(wanted.index, read), read.size

    def _read_elsewhere(self, partition: Partition, ask: FetchPartition) -> Read | None:
        ctx, epoch = self.ctx, max(ask.current_leader_epoch, NO_EPOCH)
        return partition.read_elsewhere(self.params.rack, ask.fetch_offset, ctx.listener, epoch=epoch, now=ctx.now)

    def _read_for_follower(self, partition: Partition, ask: FetchPartition, left: int) -> Read:
        fetch = FollowerFetch(
            replica_id=self.params.replica_id,
            broker_epoch=self.params.replica_epoch,
            offset=ask.fetch_offset,
            log_start_offset=ask.log_start_offset,
            epoch=max(ask.current_leader_epoch, NO_EPOCH),
            last_fetched_epoch=max(ask.last_fetched_epoch, NO_EPOCH),
            max_bytes=min(ask.partition_max_bytes, left),
            at_least_one_batch=self.size == 0,
        )
        return partition.read_for_follower(fetch, self.ctx.now, is_first_look=self.is_first_look)

    def _refused(self, wanted: Wanted, code: ErrorCode) -> PartitionData:
        version = self.ctx.api_version
        if code is ErrorCode.KAFKA_STORAGE_ERROR and version < STORAGE_ERROR_SINCE:
            code = ErrorCode.NOT_LEADER_OR_FOLLOWER
        leader = LeaderIdAndEpoch()
        if version >= LEADERS_SINCE and code in (ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.FENCED_LEADER_EPOCH):
            leader_id, epoch = leader_of(wanted.topic or "", wanted.index, self.ctx)
            leader = LeaderIdAndEpoch(leader_id=BrokerId(leader_id), leader_epoch=epoch)
            self.leaders.append(leader_id)
        return PartitionData(
            partition_index=wanted.index,
            error_code=code,
            high_watermark=-1,
            aborted_transactions=None,
            records=NO_RECORDS,
            current_leader=leader,
        )

    def answer(self, now: Now) -> FetchResponse:
        """The response to what was read; followers know where the leader is, and are told no addresses."""
        endpoints: tuple[NodeEndpoint, ...] = ()
        if self.leaders and not self.params.is_follower:
            endpoints = tuple(
                NodeEndpoint(node_id=one.node_id, host=one.host, port=one.port, rack=one.rack)
                for one in addresses_of(self.leaders, self.ctx)
            )
        plan = self.plan
        response = plan.answer(self.found + self.absent if self.absent else self.found, endpoints, now.monotonic_ms)
        if plan.idle is not None:
            for (wanted, partition), (_, data, size) in zip(self.present, self.found, strict=True):
                if not size and partition is not None:
                    plan.let_rest(wanted, partition, data)
        return response


def _data(index: int, read: Read) -> PartitionData:
    """A partition's part of the answer."""
    if read.aborted is None and read.diverging is None:
        return PartitionData(
            partition_index=index,
            high_watermark=read.high_watermark,
            last_stable_offset=read.last_stable_offset,
            log_start_offset=read.log_start_offset,
            aborted_transactions=None,
            preferred_read_replica=BrokerId(read.preferred_replica),
            records=read.slices or NO_RECORDS,
        )
    return PartitionData(
        partition_index=index,
        high_watermark=read.high_watermark,
        last_stable_offset=read.last_stable_offset,
        log_start_offset=read.log_start_offset,
        diverging_epoch=EpochEndOffset(epoch=read.diverging[0], end_offset=read.diverging[1])
        if read.diverging
        else EpochEndOffset(),
        aborted_transactions=None
        if read.aborted is None
        else tuple(
            AbortedTransaction(producer_id=ProducerId(one.producer_id), first_offset=one.first_offset)
            for one in read.aborted
        ),
        records=read.slices or NO_RECORDS,
    )


# -- waiting ------------------------------------------------------------------------------------------------------


class WaitingFetch(PartitionWatch):
    """A fetch that found too little: it looks again when enough has come, or its time is over."""

    __slots__ = ("_places", "_reading", "_size")

    def __init__(self, reading: _Reading, deadline_ms: int) -> None:
        self._reading = reading
        self._places: dict[Partition, Watched] = {}
        self._size = 0
        for wanted, partition in reading.present:
            if partition is not None:
                segment, position = partition.log.place_of(wanted.ask.fetch_offset)
                self._places[partition] = Watched(wanted.ask, segment, position)
        watched: list[Partition | IdlePartitions] = [*self._places]
        if reading.plan.idle is not None:
            watched.append(reading.plan.idle)
        super().__init__(watched, deadline_ms, self._look_again)

    def on_busy(self, partition: Partition, now: Now) -> None:
        """A partition that was idle until now is one of those that are waited for."""
        session = self._reading.plan.session
        wanted = None if session is None else session.partitions.get((partition.topic_id, partition.index))
        if wanted is not None:
            self._reading.present.append((wanted, partition))
            self._places[partition] = Watched(wanted.ask, *partition.log.place_of(wanted.ask.fetch_offset))
            self._watched.append(partition)
            partition.watch(self)
            self.on_change(partition, now)

    def on_change(self, partition: Partition, now: Now) -> None:
        """Answer where there are enough bytes in all, or something about the partition that its reader has to know."""
        watched, params = self._places[partition], self._reading.params
        available = _available(partition, watched, params, now)
        if available is not None:
            self._size += available - watched.available
            watched.available = available
        if available is None or self._size >= params.min_bytes:
            self.expire(now)

    def _look_again(self, now: Now) -> FetchResponse:
        self._reading.read_again()
        return self._reading.answer(now)


def _available(partition: Partition, watched: Watched, params: Params, now: Now) -> int | None:
    """Bytes that a fetch would get now; None where it must be answered at once."""
    ask = watched.ask
    epoch = max(ask.current_leader_epoch, NO_EPOCH)
    if partition.is_gone or (params.only_leader and not partition.is_leader):
        return None
    if epoch not in (NO_EPOCH, partition.leader_epoch):
        return None
    log = partition.log
    if params.is_follower:
        end = ask.fetch_offset if partition.led.holds_back(params.replica_id, now.monotonic_ms) else log.log_end_offset
    else:
        end = log.last_stable_offset if params.is_committed else log.high_watermark
    if ask.fetch_offset > end:
        return None
    if ask.fetch_offset == end:
        return 0
    segment, position = log.place_of(end)
    if segment is not watched.segment:
        return None
    return min(position - watched.position, ask.partition_max_bytes)
