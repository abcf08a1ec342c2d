"""A broker that a check plays itself: it registers, follows a node's partitions, and leads partitions that a node
follows.

What its peer does next is then no matter of chance: the check decides, message by message, what a follower has fetched,
what a leader serves, and when a broker is fenced. Nothing is stored: the guest has what its LedLogs contain.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from harness.clients.connection import RawConnection
from harness.clients.led_log import LedLog
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
Address = tuple[str, int]


class GuestBroker:
    """Made registered and fenced; `unfence` makes it a broker among the others. `close` ends it.

    `controller` and `peer` are where the active controller and the node under check listen, `host` is the address of
    this machine as they see it. OSError where one cannot be reached; RuntimeError where the controller refuses it.
    """

    def __init__(self, *, host: str, controller: Address, peer: Address, listeners: Sequence[str]) -> None:
        self.directory = Uuid(uuid.uuid4().bytes)
        self.epoch = -1
        self.logs: dict[tuple[bytes, int], LedLog] = {}
        """What it leads, by (topic id, partition)."""
        self._fetches: list[tuple[FetchRequest, Uuid, FetchPartition]] = []
        self._changed = threading.Condition()
        self._is_over = False
        self._server = socket.create_server((host, 0))
        self._accepted: list[socket.socket] = []
        self._address: Address = self._server.getsockname()[:2]
        self._listeners = tuple(listeners)
        threading.Thread(target=self._accept, daemon=True).start()
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
        host, port = self._address
        request = BrokerRegistrationRequest(
            broker_id=BrokerId(GUEST),
            cluster_id=cluster.cluster_id,
            incarnation_id=Uuid(uuid.uuid4().bytes),
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
        with self._changed:
            self.logs[bytes(topic_id), 0] = log
            self._changed.notify_all()
        return log

    def change(self, action: Callable[[], None]) -> None:
        """Changes what it serves, and has fetches that wait look again."""
        with self._changed:
            action()
            self._changed.notify_all()

    def fetches(self, topic_id: Uuid) -> list[FetchPartition]:
        """What was fetched of a topic's partition 0 so far, in order."""
        with self._changed:
            return [asked for _, one, asked in self._fetches if one == topic_id]

    def broker_epochs(self, topic_id: Uuid) -> set[int]:
        """The broker epochs with which a topic was fetched."""
        with self._changed:
            return {request.replica_state.replica_epoch for request, one, _ in self._fetches if one == topic_id}

    def await_fetch(self, topic_id: Uuid, offset: int, *, after: int = 0) -> FetchPartition | None:
        """The first fetch of partition 0 from an offset, after so many fetches; None if none comes in 30 s."""
        deadline = time.monotonic() + PATIENCE_S
        with self._changed:
            while True:
                seen = [asked for _, one, asked in self._fetches if one == topic_id][after:]
                found = next((asked for asked in seen if asked.fetch_offset == offset), None)
                left = deadline - time.monotonic()
                if found is not None or left <= 0:
                    return found
                self._changed.wait(left)

    def await_fetches(self, topic_id: Uuid, count: int) -> list[FetchPartition]:
        """The first fetches of partition 0, so many of them; fewer if no more come in 30 s."""
        deadline = time.monotonic() + PATIENCE_S
        with self._changed:
            while True:
                seen = [asked for _, one, asked in self._fetches if one == topic_id]
                left = deadline - time.monotonic()
                if len(seen) >= count or left <= 0:
                    return seen[:count]
                self._changed.wait(left)

    # -- its listener -------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = self._server.accept()
                self._accepted.append(accepted)
                threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, MalformedRequest), connection, connection.makefile("rb") as stream:
            while (size := stream.read(4)) and len(size) == 4:
                request = decode_request(stream.read(struct.unpack(">i", size)[0]))
                answer = self._answer(request)
                frame = encode_response(request.api_key, request.api_version, request.correlation_id, answer)
                connection.sendall(b"".join(bytes(part) for part in frame if not hasattr(part, "descriptor")))

    def _answer(self, request: Request) -> Any:
        match request.api_key:
            case ApiKey.FETCH:
                return self._fetched(request.message)
            case ApiKey.LIST_OFFSETS:
                return self._listed(request.message)
            case ApiKey.API_VERSIONS:
                return ApiVersionsResponse(api_keys=tuple(_listing(APIS[key].key, APIS[key].valid) for key in SERVED))
        raise MalformedRequest(f"the guest does not serve API {request.api_key}")

    def _fetched(self, request: FetchRequest) -> FetchResponse:
        """What there is, at once; else nothing once the follower's time is over."""
        deadline = time.monotonic() + request.max_wait_ms / 1000
        with self._changed:
            asked = [(topic.topic_id, one) for topic in request.topics for one in topic.partitions]
            self._fetches += [(request, topic_id, one) for topic_id, one in asked]
            self._changed.notify_all()
            while True:
                answers = {(topic_id, one.partition): self._answer_to(topic_id, one) for topic_id, one in asked}
                left = deadline - time.monotonic()
                if any(is_news for _, is_news in answers.values()) or left <= 0 or self._is_over:
                    break
                self._changed.wait(left)
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
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._server.close()
        for accepted in self._accepted:
            accepted.close()
        self._controller.close()
        self._peer.close()


def _listing(key: int, versions: tuple[int, int]) -> ApiVersion:
    return ApiVersion(api_key=key, min_version=versions[0], max_version=versions[1])


def _require(holds: bool, trouble: str) -> None:
    if not holds:
        raise RuntimeError(trouble)


LISTENERS_OF: Mapping[bool, tuple[str, ...]] = {True: ("PLAINTEXT",), False: ("PLAINTEXT", "INTERNAL")}
"""Whether a cluster has one node → the listeners of its brokers."""
