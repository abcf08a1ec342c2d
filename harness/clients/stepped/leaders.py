"""Partition leaders, connections to them, and the offsets that they tell, as coroutines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from harness.clients.client import ClientTrouble
from harness.clients.stepped.connection import Connection
from harness.hosts.executor import Executor
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import MalformedRequest, TopicName

_LIST_OFFSETS, _METADATA = 7, 9
EARLIEST, LATEST = -2, -1
TROUBLE = (OSError, MalformedRequest)
"""What a connection raises when the broker cannot be reached or sends invalid bytes."""
_AGAIN_S = 0.1
T = TypeVar("T")


async def first_answer(
    executor: Executor,
    bootstrap: str,
    ask: Callable[[Connection], Awaitable[T]],
    *,
    client_id: str = "admin",
    timeout_s: float = 10.0,
) -> T:
    """Calls `ask` with a connection to each address of a "host:port,…" list, until one call succeeds; returns its
    result.

    A paused broker still accepts connections but does not respond, so that connecting alone proves nothing. When all
    fail, raises the last OSError or MalformedRequest.
    """
    trouble: Exception = ConnectionError(f"no address in {bootstrap!r}")
    for address in bootstrap.split(","):
        try:
            connection = await Connection.to(executor, address, client_id=client_id, timeout_s=timeout_s)
            try:
                return await ask(connection)
            finally:
                connection.close()
        except TROUBLE as error:
            trouble = error
    raise trouble


def asking(api_key: ApiKey, version: int, message: Any) -> Callable[[Connection], Awaitable[Any]]:
    """For `first_answer`: sends a request, at `version` or the highest version below it that the node supports."""

    async def ask(connection: Connection) -> Any:
        return await connection.request(api_key, await connection.highest(api_key, version), message)

    return ask


class Leaders:
    """A cache of leaders and of connections to them, for one client."""

    def __init__(
        self,
        executor: Executor,
        bootstrap: str,
        client_id: str,
        *,
        timeout_s: float = 10.0,
        patience_s: float = 30.0,
    ) -> None:
        """`patience_s` is how long `offsets` retries while brokers start."""
        self.executor = executor
        self.bootstrap = bootstrap
        self.client_id = client_id
        self.timeout_s = timeout_s
        self._patience_s = patience_s
        self._leaders: dict[tuple[str, int], tuple[str, int]] = {}
        self._connections: dict[tuple[str, int], Connection] = {}

    async def leader(self, topic: str, partition: int) -> Connection:
        """A connection to the leader. ConnectionError if the partition has none, OSError if it cannot be reached."""
        address = self._leaders.get((topic, partition))
        if address is None:
            await self.refresh(topic)
            address = self._leaders.get((topic, partition))
        if address is None:
            raise ConnectionError(f"{topic}-{partition} has no leader")
        return await self.at(address)

    async def at(self, address: tuple[str, int]) -> Connection:
        """A connection to a node, whatever it leads. OSError if it cannot be reached."""
        connection = self._connections.get(address)
        if connection is None:
            connection = await Connection.open(
                self.executor, *address, client_id=self.client_id, timeout_s=self.timeout_s
            )
            self._connections[address] = connection
        return connection

    async def refresh(self, topic: str) -> int:
        """Refreshes a topic's leaders from Metadata; returns the number of partitions that have one."""
        response = await self._described(topic)
        brokers = {broker.node_id: (broker.host, broker.port) for broker in response.brokers}
        led = 0
        for found in response.topics:
            for partition in found.partitions:
                address = brokers.get(partition.leader_id)
                if address is not None and partition.error_code == 0:
                    self._leaders[topic, partition.partition_index] = address
                    led += 1
        return led

    async def count(self, topic: str) -> int:
        """How many partitions a topic has, with a leader or without; 0 where the topic is not known."""
        return sum(len(found.partitions) for found in (await self._described(topic)).topics)

    async def _described(self, topic: str) -> Any:
        asked = (MetadataRequestTopic(name=TopicName(topic)),)
        request = MetadataRequest(topics=asked, allow_auto_topic_creation=False)
        ask = asking(ApiKey.METADATA, _METADATA, request)
        return await first_answer(
            self.executor, self.bootstrap, ask, client_id=self.client_id, timeout_s=self.timeout_s
        )

    async def offsets(self, topic: str, partition: int) -> tuple[int, int]:
        """(log start offset, high watermark). ClientTrouble when no leader answers within the patience."""
        deadline_ns = self.executor.now_ns() + int(self._patience_s * 1e9)
        while True:
            try:
                start = await self.listed(topic, partition, EARLIEST)
                return int(start.offset), int((await self.listed(topic, partition, LATEST)).offset)
            except (*TROUBLE, ClientTrouble) as trouble:
                self.forget()
                if self.executor.now_ns() > deadline_ns:
                    raise ClientTrouble(f"the offsets of {topic}-{partition} cannot be had: {trouble}") from trouble
                await self.executor.pause(_AGAIN_S)

    async def listed(self, topic: str, partition: int, timestamp: int) -> Any:
        """A partition of a ListOffsets response. ClientTrouble where it holds an error."""
        asked = ListOffsetsPartition(partition_index=partition, timestamp=timestamp)
        request = ListOffsetsRequest(
            replica_id=-1,  # type: ignore[arg-type]
            topics=(ListOffsetsTopic(name=TopicName(topic), partitions=(asked,)),),
        )
        connection = await self.leader(topic, partition)
        response = await asking(ApiKey.LIST_OFFSETS, _LIST_OFFSETS, request)(connection)
        found = response.topics[0].partitions[0]
        if found.error_code:
            raise ClientTrouble(f"ListOffsets: {ErrorCode(found.error_code).name}")
        return found

    def forget(self) -> None:
        """Closes all connections and clears the cache, e.g. after an error; the next request asks for leaders again."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self._leaders.clear()
