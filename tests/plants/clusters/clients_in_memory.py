"""What checks ask a cluster in memory with: an admin client that makes topics, and a client of one node."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from harness.clients.node_client import Fetched, Produced
from reference_broker.wire.errors import ErrorCode
from tests.plants.clusters.cluster_in_memory import BROKERS, MemoryCluster, Partition


class MemoryAdmin:
    """Makes topics there (RawAdmin)."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster

    def create_topic(
        self, topic: str, partitions: int = 1, replicas: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        cluster, settings = self._cluster, config or {}
        if cluster.has("makes no topic after a failover") and cluster.has_failed_over:
            raise ConnectionError("no controller answers")
        cluster.made_topics += 1
        chosen = BROKERS[:replicas]
        cluster.topics[topic] = Partition(
            replicas=chosen,
            isr=tuple(one for one in chosen if one in cluster.usable()),
            leader=cluster.usable()[0],
            topic_id=cluster.made_topics,
            count=partitions,
            min_insync=int(settings.get("min.insync.replicas", 1)),
            is_unclean=settings.get("unclean.leader.election.enable") == "true",
            logs={one: [] for one in chosen},
        )

    def offsets(self, topic: str, partition: int) -> tuple[int, int]:
        found = self._cluster.topics[topic]
        return 0, min(len(found.logs[one]) for one in found.isr)

    def close(self) -> None:
        """Nothing is open."""


class MemoryClient:
    """Asks one node (NodeClient)."""

    def __init__(self, cluster: MemoryCluster, address: tuple[str, int]) -> None:
        self._cluster = cluster
        self._id = next(node.id for node in cluster.nodes if node.address[0] == address[0])
        if self._id not in cluster.usable():
            raise ConnectionRefusedError(f"node {self._id} is away")

    def __enter__(self) -> MemoryClient:
        return self

    def __exit__(self, *ended: object) -> None:
        """Nothing is open."""

    def produce(self, topic: str, *values: str, acks: int = -1, **more: Any) -> Produced:
        found = self._cluster.topics[topic]
        if found.leader != self._id:
            return Produced(ErrorCode.NOT_LEADER_OR_FOLLOWER, -1)
        is_lax = self._cluster.has("acknowledges with too few replicas")
        if found.is_new and self._cluster.has("takes no record after a failover"):
            return Produced(ErrorCode.NOT_ENOUGH_REPLICAS, -1)
        if acks == -1 and len(found.isr) < found.min_insync and not is_lax:
            if self._cluster.has("keeps what it refuses"):
                found.logs[self._id] += values
            return Produced(ErrorCode.NOT_ENOUGH_REPLICAS, -1)
        offset = len(found.logs[self._id])
        if not (acks == 1 and self._cluster.has("writes acks=1 nowhere")):
            for node in found.isr:
                found.logs[node] += values
        return Produced(ErrorCode.NONE, offset)

    def fetch(self, topic: str, offset: int, *, rack: str = "", **more: Any) -> Fetched:
        found = self._cluster.topics[topic]
        values = list(enumerate(found.logs[self._id]))[offset:]
        is_follower = found.leader != self._id
        if is_follower and self._cluster.has("serves what is not committed"):
            values.append((len(found.logs[self._id]), "not committed"))
        if is_follower and self._cluster.has("takes back what a follower served"):
            del values[len(values) % 3 + 1 :]
        sent_to = next((node.id for node in self._cluster.nodes if node.rack == rack and node.id in found.isr), -1)
        is_sent = not is_follower and sent_to != self._id and not self._cluster.has("sends nobody to followers")
        return Fetched(
            error=ErrorCode.NONE,
            values=tuple(values),
            high_watermark=len(found.logs[self._id]),
            preferred_replica=sent_to if is_sent else -1,
        )

    def quorum(self) -> tuple[int, int]:
        return self._cluster.epoch, self._cluster.controller

    def reassign(self, topic: str, replicas: tuple[int, ...] | None, partition: int = 0) -> ErrorCode:
        self._cluster.move(self._cluster.topics[topic], replicas)
        return ErrorCode.NONE

    def elect_preferred(self, topic: str, partition: int = 0) -> ErrorCode:
        found = self._cluster.topics[topic]
        if found.leader == found.replicas[0]:
            return ErrorCode.ELECTION_NOT_NEEDED
        if not self._cluster.has("elects nobody"):
            found.leader = found.replicas[0]
        return ErrorCode.NONE

    def topic(self, name: str) -> Any:
        found = self._cluster.topics.get(name)
        if found is None:
            return SimpleNamespace(error_code=int(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION), topic_id=None)
        return SimpleNamespace(error_code=0, topic_id=UUID(int=found.topic_id))
