"""Partition leaders and connections to them, for raw clients; and an admin client on top. Synchronous."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
from harness.clients.stepped import leaders
from harness.clients.stepped.connection import Connection
from harness.clients.stepped.leaders import EARLIEST, LATEST, TROUBLE, Leaders, asking
from harness.history.admin_calls import admin_call
from harness.hosts import cluster_time as time
from harness.hosts.executor import current
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.primitives import TopicName

__all__ = ["EARLIEST", "LATEST", "TROUBLE", "LeaderConnections", "RawAdmin", "asking", "first_answer"]

_CREATE_TOPICS, _DELETE_TOPICS = 5, 5
T = TypeVar("T")


def first_answer(
    bootstrap: str, ask: Callable[[Connection], Awaitable[T]], *, client_id: str = "admin", timeout_s: float = 10.0
) -> T:
    """What `harness.clients.stepped.leaders.first_answer` returns, for whoever is no task."""
    executor = current()
    return executor.run(leaders.first_answer(executor, bootstrap, ask, client_id=client_id, timeout_s=timeout_s))


class LeaderConnections:
    """A cache of leaders and of connections to them. Not thread-safe: each client has its own."""

    def __init__(self, bootstrap: str, client_id: str, timeout_s: float = 10.0) -> None:
        self._run = current().run
        self._stepped = Leaders(current(), bootstrap, client_id, timeout_s=timeout_s)

    def leader(self, topic: str, partition: int) -> RawConnection:
        """A connection to the leader. ConnectionError if the partition has none, OSError if it cannot be reached."""
        return RawConnection.over(self._run(self._stepped.leader(topic, partition)))

    def refresh(self, topic: str) -> int:
        """Refreshes a topic's leaders from Metadata; returns the number of partitions that have one."""
        return self._run(self._stepped.refresh(topic))

    def forget(self) -> None:
        """Closes all connections and clears the cache, e.g. after an error; the next request asks for leaders again."""
        self._stepped.forget()


class RawAdmin:
    """An Admin over raw connections, which retries for `patience_s` while brokers start."""

    def __init__(self, bootstrap: str, client_id: str = "admin", patience_s: float = 30.0) -> None:
        self._run = current().run
        self._leaders = Leaders(current(), bootstrap, client_id, patience_s=patience_s)
        self._bootstrap = bootstrap
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
            response = first_answer(self._bootstrap, asking(ApiKey.CREATE_TOPICS, _CREATE_TOPICS, request))
            answer.came([result.error_code for result in response.topics], (ErrorCode.TOPIC_ALREADY_EXISTS,))
        for result in response.topics:
            if result.error_code not in (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS):
                name = ErrorCode(result.error_code).name
                raise ClientTrouble(f"topic {topic} could not be created: {name}: {result.error_message}")
        deadline = time.monotonic() + self._patience_s
        while self._run(self._leaders.refresh(topic)) < partitions:
            if time.monotonic() > deadline:
                raise ClientTrouble(f"topic {topic} has no leaders {self._patience_s:.0f} s after it was created")
            time.sleep(0.05)

    def delete_topic(self, topic: str) -> None:
        """Deletes a topic; it need not exist."""
        request = DeleteTopicsRequest(topic_names=(TopicName(topic),), timeout_ms=10_000)
        with admin_call("DeleteTopics", {"topic": topic}) as answer:
            response = first_answer(self._bootstrap, asking(ApiKey.DELETE_TOPICS, _DELETE_TOPICS, request))
            codes = [result.error_code for result in response.responses]
            answer.came(codes, (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,))
        for result in response.responses:
            if result.error_code not in (ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION):
                raise ClientTrouble(f"topic {topic} could not be deleted: {ErrorCode(result.error_code).name}")

    def offsets(self, topic: str, partition: int) -> tuple[int, int]:
        """(log start offset, high watermark). ClientTrouble when no leader answers within `patience_s`."""
        return self._run(self._leaders.offsets(topic, partition))

    def offset_at(self, topic: str, partition: int, timestamp: int) -> tuple[int, int]:
        """(offset, timestamp) from ListOffsets for a timestamp in ms, or a special one; (-1, -1) for none."""
        found = self._run(self._leaders.listed(topic, partition, timestamp))
        return int(found.offset), int(found.timestamp)

    def close(self) -> None:
        """Closes its connections."""
        self._leaders.forget()
