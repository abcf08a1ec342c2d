"""Incremental fetches: the broker remembers what a client wants, and answers only what changed.

Source: KIP-227; KIP-516 for sessions by topic id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from reference_broker.environment import Random
from reference_broker.metadata.topics import TopicImage
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

TopicKey = str | Uuid
"""A topic by id from version 13 on, else by name."""
WantedKey = tuple[TopicKey, int]


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
    """What one client wants, in the order in which it is served."""

    id: int
    is_privileged: bool
    uses_topic_ids: bool
    partitions: dict[WantedKey, Wanted]
    created_ms: int
    last_used_ms: int
    epoch: int = 1
    size: int = 0

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
    is_privileged: bool = False
    uses_topic_ids: bool = False

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
                    # Whoever got something goes to the back, so that a full answer starves nobody.
                    key = wanted.key
                    if session.partitions.pop(key, None) is not None:
                        session.partitions[key] = wanted
            return FetchResponse(session_id=session.id, responses=grouped(told), node_endpoints=endpoints)
        session_id = NO_SESSION
        if self.may_begin:
            session_id = self.sessions.begin(
                found, is_privileged=self.is_privileged, uses_topic_ids=self.uses_topic_ids, monotonic_ms=monotonic_ms
            )
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
        is_follower: bool,
        monotonic_ms: int,
    ) -> Plan:
        """What a fetch wants, by itself or with what its session remembers.

        `topics` are all by id. A session that is not there, another epoch than the next, or a change between
        names and ids make a plan with an error.
        """
        uses_ids = version >= TOPIC_IDS_SINCE
        asked = _asked(request, topics, uses_ids=uses_ids)
        if request.session_epoch in (INITIAL_EPOCH, FINAL_EPOCH):
            self._sessions.pop(request.session_id, None)
            return Plan(
                self,
                list(asked.values()),
                may_begin=request.session_epoch == INITIAL_EPOCH,
                is_privileged=is_follower,
                uses_topic_ids=uses_ids,
            )
        session = self._sessions.get(request.session_id)
        if session is None:
            return Plan(self, [], ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
        if session.epoch != request.session_epoch:
            return Plan(self, [], ErrorCode.INVALID_FETCH_SESSION_EPOCH)
        if session.uses_topic_ids != uses_ids:
            return Plan(self, [], ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
        return self._go_on(session, request, asked, topics, monotonic_ms)

    def _go_on(
        self,
        session: Session,
        request: FetchRequest,
        asked: dict[WantedKey, Wanted],
        topics: Mapping[Uuid, TopicImage],
        monotonic_ms: int,
    ) -> Plan:
        for key, one in asked.items():
            known = session.partitions.get(key)
            if known is None:
                session.partitions[key] = one
            else:
                known.ask = one.ask
        for forgotten in request.forgotten_topics_data:
            topic: TopicKey = forgotten.topic_id if session.uses_topic_ids else forgotten.topic
            for index in forgotten.partitions:
                session.partitions.pop((topic, index), None)
        if not session.partitions:
            del self._sessions[session.id]
            return Plan(self, list(asked.values()))
        session.last_used_ms, session.epoch = monotonic_ms, next_epoch(session.epoch)
        session.size = len(session.partitions)
        wanted = list(session.partitions.values())
        if session.uses_topic_ids:
            for one in wanted:
                if one.topic is None:
                    image = topics.get(one.topic_id)
                    one.topic = None if image is None else image.name
        return Plan(self, wanted, session=session, epoch=session.epoch)

    def begin(self, found: list[Found], *, is_privileged: bool, uses_topic_ids: bool, monotonic_ms: int) -> int:
        """Open a session with what was told; its id, 0 when there is no room for it."""
        if len(self._sessions) >= self._capacity and not self._evict(is_privileged, len(found), monotonic_ms):
            return NO_SESSION
        session_id = self._random.randrange(1, LARGEST_ID)
        while session_id in self._sessions:
            session_id = self._random.randrange(1, LARGEST_ID)
        for wanted, data, _ in found:
            wanted.high_watermark, wanted.log_start_offset = data.high_watermark, data.log_start_offset
        partitions = {wanted.key: wanted for wanted, _, _ in found}
        self._sessions[session_id] = Session(
            session_id, is_privileged, uses_topic_ids, partitions, monotonic_ms, monotonic_ms, size=len(partitions)
        )
        return session_id

    def _evict(self, is_privileged: bool, size: int, monotonic_ms: int) -> bool:
        """Make room: a session long unused goes, else one that is worth less than the new one."""
        if not self._sessions:
            return False
        oldest = min(self._sessions.values(), key=lambda one: (one.last_used_ms, one.id))
        if monotonic_ms - oldest.last_used_ms > EVICTION_MS:
            del self._sessions[oldest.id]
            return True
        candidates = [
            one
            for one in self._sessions.values()
            if (is_privileged and not one.is_privileged) or one.last_used_ms - one.created_ms > EVICTION_MS
        ]
        least = min(candidates, key=lambda one: one.rank, default=None)
        if least is None or (is_privileged, size, 0) < least.rank:
            return False
        del self._sessions[least.id]
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
