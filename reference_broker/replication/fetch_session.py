"""Incremental fetches: the broker remembers what a client wants, and answers only what changed.

Source: KIP-227; KIP-516 for sessions by topic id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from reference_broker.environment import Random
from reference_broker.metadata.topics import TopicImage
from reference_broker.replication.idle_partitions import IdlePartitions, TopicKey, WantedKey
from reference_broker.replication.partition import Partition
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest
from reference_broker.wire.messages.fetch_response import (
    FetchableTopicResponse,
    FetchResponse,
    NodeEndpoint,
    PartitionData,
)
from reference_broker.wire.primitives import ZERO_UUID, TopicName, Uuid

NO_SESSION: Final = 0
INITIAL_EPOCH: Final = 0
FINAL_EPOCH: Final = -1
LARGEST_ID: Final = (1 << 31) - 1
TOPIC_IDS_SINCE: Final = 13
EVICTION_MS: Final = 120_000
SHARDS: Final = 8
"""Kafka splits its cache so; a shard holds a whole number of sessions, which bounds them all."""

FollowerId = tuple[int, int]
"""(broker id, broker epoch)."""


class Wanted(Struct):
    """A partition that a client wants, and what it was told of it last. `topic` is None while its id is unknown."""

    topic: str | None
    topic_id: Uuid
    index: int
    ask: FetchPartition
    high_watermark: int = -1
    log_start_offset: int = -1

    @property
    def key(self) -> WantedKey:
        """What it is remembered by."""
        return (self.topic if self.topic_id == ZERO_UUID and self.topic is not None else self.topic_id), self.index

    def must_tell(self, data: PartitionData, size: int) -> bool:
        """Whether an incremental answer holds the partition; what it holds is remembered."""
        is_news = size > 0 or data.diverging_epoch.epoch >= 0 or data.preferred_read_replica >= 0
        if data.high_watermark != self.high_watermark:
            self.high_watermark, is_news = data.high_watermark, True
        if data.log_start_offset != self.log_start_offset:
            self.log_start_offset, is_news = data.log_start_offset, True
        if data.error_code:
            # When the error has gone the client has to hear so: nothing equals this.
            self.high_watermark, is_news = -1, True
        return is_news


class Session(Struct):
    """What one client wants, in the order in which it is served; `due` is what its next fetch has to look at.

    Of a consumer's session that is everything; of a follower's all but `idle`.
    """

    id: int
    is_privileged: bool
    uses_topic_ids: bool
    partitions: dict[WantedKey, Wanted]
    created_ms: int
    last_used_ms: int
    due: dict[WantedKey, Wanted]
    idle: IdlePartitions | None = None
    epoch: int = 1
    size: int = 0

    def follow(self, follower: FollowerId | None, monotonic_ms: int) -> None:
        """Who fetches is this follower, or none: another one, or incarnation, than before is told everything."""
        if self.idle is not None:
            if follower == (self.idle.replica_id, self.idle.broker_epoch):
                return
            self.idle.clear()
        self.idle, self.due = None, self.partitions
        if follower is not None and self.uses_topic_ids:
            self.due = dict(self.partitions)
            self.idle = IdlePartitions(*follower, self._on_busy, monotonic_ms)

    def _on_busy(self, key: WantedKey) -> None:
        if (wanted := self.partitions.get(key)) is not None:
            self.due[key] = wanted

    def wake(self, key: WantedKey, wanted: Wanted) -> None:
        """A follower asks for a partition, for the first time or otherwise than before."""
        if self.idle is not None:
            self.idle.remove(key)
            self.due[key] = wanted

    def forget(self, key: WantedKey) -> None:
        """The client asks for a partition no more."""
        self.partitions.pop(key, None)
        if self.idle is not None:
            self.idle.remove(key)
            self.due.pop(key, None)

    def put_last(self, wanted: Wanted) -> None:
        """Whoever got something goes to the back, so that a full answer starves nobody."""
        key, partitions = wanted.key, self.partitions
        if partitions.pop(key, None) is not None:
            partitions[key] = wanted
            if self.idle is not None:
                self.due.pop(key, None)
                self.due[key] = wanted

    def close(self) -> None:
        """It is over."""
        if self.idle is not None:
            self.idle.clear()

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Less valuable sessions come first."""
        return self.is_privileged, self.size, self.id


