"""Partition leaders and connections to them, for raw clients; and an admin client on top."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
from harness.history.admin_calls import admin_call
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import MalformedRequest, TopicName

LIST_OFFSETS, METADATA, CREATE_TOPICS, DELETE_TOPICS = 2, 3, 19, 20
EARLIEST, LATEST = -2, -1
TROUBLE = (OSError, MalformedRequest)
"""What a connection raises when the broker cannot be reached or sends invalid bytes."""
T = TypeVar("T")


def first_answer(
    bootstrap: str, ask: Callable[[RawConnection], T], *, client_id: str = "admin", timeout_s: float = 10.0
) -> T:
    """Calls `ask` with a connection to each address of a "host:port,…" list, until one call succeeds; returns its
    result.

    A paused broker still accepts connections but does not respond, so that connecting alone proves nothing. When all
    fail, raises the last OSError or MalformedRequest.
    """
    trouble: Exception = ConnectionError(f"no address in {bootstrap!r}")
    for address in bootstrap.split(","):
        try:
            with RawConnection.to(address, client_id=client_id, timeout_s=timeout_s) as connection:
                return ask(connection)
        except TROUBLE as error:
            trouble = error
    raise trouble


class LeaderConnections:
    """A cache of leaders and of connections to them. Not thread-safe: each client has its own."""

    def __init__(self, bootstrap: str, client_id: str, timeout_s: float = 10.0) -> None:
        self.bootstrap = bootstrap
        self.client_id = client_id
        self.timeout_s = timeout_s
        self._leaders: dict[tuple[str, int], tuple[str, int]] = {}
        self._connections: dict[tuple[str, int], RawConnection] = {}

    def leader(self, topic: str, partition: int) -> RawConnection:
        """A connection to the leader. ConnectionError if the partition has none, OSError if it cannot be reached."""
        address = self._leaders.get((topic, partition))
        if address is None:
            self.refresh(topic)
            address = self._leaders.get((topic, partition))
        if address is None:
            raise ConnectionError(f"{topic}-{partition} has no leader")
        connection = self._connections.get(address)
        if connection is None:
            connection = RawConnection(*address, client_id=self.client_id, timeout_s=self.timeout_s)
            self._connections[address] = connection
        return connection

    def refresh(self, topic: str) -> int:
        """Refreshes a topic's leaders from Metadata; returns the number of partitions that have one."""
        asked = (MetadataRequestTopic(name=TopicName(topic)),)
        request = MetadataRequest(topics=asked, allow_auto_topic_creation=False)
        response = first_answer(
            self.bootstrap,
            lambda connection: connection.request(METADATA, connection.highest(METADATA, 9), request),
            client_id=self.client_id,
            timeout_s=self.timeout_s,
        )
        brokers = {broker.node_id: (broker.host, broker.port) for broker in response.brokers}
        led = 0
        for found in response.topics:
            for partition in found.partitions:
                address = brokers.get(partition.leader_id)
                if address is not None and partition.error_code == 0:
                    self._leaders[topic, partition.partition_index] = address
                    led += 1
        return led

    def forget(self) -> None:
        """Closes all connections and clears the cache, e.g. after an error; the next request asks for leaders again."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self._leaders.clear()


class RawAdmin:
    """An Admin over raw connections, which retries for `patience_s` while brokers start."""

    def __init__(self, bootstrap: str, client_id: str = "admin", patience_s: float = 30.0) -> None:
        self._view = LeaderConnections(bootstrap, client_id)
        self._patience_s = patience_s

    def create_topic(
        self, topic: str, partitions: int = 1, replicas: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """Creates a topic and waits until each partition has a leader. An existing topic is not changed."""
        configs = tuple(CreatableTopicConfig(name=name, value=value) for name, value in (config or {}).items())
        wanted = CreatableTopic(
            name=TopicName(topic), num_partitions=partitions, replication_factor=replicas, configs=configs
        )
        request = CreateTopicsRequest(topics=(wanted,), timeout_ms=10_000)
        asked = {"topic": topic, "partitions": f"{partitions}", "replicas": f"{replicas}", **(config or {})}
        with admin_call("CreateTopics", asked) as answer:
            response = first_answer(
                self._view.bootstrap,
                lambda connection: connection.request(CREATE_TOPICS, connection.highest(CREATE_TOPICS, 5), request),
            )
            answer.came([result.error_code for result in response.topics], (ErrorCode.TOPIC_ALREADY_EXISTS,))
        for result in response.topics:
            if result.error_code not in (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS):
                name = ErrorCode(result.error_code).name
                raise ClientTrouble(f"topic {topic} could not be created: {name}: {result.error_message}")
        deadline = time.monotonic() + self._patience_s
        while self._view.refresh(topic) < partitions:
            if time.monotonic() > deadline:
                raise ClientTrouble(f"topic {topic} has no leaders {self._patience_s:.0f} s after it was created")
            time.sleep(0.05)

    def delete_topic(self, topic: str) -> None:
        """Deletes a topic; it need not exist."""
        request = DeleteTopicsRequest(topic_names=(TopicName(topic),), timeout_ms=10_000)
        with admin_call("DeleteTopics", {"topic": topic}) as answer:
            response = first_answer(
                self._view.bootstrap,
                lambda connection: connection.request(DELETE_TOPICS, connection.highest(DELETE_TOPICS, 5), request),
            )
            codes = [result.error_code for result in response.responses]
            answer.came(codes, (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,))
        for result in response.responses:
            if result.error_code not in (ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION):
                raise ClientTrouble(f"topic {topic} could not be deleted: {ErrorCode(result.error_code).name}")

    def offsets(self, topic: str, partition: int) -> tuple[int, int]:
        """(log start offset, high watermark). ClientTrouble when no leader answers within `patience_s`."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                return self._offset(topic, partition, EARLIEST), self._offset(topic, partition, LATEST)
            except (*TROUBLE, ClientTrouble) as trouble:
                self._view.forget()
                if time.monotonic() > deadline:
                    raise ClientTrouble(f"the offsets of {topic}-{partition} cannot be had: {trouble}") from trouble
                time.sleep(0.1)

    def offset_at(self, topic: str, partition: int, timestamp: int) -> tuple[int, int]:
        """(offset, timestamp) from ListOffsets for a timestamp in ms, or a special one; (-1, -1) for none."""
        found = self._listed(topic, partition, timestamp)
        return int(found.offset), int(found.timestamp)

    def _offset(self, topic: str, partition: int, timestamp: int) -> int:
        return int(self._listed(topic, partition, timestamp).offset)

    def _listed(self, topic: str, partition: int, timestamp: int) -> Any:
        asked = ListOffsetsPartition(partition_index=partition, timestamp=timestamp)
        request = ListOffsetsRequest(
            replica_id=-1,  # type: ignore[arg-type]
            topics=(ListOffsetsTopic(name=TopicName(topic), partitions=(asked,)),),
        )
        connection = self._view.leader(topic, partition)
        response = connection.request(LIST_OFFSETS, connection.highest(LIST_OFFSETS, 7), request)
        found = response.topics[0].partitions[0]
        if found.error_code:
            raise ClientTrouble(f"ListOffsets: {ErrorCode(found.error_code).name}")
        return found

    def close(self) -> None:
        """Closes its connections."""
        self._view.forget()
