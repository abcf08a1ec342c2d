"""A broker that a check plays itself: it registers, follows a node's partitions, and leads partitions that a node
follows.

What its peer does next is then no matter of chance: the check decides, message by message, what a follower has fetched,
what a leader serves, and when a broker is fenced. Nothing is stored: the guest has what its LedLogs contain.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Final

from harness.clients.connection import RawConnection
from harness.clients.led_log import LedLog
from harness.hosts.executor import Stream, current
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import Request, decode_request, encode_response
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.api_versions_response import ApiVersion, ApiVersionsResponse
from reference_broker.wire.messages.broker_heartbeat_request import BrokerHeartbeatRequest
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest, Feature, Listener
from reference_broker.wire.messages.describe_cluster_request import DescribeClusterRequest
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic, ReplicaState
from reference_broker.wire.messages.fetch_response import FetchableTopicResponse, FetchResponse, PartitionData
from reference_broker.wire.messages.list_offsets_response import (
    ListOffsetsPartitionResponse,
    ListOffsetsResponse,
    ListOffsetsTopicResponse,
)
from reference_broker.wire.primitives import BrokerId, MalformedRequest, Uuid

GUEST: Final = 20
"""The guest's id: none of the nodes that a target opens has it."""
SERVED: Final = (ApiKey.FETCH, ApiKey.LIST_OFFSETS, ApiKey.API_VERSIONS)
"""What the guest answers as a leader."""
LATEST: Final = -1
HAS_READ_ALL: Final = 1 << 40
"""A metadata offset that no log of a test reaches."""
FETCH_VERSION: Final = 17
PATIENCE_S: Final = 30.0
IDLE_S: Final = 3600.0
"""How long a peer may send nothing; longer than any check lasts."""
Address = tuple[str, int]


