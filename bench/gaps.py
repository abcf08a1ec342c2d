"""How long nothing is acknowledged (acks=all) when a partition's leader is killed, or cut off from the other nodes.

The client is the project's own: it asks the nodes that live for the leader every 20 ms, and gives an attempt up after
a quarter of a second. So the figure is the brokers' and not that of a client's timers: librdkafka looks at some things
once a second only, and goes on asking a leader that is cut off.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from harness.clients.connection import RawConnection
from harness.clients.leader_connections import TROUBLE
from harness.targets.local_cluster import LocalCluster
from harness.targets.local_node import LocalNode
from nemesis.cuts import cut_of
from nemesis.rules import node_name
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import Record, encode_batch

TOPIC = TopicName("bench-gap")
LIMIT_S = 90.0
EVERY_S = 0.02
ATTEMPT_S = 0.25
BEFORE = 50
"""Acknowledgements before the fault, and after it until the measurement ends."""

Fault = Callable[[LocalCluster, LocalNode], None]


def kill(_: LocalCluster, leader: LocalNode) -> None:
    """kill -9."""
    leader.kill()


def cut_off(cluster: LocalCluster, leader: LocalNode) -> None:
    """The leader and the other nodes no longer hear each other; clients still reach all of them."""
    name = node_name(leader.id)
    others = [node_name(node.id) for node in cluster.nodes if node is not leader]
    links = [link for other in others for link in ((name, other), (other, name))]
    cut_of(cluster).make(cluster, links, None)


def gap_s(cluster: LocalCluster, fault: Fault) -> float:
    """The longest time in s between two acknowledgements, from the last one before the fault on.

    The leader is not the active controller: only the partition's failover is measured. TimeoutError when nothing is
    acknowledged for 90 s.
    """
    leader = _led(cluster)
    others = [node for node in cluster.nodes if node is not leader]
    client = _Client(others, cluster.nodes)
    client.acknowledge(BEFORE)
    after = len(client.times)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(fault, cluster, leader)  # which proves its effect, and takes its time
        while not done.done():
            client.acknowledge(1)
        done.result()
    client.acknowledge(BEFORE)
    client.close()
    return max(later - earlier for earlier, later in itertools.pairwise(client.times[after - 1 :]))


def librdkafka_gap_s(cluster: LocalCluster) -> float:
    """The same for a leader that is killed, as librdkafka with short back-offs sees it."""
    leader = _led(cluster)
    times: list[float] = []
    settings = {"acks": "all", "linger.ms": 0, "retry.backoff.ms": 20, "retry.backoff.max.ms": 100, "log_level": 0}
    settings |= {"reconnect.backoff.max.ms": 100, "topic.metadata.refresh.fast.interval.ms": 50}
    producer = Producer({"bootstrap.servers": cluster.bootstrap, **settings})

    def acknowledged(error: object, _: object) -> None:
        if error is None:
            times.append(time.perf_counter())

    def acknowledge(until: Callable[[], bool]) -> None:
        deadline = time.perf_counter() + LIMIT_S
        while not until():
            if time.perf_counter() > deadline:
                raise TimeoutError("nothing was acknowledged after the fault")
            producer.produce(TOPIC, b"x", on_delivery=acknowledged)
            producer.poll(EVERY_S)

    acknowledge(lambda: len(times) > BEFORE)
    leader.kill()
    killed = time.perf_counter()
    acknowledge(lambda: sum(one > killed + EVERY_S for one in times[-2 * BEFORE :]) > BEFORE)
    after = [one for one in times if one <= killed][-1:] + [one for one in times if one > killed]
    return max(later - earlier for earlier, later in itertools.pairwise(after))


def _led(cluster: LocalCluster) -> LocalNode:
    """Creates the topic; the node that leads its partition, which is not the active controller."""
    controller = cluster.view().active_controller
    leader = next(node for node in cluster.nodes if node.id != controller)
    replicas = [leader.id, *(node.id for node in cluster.nodes if node is not leader)]
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 3})
    admin.create_topics([NewTopic(TOPIC, 1, replica_assignment=[replicas])])[TOPIC].result(LIMIT_S)
    return leader


class _Client:
    """One record at a time to whichever node leads the partition in the view of some nodes."""

    def __init__(self, asked: Sequence[LocalNode], all_nodes: Sequence[LocalNode]) -> None:
        self._asked = asked
        self._addresses = {node.id: node.address for node in all_nodes}
        self._open: dict[int, RawConnection] = {}
        self.times: list[float] = []
        """When each acknowledgement came."""
        batch = encode_batch([Record(offset=0, timestamp=0, key=None, value=b"x")])
        partition = PartitionProduceData(index=0, records=batch)
        topic = TopicProduceData(name=TOPIC, partition_data=(partition,))
        self._produce = ProduceRequest(acks=-1, timeout_ms=30_000, topic_data=(topic,))
        self._metadata = MetadataRequest(topics=(MetadataRequestTopic(name=TOPIC),), allow_auto_topic_creation=False)

    def acknowledge(self, count: int) -> None:
        """Send until so many more records are acknowledged. TimeoutError when that takes 90 s."""
        deadline = time.perf_counter() + LIMIT_S
        while count:
            if time.perf_counter() > deadline:
                raise TimeoutError("nothing was acknowledged after the fault")
            if self._attempt():
                self.times.append(time.perf_counter())
                count -= 1
            time.sleep(EVERY_S)

    def close(self) -> None:
        """Closes its connections."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def _attempt(self) -> bool:
        leader = self._leader()
        if leader is None:
            return False
        answer = self._request(leader, ApiKey.PRODUCE, 9, self._produce)
        return answer is not None and not answer.responses[0].partition_responses[0].error_code

    def _leader(self) -> int | None:
        for node in self._asked:
            answer = self._request(node.id, ApiKey.METADATA, 9, self._metadata)
            if answer is not None:
                (topic,) = answer.topics
                return next((one.leader_id for one in topic.partitions if one.leader_id >= 0), None)
        return None

    def _request(self, node_id: int, api_key: ApiKey, version: int, message: Any) -> Any:
        """The answer of a node; None where it does not answer in time."""
        try:
            if node_id not in self._open:
                self._open[node_id] = RawConnection(*self._addresses[node_id], timeout_s=ATTEMPT_S)
            return self._open[node_id].request(api_key, version, message)
        except TROUBLE:
            if (broken := self._open.pop(node_id, None)) is not None:
                broken.close()
            return None
