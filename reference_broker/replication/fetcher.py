"""Fetches from one leader broker what this broker's followers of its partitions lack: one request at a time.

A partition is in one of four states: it is *fetching*; it *waits* after an error (replica.fetch.backoff.ms); its offset
was out of range, so the leader is *asked* where its log starts and ends (ListOffsets); or it is *fenced*, and stays so
until metadata brings a new leader epoch. An answer counts for a partition only while its epoch and its log's end are
those of the request.

Source: KIP-101, KIP-279 and KIP-595 (truncation), KIP-227 (fetch sessions), KIP-903 (broker epochs).
"""

from __future__ import annotations

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
from reference_broker.wire.primitives import BrokerId, TopicName, Uuid
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
    """One for a leader broker and a number below num.replica.fetchers; requests go over the channel of that number."""

    local: LocalBroker
    outbox: Outbox
    settings: FetcherSettings
    leader_id: int
    number: int = 0
    _states: dict[TopicIdPartition, FetchState] = field(default_factory=dict)
    _session: FetcherSession = field(default_factory=FetcherSession)
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

    def remove(self, key: TopicIdPartition) -> None:
        """Fetch a partition no more; what comes for it is passed over."""
        self._states.pop(key, None)

    # -- time ---------------------------------------------------------------------------------------------------

    def next_deadline_ms(self) -> int | None:
        """When `go_on` must be called (monotonic); None while an answer is awaited, or there is nothing to ask for."""
        if self._is_in_flight or self.local.broker_epoch == NO_BROKER_EPOCH:
            return None
        times = [one.retry_at_ms for one in self._states.values() if not one.is_fenced and not one.is_asking]
        return max(self._retry_at_ms, min(times)) if times else None

    def go_on(self, now: Now) -> None:
        """Send the next request, unless one is under way or its time has not come.

        A broker that is not registered does not fetch: a leader could take it for what it was before (KIP-903).
        """
        if self.local.broker_epoch == NO_BROKER_EPOCH or self._is_in_flight or now.monotonic_ms < self._retry_at_ms:
            return
        ready = {key: one for key, one in self._states.items() if one.is_ready(now.monotonic_ms)}
        if not ready:
            return
        if self.local.throttles.follower.is_exceeded(now.monotonic_ms):
            ready = {key: one for key, one in ready.items() if one.has_all or not one.follower.is_throttled}
            if not ready:
                self._retry_at_ms = now.monotonic_ms + self.settings.backoff_ms
                return
        peer = self.local.peer(self.leader_id)
        if peer is None:
            self._retry_at_ms = now.monotonic_ms + self.settings.backoff_ms
            return
        asked = {key: self._ask(key, one.follower) for key, one in ready.items()}
        names: dict[Uuid, str] = {one.follower.log.topic_id: one.follower.log.topic for one in self._states.values()}
        topics, forgotten = self._session.next(asked, names)
        settings = self.settings
        request = FetchRequest(
            replica_state=ReplicaState(replica_id=BrokerId(self.local.node_id), replica_epoch=self.local.broker_epoch),
            max_wait_ms=settings.wait_max_ms,
            min_bytes=settings.min_bytes,
            max_bytes=settings.response_max_bytes,
            session_id=self._session.id,
            session_epoch=self._session.epoch,
            topics=topics,
            forgotten_topics_data=forgotten,
        )
        self._is_in_flight = True
        self._send(peer, ApiKey.FETCH, request, lambda answer, at: self._on_fetched(answer, asked, ready, at))

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

    def _on_fetched(
        self,
        answer: Any,
        asked: dict[TopicIdPartition, FetchPartition],
        states: dict[TopicIdPartition, FetchState],
        now: Now,
    ) -> None:
        self._is_in_flight = False
        if not isinstance(answer, FetchResponse):
            self._session.on_lost()
            self._retry_at_ms = now.monotonic_ms + self.settings.backoff_ms
        elif not self._session.on_response(answer):
            self._retry_at_ms = now.monotonic_ms + self.settings.backoff_ms
        else:
            for topic in answer.responses:
                for data in topic.partitions:
                    key = (topic.topic_id, data.partition_index)
                    state = states.get(key)
                    if state is None:
                        continue
                    if self._is_current(key, state, asked[key]):
                        self._take(key, state, data, now)
                    else:
                        # In this session the leader will not tell again what is passed over here.
                        self._session.on_lost()
        self.go_on(now)

    def _is_current(self, key: TopicIdPartition, state: FetchState, ask: FetchPartition) -> bool:
        """Whether nothing has happened to a partition since it was asked for."""
        return (
            self._states.get(key) is state
            and state.epoch == state.follower.epoch == ask.current_leader_epoch
            and state.follower.log.log_end_offset == ask.fetch_offset
        )

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
                    self._states[key] = self._states.pop(key)
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
        self.local.on_event(
            f"{state.follower.log.name}: broker {self.leader_id} answers {why} in leader epoch {state.epoch}; "
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
