"""Calls of a client in a world: requests as messages, a connection for each node, who leads a partition."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, Final

from reference_broker.simulation.client import ConnectionLost, RawConnection
from reference_broker.simulation.network import Address
from reference_broker.simulation.tasks import Promise
from reference_broker.simulation.world import World
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.framing import decode_response, encode_request
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.messages.metadata_response import MetadataResponse
from reference_broker.wire.primitives import TopicName, Uuid

LIMIT_MS: Final = 1500
"""How long a client waits for a response."""
METADATA_LIMIT_MS: Final = 300
"""The same for metadata, which no broker holds back: another broker may know them."""
Waits = Generator[Promise[Any], Any, Any]


class NoLeader(Exception):
    """Nobody leads a partition that a client asked for, or no node says who does."""


class Caller:
    """One client, at a place of its own."""

    def __init__(self, world: World, bootstrap: Sequence[Address]) -> None:
        self.world, self._bootstrap = world, tuple(bootstrap)
        self.place = world.new_client()
        self._connections: dict[Address, RawConnection] = {}
        self._leaders: dict[tuple[str, int], tuple[Address, Uuid]] = {}
        self._count = 0
        self._turn = -self.place

    def call(self, address: Address, api_key: ApiKey, message: Any, limit_ms: int = LIMIT_MS) -> Waits:
        """The response, in the latest version. ConnectionLost where none comes in time."""
        connection = self._connections.get(address)
        if connection is None or connection.closed is not None:
            connection = self._connections[address] = RawConnection(self.world, self.place, address)
        version = APIS[api_key].valid[1] - int(APIS[api_key].latest_is_unstable)
        self._count += 1
        frame = encode_request(api_key, version, self._count, "client", message)
        promise = connection.request(b"".join(frame))  # type: ignore[arg-type]
        self.world.after(limit_ms * 1000, self._expire, connection, promise)
        data = yield promise
        return decode_response(api_key, version, data)[1]

    def _expire(self, connection: RawConnection, promise: Promise[bytes]) -> None:
        if not promise.is_done:
            connection.close("no response in time")

    def call_any(self, api_key: ApiKey, message: Any, limit_ms: int = LIMIT_MS) -> Waits:
        """The same of a broker, another one each time."""
        self._turn += 1
        return (yield from self.call(self._bootstrap[self._turn % len(self._bootstrap)], api_key, message, limit_ms))

    def metadata(self, topic: str) -> Waits:
        """What a broker says of a topic."""
        asked = MetadataRequestTopic(name=TopicName(topic))
        request = MetadataRequest(topics=(asked,), allow_auto_topic_creation=False)
        return (yield from self.call_any(ApiKey.METADATA, request, METADATA_LIMIT_MS))

    def leader(self, topic: str, partition: int) -> Waits:
        """Where a partition's leader listens, and the topic's id. NoLeader, ConnectionLost."""
        known = self._leaders.get((topic, partition))
        if known is not None:
            return known
        answer: MetadataResponse = yield from self.metadata(topic)
        brokers = {one.node_id: (one.host, one.port) for one in answer.brokers}
        for found in answer.topics:
            for one in found.partitions:
                if one.leader_id in brokers:
                    self._leaders[topic, one.partition_index] = (brokers[one.leader_id], found.topic_id)
        if (topic, partition) not in self._leaders:
            raise NoLeader(f"{topic}-{partition}")
        return self._leaders[topic, partition]

    def forget(self, topic: str, partition: int) -> None:
        """Ask anew who leads."""
        self._leaders.pop((topic, partition), None)


TROUBLE: Final = (ConnectionLost, NoLeader)