def next_epoch(epoch: int) -> int:
    """The epoch that must follow; 0 and below are never reached again."""
    return 1 if epoch == LARGEST_ID else epoch + 1


Found = tuple[Wanted, PartitionData, int]
"""What was read for a partition: the answer's part, and the bytes of its records."""


class Plan(Struct):
    """One fetch: what it wants, and how to answer it. `error` refuses it as a whole."""

    sessions: FetchSessions
    wanted: list[Wanted]
    error: ErrorCode = ErrorCode.NONE
    session: Session | None = None
    epoch: int = 0
    """The session's epoch while this fetch is the latest."""
    may_begin: bool = False
    """Whether the answer may open a session."""
    follower: FollowerId | None = None
    uses_topic_ids: bool = False
    idle: IdlePartitions | None = None
    """The partitions of a follower's session that need not be looked at."""

    def let_rest(self, wanted: Wanted, partition: Partition, data: PartitionData) -> None:
        """A follower was told of a partition that there are no more records: it need not be looked at until that
        changes."""
        session = self.session
        if session is None or self.idle is None or data.error_code or data.diverging_epoch.epoch >= 0:
            return
        told = (data.high_watermark, data.log_start_offset)
        if wanted.key in session.due and self.idle.take(partition, wanted.ask.fetch_offset, told):
            del session.due[wanted.key]

    def answer(self, found: list[Found], endpoints: tuple[NodeEndpoint, ...], monotonic_ms: int) -> FetchResponse:
        """The response: all that was found, or what changed in a session."""
        if self.error:
            return FetchResponse(error_code=self.error)
        session = self.session
        if session is not None:
            if session.epoch != self.epoch:
                return FetchResponse(error_code=ErrorCode.INVALID_FETCH_SESSION_EPOCH, session_id=session.id)
            told: list[Found] = []
            for one in found:
                wanted, data, size = one
                if wanted.must_tell(data, size):
                    told.append(one)
            for wanted, _, size in told:
                if size:
                    session.put_last(wanted)
            return FetchResponse(session_id=session.id, responses=grouped(told), node_endpoints=endpoints)
        session_id = NO_SESSION
        if self.may_begin:
            session_id = self.sessions.begin(
                found, follower=self.follower, uses_topic_ids=self.uses_topic_ids, monotonic_ms=monotonic_ms
            )
            self.session = self.sessions.get(session_id)
            self.idle = None if self.session is None else self.session.idle
        return FetchResponse(session_id=session_id, responses=grouped(found), node_endpoints=endpoints)


def grouped(found: list[Found]) -> tuple[FetchableTopicResponse, ...]:
    """The partitions by topic, their order kept."""
    if len(found) == 1:
        wanted, data, _ = found[0]
        return (_topic(wanted, (data,)),)
    topics: list[tuple[Wanted, list[PartitionData]]] = []
    for wanted, data, _ in found:
        if topics and topics[-1][0].key[0] == wanted.key[0]:
            topics[-1][1].append(data)
        else:
            topics.append((wanted, [data]))
    return tuple(_topic(wanted, tuple(partitions)) for wanted, partitions in topics)


def _topic(wanted: Wanted, partitions: tuple[PartitionData, ...]) -> FetchableTopicResponse:
    return FetchableTopicResponse(topic=TopicName(wanted.topic or ""), topic_id=wanted.topic_id, partitions=partitions)


