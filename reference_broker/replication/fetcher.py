"""Fetches from one leader broker what this broker's followers of its partitions lack: one request at a time.

A partition is in one of four states: it is *fetching*; it *waits* after an error (replica.fetch.backoff.ms); its offset
was out of range, so the leader is *asked* where its log starts and ends (ListOffsets); or it is *fenced*, and stays so
until metadata brings a new leader epoch. An answer counts for a partition only while its epoch and its log's end are
those of the request.

Source: KIP-101, KIP-279 and KIP-595 (truncation), KIP-227 (fetch sessions), KIP-903 (broker epochs).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from reference_broker.effects import Outbox, Peer
from reference_broker.environment import Now
from reference_broker.replication.fetcher_session import FetcherSession
from reference_broker.replication.follower import Follower
from reference_broker.replication.isr import TopicIdPartition
from reference_broker.replication.local_broker import NO_BROKER_EPOCH, LocalBroker
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, ReplicaState
from reference_broker.wire.messages.fetch_response import FetchResponse, PartitionData
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.list_offsets_response import ListOffsetsPartitionResponse, ListOffsetsResponse
from reference_broker.wire.primitives import BrokerId, TopicName
from reference_broker.wire.refusal import KafkaError

LATEST: Final = -1
EARLIEST: Final = -2
NOW_MS: Final = -(1 << 62)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetcherSettings:
    """replica.fetch.* and replica.socket.timeout.ms. Times in ms, sizes in bytes."""

    wait_max_ms: int = 500
    min_bytes: int = 1
    max_bytes: int = 1 << 20
    response_max_bytes: int = 10 << 20
    backoff_ms: int = 1000
    timeout_ms: int = 30_000


@dataclass(slots=True)
class FetchState:
    """One partition of a fetcher. `retry_at_ms` (monotonic) is when it may be asked for again."""

    follower: Follower
    epoch: int
    retry_at_ms: int = NOW_MS
    is_fenced: bool = False
    is_asking: bool = False
    has_all: bool = False
    """Whether it had all that is committed at the last answer."""

    def is_ready(self, monotonic_ms: int) -> bool:
        """Whether it is fetched now."""
        return not self.is_fenced and not self.is_asking and self.retry_at_ms <= monotonic_ms


@dataclass(slots=True)
class Fetcher:
    """One for a leader broker and a number below num.replica.fetchers; requests go over the channel of that number.

    What a request costs depends on the partitions that changed since the last one, not on how many there are.
    """

    local: LocalBroker
    outbox: Outbox
    settings: FetcherSettings
    leader_id: int
    number: int = 0
    _states: dict[TopicIdPartition, FetchState] = field(default_factory=dict)
    _session: FetcherSession = field(default_factory=FetcherSession)
    _changed: dict[TopicIdPartition, None] = field(default_factory=dict)
    """Partitions that may have to be asked for otherwise than in the last request, or no more."""
    _waiting: list[tuple[int, TopicIdPartition]] = field(default_factory=list)
    """A heap of (when it may be asked for again, partition)."""
    _is_throttled: bool = False
    """Whether a throttle was in force at the last request."""
    _holds_some_back: bool = False
    """Whether it was exceeded then, and partitions left out for that."""
    _is_in_flight: bool = False
    _retry_at_ms: int = NOW_MS

    def __len__(self) -> int:
        return len(self._states)

    # -- partitions ---------------------------------------------------------------------------------------------

    def add(self, follower: Follower) -> None:
        """Fetch a partition; one that is fetched in the same leader epoch goes on as it is."""
        key = (follower.log.topic_id, follower.log.partition)
        found = self._states.get(key)
        if found is None or found.follower is not follower or found.epoch != follower.epoch:
            self._states[key] = FetchState(follower, follower.epoch)
            self._changed[key] = None

    def remove(self, key: TopicIdPartition) -> None:
        """Fetch a partition no more; what comes for it is passed over."""
        if self._states.pop(key, None) is not None:
            self._changed[key] = None

    def look_at(self, key: TopicIdPartition) -> None:
        """A partition may have to be asked for otherwise, or again."""
        self._changed[key] = None

    def look_at_all(self) -> None:
        """The logs may have changed otherwise than by what was fetched."""
        self._changed |= dict.fromkeys(self._states)

    # -- time ---------------------------------------------------------------------------------------------------

    def next_deadline_ms(self) -> int | None:
        """When `go_on` must be called (monotonic); None while an answer is awaited, or there is nothing to ask for."""
        if self._is_in_flight or self.local.broker_epoch == NO_BROKER_EPOCH:
            return None
        if self._changed or self._holds_some_back or len(self._session):
            return self._retry_at_ms
        return max(self._retry_at_ms, self._waiting[0][0]) if self._waiting else None

    def go_on(self, now: Now) -> None:
        """Send the next request, unless one is under way or its time has not come.

        A broker that is not registered does not fetch: a leader could take it for what it was before (KIP-903).
        """
        if self.local.broker_epoch == NO_BROKER_EPOCH or self._is_in_flight or now.monotonic_ms < self._retry_at_ms:
            return
        self._sort_out(now.monotonic_ms)
        has_any = len(self._session) > 0
        peer = self.local.peer(self.leader_id) if has_any else None
        if peer is None:
            if has_any or self._holds_some_back:
                self._retry_at_ms = now.monotonic_ms + self.settings.backoff_ms
            return
        topics, forgotten = self._session.next()
        settings = self.settings
        request = FetchRequest(
            replica_state=ReplicaState(replica_id=BrokerId(self.local.node_id), replica_epoch=self.local.broker_epoch),
            max_wait_ms=0 if self._session.has_more else settings.wait_max_ms,
            min_bytes=settings.min_bytes,
            max_bytes=settings.response_max_bytes,
            session_id=self._session.id,
            session_epoch=self._session.epoch,
            topics=topics,
            forgotten_topics_data=forgotten,
        )
        self._is_in_flight = True
        self._send(peer, ApiKey.FETCH, request, self._on_fetched)

    def _sort_out(self, monotonic_ms: int) -> None:
        """Bring the session up to date: what is asked for, and how."""
        while self._waiting and self._waiting[0][0] <= monotonic_ms:
            self._changed[heapq.heappop(self._waiting)[1]] = None
        throttle = self.local.throttles.follower
        was_throttled, self._is_throttled = self._is_throttled, throttle.limit is not None
        if was_throttled or self._is_throttled:
            self.look_at_all()  # which of them are held back changes with every byte
        is_exceeded, self._holds_some_back = throttle.is_exceeded(monotonic_ms), False
        changed, self._changed = self._changed, {}
        for key in changed:
            state = self._states.get(key)
            if state is None or not state.is_ready(monotonic_ms) or state.follower.log.awaited_flush.is_on_its_way:
                # What it asks for tells the leader what it has: that waits for a flush that flush.messages asks for.
                self._session.forget(key)
            elif is_exceeded and not state.has_all and state.follower.is_throttled:
                self._session.forget(key)
                self._holds_some_back = True
            else:
                self._session.want(key, self._ask(key, state.follower))

    def _ask(self, key: TopicIdPartition, follower: Follower) -> FetchPartition:
        log = follower.log
        return FetchPartition(
            partition=key[1],
            current_leader_epoch=follower.epoch,
            fetch_offset=log.log_end_offset,
            last_fetched_epoch=follower.last_fetched_epoch,
            log_start_offset=log.log_start_offset,
            partition_max_bytes=self.settings.max_bytes,
        )

    def _send(self, peer: Peer, api_key: ApiKey, request: Any, then: Callable[[Any, Now], None]) -> None:
        self.outbox.send(
            peer, api_key, request, channel=f"fetcher-{self.number}", timeout_ms=self.settings.timeout_ms, then=then
        )

    # -- answers ------------------------------------------------------------------------------------------------

    def _on_fetched(self, answer: Any, now: Now) -> None:
        self._is_in_flight = False
        if not isinstance(answer, FetchResponse):
            self._session.on_lost()
            self._retry_at_ms = now.monotonic_ms + self.settings.backoff_ms
        elif not self._session.on_response(answer):
            self._retry_at_ms = now.monotonic_ms + self.settings.backoff_ms
        else:
            for topic in answer.responses:
                for data in topic.partitions:
                    self._on_data((topic.topic_id, data.partition_index), data, now)
        self.go_on(now)

    def _on_data(self, key: TopicIdPartition, data: PartitionData, now: Now) -> None:
        state, asked = self._states.get(key), self._session.asked(key)
        if state is None or asked is None:
            return
        self._changed[key] = None
        # Nothing may have happened to the partition since it was asked for.
        follower = state.follower
        if (
            state.epoch == follower.epoch == asked.current_leader_epoch
            and follower.log.log_end_offset == asked.fetch_offset
        ):
            self._take(key, state, data, now)
        else:
            # In this session the leader will not tell again what is passed over here.
            self._session.on_lost()

    def _take(self, key: TopicIdPartition, state: FetchState, data: PartitionData, now: Now) -> None:
        code, follower = ErrorCode(data.error_code), state.follower
        if code == ErrorCode.OFFSET_OUT_OF_RANGE:
            self._ask_for_offset(key, state, LATEST, now)
        elif code == ErrorCode.FENCED_LEADER_EPOCH:
            self._fence(state)
        elif code != ErrorCode.NONE:
            self._wait(state, now, code.name)
        else:
            try:
                if data.diverging_epoch.epoch >= 0:
                    follower.truncate_for(data.diverging_epoch.epoch, data.diverging_epoch.end_offset)
                    # The high watermark beside it holds for the log as it will be; a new session tells it again.
                    self._session.on_lost()
                elif size := follower.take(data, now.wall_ms):
                    # Whoever got something is asked for last, so that a full response starves nobody.
                    self._session.put_last(key)
                    if follower.is_throttled:
                        self.local.throttles.follower.record(size, now.monotonic_ms)
                state.has_all = data.high_watermark <= follower.log.log_end_offset
            except KafkaError as error:
                self._on_own_trouble(state, error, now)

    def _on_own_trouble(self, state: FetchState, error: KafkaError, now: Now) -> None:
        """What came could not be appended, or the log not be cut; an offline folder is not fetched for."""
        self.local.on_event(f"{state.follower.log.name}: fetching from broker {self.leader_id}: {error.detail}")
        if error.code == ErrorCode.KAFKA_STORAGE_ERROR:
            state.is_fenced = True
        else:
            self._wait(state, now, error.code.name)

    def _wait(self, state: FetchState, now: Now, why: str) -> None:
        state.retry_at_ms = now.monotonic_ms + self.settings.backoff_ms
        log = state.follower.log
        heapq.heappush(self._waiting, (state.retry_at_ms, (log.topic_id, log.partition)))
        self.local.on_event(
            f"{log.name}: broker {self.leader_id} answers {why} in leader epoch {state.epoch}; "
            f"asked again in {self.settings.backoff_ms} ms"
        )

    def _fence(self, state: FetchState) -> None:
        """The leader is in a later epoch: metadata will tell which."""
        state.is_fenced = True

    # -- an offset out of range ---------------------------------------------------------------------------------

    def _ask_for_offset(self, key: TopicIdPartition, state: FetchState, timestamp: int, now: Now) -> None:
        peer = self.local.peer(self.leader_id)
        if peer is None:
            self._wait(state, now, "nothing")
            return
        state.is_asking = True
        asked = ListOffsetsPartition(partition_index=key[1], current_leader_epoch=state.epoch, timestamp=timestamp)
        topic = ListOffsetsTopic(name=TopicName(state.follower.log.topic), partitions=(asked,))
        request = ListOffsetsRequest(replica_id=BrokerId(self.local.node_id), topics=(topic,))
        self._send(
            peer,
            ApiKey.LIST_OFFSETS,
            request,
            lambda answer, then: self._on_offset(answer, key, state, timestamp, then),
        )

    def _on_offset(self, answer: Any, key: TopicIdPartition, state: FetchState, timestamp: int, now: Now) -> None:
        state.is_asking = False
        self._changed[key] = None
        if self._states.get(key) is not state or state.epoch != state.follower.epoch:
            return
        found = _only(answer)
        code = ErrorCode.REQUEST_TIMED_OUT if found is None else ErrorCode(found.error_code)
        if code == ErrorCode.FENCED_LEADER_EPOCH:
            self._fence(state)
        elif found is None or code != ErrorCode.NONE:
            self._wait(state, now, code.name)
        else:
            try:
                if timestamp == EARLIEST:
                    state.follower.start_over_at(found.offset)
                elif not state.follower.go_back_to(found.offset):
                    self._ask_for_offset(key, state, EARLIEST, now)
            except KafkaError as error:
                self._on_own_trouble(state, error, now)
        self.go_on(now)


def _only(answer: Any) -> ListOffsetsPartitionResponse | None:
    """The one partition of a ListOffsets response."""
    if not isinstance(answer, ListOffsetsResponse) or not answer.topics or not answer.topics[0].partitions:
        return None
    return answer.topics[0].partitions[0]
