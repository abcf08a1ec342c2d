"""Writes three_nodes_of_kafka.log.gz: the metadata log of three nodes of Apache Kafka 4.3.1 that were killed, stopped,
moved to, unregistered and started again. Needs Java; takes four minutes.

python -m tests.vectors.make_three_nodes
"""

from __future__ import annotations

import gzip
import time
from pathlib import Path
from typing import Any, Final

from harness.clients.node_client import NodeClient
from harness.targets.local_cluster import LocalCluster
from harness.targets.target import ClusterSpec, resolve
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest
from reference_broker.wire.messages.unregister_broker_request import UnregisterBrokerRequest
from reference_broker.wire.primitives import BrokerId, TopicName

FILE: Final = Path(__file__).with_name("three_nodes_of_kafka.log.gz")
LONGER_THAN_A_SESSION_S: Final = 14.0
SETTLED_S: Final = 3.0


def topic(name: str, partitions: int, factor: int, **settings: str) -> CreatableTopic:
    """A topic to create; settings with _ for dots."""
    configs = tuple(CreatableTopicConfig(name=key.replace("_", "."), value=value) for key, value in settings.items())
    return CreatableTopic(name=TopicName(name), num_partitions=partitions, replication_factor=factor, configs=configs)


class Life:
    """What is done to the cluster: one node is the active controller all the time, one is killed, one stopped."""

    def __init__(self, cluster: LocalCluster) -> None:
        nodes = {node.id: node for node in cluster.nodes}
        self.home_id = cluster.view().active_controller
        self.victim_id, self.leaver_id = (one for one in nodes if one != self.home_id)
        self.home, self.victim, self.leaver = (nodes[one] for one in (self.home_id, self.victim_id, self.leaver_id))

    def ask(self, key: ApiKey, version: int, request: Any) -> Any:
        """One request to the node that stays."""
        with NodeClient(self.home.address) as client:
            return client.ask(key, version, request)

    def move(self, name: str, partition: int, *replicas: int) -> None:
        """Begin a reassignment; without replicas, cancel it."""
        with NodeClient(self.home.address) as client:
            client.reassign(name, replicas or None, partition)

    def balance(self) -> None:
        """Elect all preferred leaders."""
        self.ask(ApiKey.ELECT_LEADERS, 2, ElectLeadersRequest(topic_partitions=None, timeout_ms=10_000))
        time.sleep(SETTLED_S)

    def start(self, node: Any) -> None:
        """Start a node, and wait until it is in sync."""
        node.start()
        node.wait_ready()
        time.sleep(LONGER_THAN_A_SESSION_S)

    def kill(self) -> None:
        """Kill the victim, and wait until it is fenced."""
        self.victim.kill()
        time.sleep(LONGER_THAN_A_SESSION_S)

    def live(self) -> None:
        """All of it."""
        home, victim, leaver = self.home_id, self.victim_id, self.leaver_id
        topics = (
            topic("t", 6, 3, min_insync_replicas="2"),
            topic("u", 6, 2),
            topic("v", 3, 1),
            topic("w", 4, 3, min_insync_replicas="3"),
            topic("x", 4, 2, unclean_leader_election_enable="true"),
        )
        self.ask(ApiKey.CREATE_TOPICS, 7, CreateTopicsRequest(topics=topics, timeout_ms=10_000))
        time.sleep(SETTLED_S)
        self.kill()
        self.move("u", 0, home, leaver)
        self.move("u", 1, leaver, home)
        self.start(self.victim)
        self.balance()
        self.leaver.stop()
        time.sleep(SETTLED_S)
        self.victim.kill()  # without a majority nothing is decided until the other is back
        self.start(self.leaver)
        self.start(self.victim)
        for name, partition, *replicas in (
            ("t", 0, victim, leaver),
            ("t", 1, leaver),
            ("v", 0, victim),
            ("v", 1, leaver),
            ("v", 2, home),
            ("x", 0, victim, home, leaver),
        ):
            self.move(name, partition, *replicas)
        time.sleep(SETTLED_S)
        self.balance()
        self.kill()
        self.move("t", 3, leaver, victim)
        self.move("t", 3)
        self.move("u", 2, victim)
        self.move("u", 2)
        self.ask(ApiKey.UNREGISTER_BROKER, 0, UnregisterBrokerRequest(broker_id=BrokerId(victim)))
        self.start(self.victim)


def main() -> None:
    """Run the cluster and keep its metadata log."""
    cluster = resolve("kafka@4.3.1").open(ClusterSpec(nodes=3))
    assert isinstance(cluster, LocalCluster)
    try:
        life = Life(cluster)
        life.live()
        life.home.kill()
        (folder,) = life.home.data_dir.rglob("__cluster_metadata-0")
        (log,) = folder.glob("*.log")
        FILE.write_bytes(gzip.compress(log.read_bytes(), mtime=0))
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