class GuestBroker:
    """Made registered and fenced; `unfence` makes it a broker among the others. `close` ends it.

    `controller` and `peer` are where the active controller and the node under check listen, `host` is the address of
    this machine as they see it. OSError where one cannot be reached; RuntimeError where the controller refuses it.
    """

    def __init__(
        self, *, host: str, controller: Address, peer: Address, listeners: Sequence[str], chance: Random
    ) -> None:
        """All of its ids come from `chance`."""
        self._chance = chance
        self.directory = self._new_id()
        self.epoch = -1
        self.logs: dict[tuple[bytes, int], LedLog] = {}
        """What it leads, by (topic id, partition)."""
        self._fetches: list[tuple[FetchRequest, Uuid, FetchPartition]] = []
        self._executor = current()
        self._lock = threading.Lock()
        """Over what it serves: the check changes it, and services read it."""
        self._changed = self._executor.signal()
        """That something has changed since; then there is a new one."""
        self._is_over = False
        self._listener = self._executor.listen(host, self._serve)
        self._listeners = tuple(listeners)
        self._controller = RawConnection(*controller, client_id="guest")
        self._peer = RawConnection(*peer, client_id="guest")
        try:
            _require(not (code := self.register()), f"the guest's registration: {ErrorCode(code).name}")
        except BaseException:
            self.close()
            raise

    # -- its life -----------------------------------------------------------------------------------------------

    def register(self, *, previous_epoch: int = -1) -> int:
        """Registers, as a new process with the same folder; `previous_epoch` claims a clean stop (KIP-966). Returns the
        error code."""
        features = self._peer.request(
            ApiKey.API_VERSIONS, 4, ApiVersionsRequest(client_software_name="guest", client_software_version="1")
        ).supported_features
        cluster = self._peer.request(ApiKey.DESCRIBE_CLUSTER, 1, DescribeClusterRequest())
        host, port = self._listener.address
        request = BrokerRegistrationRequest(
            broker_id=BrokerId(GUEST),
            cluster_id=cluster.cluster_id,
            incarnation_id=self._new_id(),
            listeners=tuple(Listener(name=name, host=host, port=port) for name in self._listeners),
            features=tuple(
                Feature(name=one.name, min_supported_version=one.min_version, max_supported_version=one.max_version)
                for one in features
            ),
            rack=None,
            log_dirs=(self.directory,),
            previous_broker_epoch=previous_epoch,
        )
        version = self._controller.highest(ApiKey.BROKER_REGISTRATION, 4)
        answer = self._controller.request(ApiKey.BROKER_REGISTRATION, version, request)
        if not answer.error_code:
            self.epoch = int(answer.broker_epoch)
        return int(answer.error_code)

    def beat(self, *, epoch: int | None = None, want_fence: bool = False, want_shut_down: bool = False) -> Any:
        """Sends a heartbeat, by default of its own epoch; returns the response."""
        request = BrokerHeartbeatRequest(
            broker_id=BrokerId(GUEST),
            broker_epoch=self.epoch if epoch is None else epoch,
            current_metadata_offset=HAS_READ_ALL,
            want_fence=want_fence,
            want_shut_down=want_shut_down,
        )
        return self.ask_controller(ApiKey.BROKER_HEARTBEAT, 1, request)

    def unfence(self) -> None:
        """Becomes a broker that may lead and be in sync."""
        _require(not self.beat().is_fenced, "the guest stays fenced after a heartbeat")

    def fence(self) -> None:
        """Leaves every ISR and leads nothing, as if its session was over."""
        _require(self.beat(want_fence=True).is_fenced, "the guest is not fenced although it asked for that")

    def ask_controller(self, api_key: ApiKey, version: int, message: Any) -> Any:
        """A request to the active controller."""
        return self._controller.request(api_key, version, message)

    # -- as a follower ------------------------------------------------------------------------------------------

    def fetch(
        self,
        topic_id: Uuid,
        offset: int,
        *,
        leader_epoch: int,
        last_epoch: int = -1,
        broker_epoch: int | None = None,
        log_start: int = 0,
        wait_ms: int = 0,
    ) -> PartitionData:
        """Fetches partition 0 from the node, as a replica that has everything before `offset`; returns its part of the
        answer. `last_epoch` is that of the last record that it has; by default it does not say."""
        asked = FetchPartition(
            partition=0,
            current_leader_epoch=leader_epoch,
            fetch_offset=offset,
            last_fetched_epoch=last_epoch,
            log_start_offset=log_start,
            partition_max_bytes=1 << 20,
        )
        request = FetchRequest(
            replica_state=ReplicaState(
                replica_id=BrokerId(GUEST), replica_epoch=self.epoch if broker_epoch is None else broker_epoch
            ),
            max_wait_ms=wait_ms,
            min_bytes=1,
            topics=(FetchTopic(topic_id=topic_id, partitions=(asked,)),),
        )
        answer = self._peer.request(ApiKey.FETCH, FETCH_VERSION, request)
        _require(not answer.error_code, f"a fetch of the guest: {ErrorCode(answer.error_code).name}")
        found: PartitionData = answer.responses[0].partitions[0]
        return found

    # -- as a leader --------------------------------------------------------------------------------------------

    def lead(self, topic_id: Uuid, log: LedLog) -> LedLog:
        """Serves a log as that of partition 0 from now on."""
        self.change(lambda: self.logs.update({(bytes(topic_id), 0): log}))
        return log

    def change(self, action: Callable[[], None]) -> None:
        """Changes what it serves, and has fetches that wait look again."""
        with self._lock:
            action()
            changed, self._changed = self._changed, self._executor.signal()
        changed.set()

    async def _until(self, is_so: Callable[[], bool], within_s: float) -> None:
        """Waits until something holds, for a time; looks whenever something has changed."""
        deadline_ns = self._executor.now_ns() + int(within_s * 1e9)
        while True:
            with self._lock:
                changed, holds = self._changed, is_so()
            left_s = (deadline_ns - self._executor.now_ns()) / 1e9
            if holds or left_s <= 0 or self._is_over:
                return
            await changed.wait(left_s)

    def fetches(self, topic_id: Uuid) -> list[FetchPartition]:
        """What was fetched of a topic's partition 0 so far, in order."""
        return [asked for _, one, asked in self._fetches if one == topic_id]

    def broker_epochs(self, topic_id: Uuid) -> set[int]:
        """The broker epochs with which a topic was fetched."""
        return {request.replica_state.replica_epoch for request, one, _ in self._fetches if one == topic_id}

    def await_fetch(self, topic_id: Uuid, offset: int, *, after: int = 0) -> FetchPartition | None:
        """The first fetch of partition 0 from an offset, after so many fetches; None if none comes in 30 s."""

        def found() -> FetchPartition | None:
            return next((one for one in self.fetches(topic_id)[after:] if one.fetch_offset == offset), None)

        self._executor.run(self._until(lambda: found() is not None, PATIENCE_S))
        return found()

    def await_fetches(self, topic_id: Uuid, count: int) -> list[FetchPartition]:
        """The first fetches of partition 0, so many of them; fewer if no more come in 30 s."""
        self._executor.run(self._until(lambda: len(self.fetches(topic_id)) >= count, PATIENCE_S))
        return self.fetches(topic_id)[:count]

    # -- its listener -------------------------------------------------------------------------------------------

    async def _serve(self, stream: Stream) -> None:
        while True:
            (size,) = struct.unpack(">i", await stream.receive(4, IDLE_S))
            try:
                request = decode_request(await stream.receive(size, IDLE_S))
                answer = await self._answer(request)
            except MalformedRequest:
                return
            frame = encode_response(request.api_key, request.api_version, request.correlation_id, answer)
            await stream.send(b"".join(bytes(part) for part in frame if not hasattr(part, "descriptor")), IDLE_S)

    async def _answer(self, request: Request) -> Any:
        match request.api_key:
            case ApiKey.FETCH:
                return await self._fetched(request.message)
            case ApiKey.LIST_OFFSETS:
                return self._listed(request.message)
            case ApiKey.API_VERSIONS:
                return ApiVersionsResponse(api_keys=tuple(_listing(APIS[key].key, APIS[key].valid) for key in SERVED))
        raise MalformedRequest(f"the guest does not serve API {request.api_key}")

    async def _fetched(self, request: FetchRequest) -> FetchResponse:
        """What there is, at once; else nothing once the follower's time is over."""
        asked = [(topic.topic_id, one) for topic in request.topics for one in topic.partitions]
        self.change(lambda: self._fetches.extend((request, topic_id, one) for topic_id, one in asked))
        answers: dict[tuple[Uuid, int], tuple[PartitionData, bool]] = {}

        def has_news() -> bool:
            answers.update({(topic_id, one.partition): self._answer_to(topic_id, one) for topic_id, one in asked})
            return any(is_news for _, is_news in answers.values())

        await self._until(has_news, request.max_wait_ms / 1000)
        return FetchResponse(
            responses=tuple(
                FetchableTopicResponse(topic_id=topic_id, partitions=(answer,))
                for (topic_id, _), (answer, _) in answers.items()
            )
        )

    def _answer_to(self, topic_id: Uuid, asked: FetchPartition) -> tuple[PartitionData, bool]:
        log = self.logs.get((bytes(topic_id), asked.partition))
        if log is None:
            code = ErrorCode.NOT_LEADER_OR_FOLLOWER
            return PartitionData(partition_index=asked.partition, error_code=code, high_watermark=-1), False
        return log.answer_to(asked)

    def _listed(self, request: Any) -> ListOffsetsResponse:
        """The end or the start of its log of the topic's name, whatever that is."""
        topics = []
        for topic in request.topics:
            parts = []
            for one in topic.partitions:
                log = next((found for found in self.logs.values() if found.topic == topic.name), LedLog(""))
                offset = log.end if one.timestamp == LATEST else log.start
                parts.append(
                    ListOffsetsPartitionResponse(
                        partition_index=one.partition_index, offset=offset, leader_epoch=log.epoch
                    )
                )
            topics.append(ListOffsetsTopicResponse(name=topic.name, partitions=tuple(parts)))
        return ListOffsetsResponse(topics=tuple(topics))

    def close(self) -> None:
        """Ends its connections and its listener; may be called twice. It stays registered."""
        self.change(self._end)
        self._listener.close()
        self._controller.close()
        self._peer.close()

    def _end(self) -> None:
        self._is_over = True

    def _new_id(self) -> Uuid:
        return Uuid(self._chance.randbytes(16))


def _listing(key: int, versions: tuple[int, int]) -> ApiVersion:
    return ApiVersion(api_key=key, min_version=versions[0], max_version=versions[1])


def _require(holds: bool, trouble: str) -> None:
    if not holds:
        raise RuntimeError(trouble)


LISTENERS_OF: Mapping[bool, tuple[str, ...]] = {True: ("PLAINTEXT",), False: ("PLAINTEXT", "INTERNAL")}
"""Whether a cluster has one node → the listeners of its brokers."""