class FetchSessions:
    """All sessions of a broker. `capacity` is max.incremental.fetch.session.cache.slots."""

    def __init__(self, *, random: Random, capacity: int = 1000) -> None:
        self._random = random
        self._capacity = capacity // SHARDS * SHARDS
        self._sessions: dict[int, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def plan(
        self,
        request: FetchRequest,
        version: int,
        topics: Mapping[Uuid, TopicImage],
        *,
        follower: FollowerId | None,
        monotonic_ms: int,
    ) -> Plan:
        """What a fetch wants, by itself or with what its session remembers.

        `topics` are all by id. A session that is not there, another epoch than the next, or a change between
        names and ids make a plan with an error.
        """
        uses_ids = version >= TOPIC_IDS_SINCE
        asked = _asked(request, topics, uses_ids=uses_ids)
        if request.session_epoch in (INITIAL_EPOCH, FINAL_EPOCH):
            self._end(request.session_id)
            return Plan(
                self,
                list(asked.values()),
                may_begin=request.session_epoch == INITIAL_EPOCH,
                follower=follower,
                uses_topic_ids=uses_ids,
            )
        session = self._sessions.get(request.session_id)
        if session is None:
            return Plan(self, [], ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
        if session.epoch != request.session_epoch:
            return Plan(self, [], ErrorCode.INVALID_FETCH_SESSION_EPOCH)
        if session.uses_topic_ids != uses_ids:
            return Plan(self, [], ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
        if follower is not None or session.idle is not None:
            session.follow(follower, monotonic_ms)
        return self._go_on(session, request, asked, topics, monotonic_ms)

    def _go_on(
        self,
        session: Session,
        request: FetchRequest,
        asked: dict[WantedKey, Wanted],
        topics: Mapping[Uuid, TopicImage],
        monotonic_ms: int,
    ) -> Plan:
        if session.idle is not None:
            session.idle.on_fetch(monotonic_ms)
        for key, one in asked.items():
            known = session.partitions.setdefault(key, one)
            known.ask = one.ask
            if session.idle is not None:
                session.wake(key, known)
        for forgotten in request.forgotten_topics_data:
            topic: TopicKey = forgotten.topic_id if session.uses_topic_ids else forgotten.topic
            for index in forgotten.partitions:
                session.forget((topic, index))
        if not session.partitions:
            self._end(session.id)
            return Plan(self, list(asked.values()))
        session.last_used_ms, session.epoch = monotonic_ms, next_epoch(session.epoch)
        session.size = len(session.partitions)
        wanted = list(session.due.values())
        if session.uses_topic_ids:
            for one in wanted:
                if one.topic is None:
                    image = topics.get(one.topic_id)
                    one.topic = None if image is None else image.name
        return Plan(self, wanted, session=session, epoch=session.epoch, idle=session.idle)

    def get(self, session_id: int) -> Session | None:
        """A session by its id."""
        return self._sessions.get(session_id)

    def _end(self, session_id: int) -> None:
        session = self._sessions.pop(session_id, None)
        if session is not None:
            session.close()

    def begin(self, found: list[Found], *, follower: FollowerId | None, uses_topic_ids: bool, monotonic_ms: int) -> int:
        """Open a session with what was told; its id, 0 when there is no room for it."""
        is_privileged = follower is not None
        if len(self._sessions) >= self._capacity and not self._evict(is_privileged, len(found), monotonic_ms):
            return NO_SESSION
        session_id = self._random.randrange(1, LARGEST_ID)
        while session_id in self._sessions:
            session_id = self._random.randrange(1, LARGEST_ID)
        for wanted, data, _ in found:
            wanted.high_watermark, wanted.log_start_offset = data.high_watermark, data.log_start_offset
        partitions = {wanted.key: wanted for wanted, _, _ in found}
        session = self._sessions[session_id] = Session(
            session_id,
            is_privileged,
            uses_topic_ids,
            partitions,
            monotonic_ms,
            monotonic_ms,
            partitions,
            size=len(partitions),
        )
        session.follow(follower, monotonic_ms)
        return session_id

    def _evict(self, is_privileged: bool, size: int, monotonic_ms: int) -> bool:
        """Make room: a session long unused goes, else one that is worth less than the new one."""
        if not self._sessions:
            return False
        oldest = min(self._sessions.values(), key=lambda one: (one.last_used_ms, one.id))
        if monotonic_ms - oldest.last_used_ms > EVICTION_MS:
            self._end(oldest.id)
            return True
        candidates = [
            one
            for one in self._sessions.values()
            if (is_privileged and not one.is_privileged) or one.last_used_ms - one.created_ms > EVICTION_MS
        ]
        least = min(candidates, key=lambda one: one.rank, default=None)
        if least is None or (is_privileged, size, 0) < least.rank:
            return False
        self._end(least.id)
        return True


def _asked(request: FetchRequest, topics: Mapping[Uuid, TopicImage], *, uses_ids: bool) -> dict[WantedKey, Wanted]:
    """The partitions that a request names; of one that is named twice, what is said last counts."""
    asked: dict[WantedKey, Wanted] = {}
    for topic in request.topics:
        topic_id, name = ZERO_UUID, None
        key: TopicKey = topic.topic
        if uses_ids:
            key = topic_id = topic.topic_id
            image = topics.get(topic_id)
            name = None if image is None else image.name
        else:
            name = topic.topic
        for one in topic.partitions:
            asked[key, one.partition] = Wanted(name, topic_id, one.partition, one)
    return asked
