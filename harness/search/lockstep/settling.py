"""Waits until a cluster of several nodes stands still: after a change of metadata, an election, a fault.

Only then have two clusters something to compare: what happens on the way depends on how fast each is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.clients.client import ClientTrouble
from harness.clients.node_client import TROUBLE, NodeClient
from harness.targets.target import Cluster, Node
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.primitives import BrokerId, TopicName

PATIENCE_S: Final = 90.0
EVERY_S: Final = 0.02
LEADERLESS_S: Final = 2.0
"""A partition that has a live replica and no leader for so long waits for another replica."""
LATEST: Final = -1
LIST_OFFSETS: Final = 7
METADATA: Final = 12


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition as a node tells it."""

    leader: int
    epoch: int
    replicas: tuple[int, ...]
    isr: frozenset[int]


Partitions = Mapping[tuple[str, int], Partition]


def settle(target: str, cluster: Cluster, prefix: str) -> None:
    """Returns once all nodes that run are unfenced, tell the same of the topics whose names begin with `prefix`, with
    every replica in sync whose node runs, and act on it. ClientTrouble, with what is wrong, after 90 s."""
    running = [node for node in cluster.nodes if node.is_alive()]
    deadline, since, last = time.monotonic() + PATIENCE_S, time.monotonic(), None
    while True:
        try:
            told = [_told(node, prefix) for node in running]
            if told[0] != last:
                since, last = time.monotonic(), told[0]
            wrong = _wrong(told, {node.id for node in running}, time.monotonic() - since)
            wrong = wrong or next((why for node in running if (why := _not_acted(node, told[0][1]))), "")
        except TROUBLE as trouble:
            wrong = str(trouble)
        if not wrong:
            return
        if time.monotonic() > deadline:
            raise ClientTrouble(f"{target}: the cluster does not settle within {PATIENCE_S:g} s: {wrong}")
        time.sleep(EVERY_S)


Told = tuple[frozenset[int], Partitions]


def _told(node: Node, prefix: str) -> Told:
    with NodeClient(node.address, timeout_s=5.0) as client:
        request = MetadataRequest(topics=None, allow_auto_topic_creation=False)
        answer: Any = client.ask(ApiKey.METADATA, METADATA, request)
    brokers = frozenset(int(one.node_id) for one in answer.brokers)
    return brokers, {
        (str(topic.name), int(one.partition_index)): Partition(
            int(one.leader_id), int(one.leader_epoch), tuple(one.replica_nodes), frozenset(one.isr_nodes)
        )
        for topic in answer.topics
        if str(topic.name).startswith(prefix)
        for one in topic.partitions
    }


def _wrong(told: list[Told], running: set[int], unchanged_s: float) -> str:
    brokers, partitions = told[0]
    if any(one != told[0] for one in told):
        return "the nodes tell different things"
    if brokers != running:
        return f"brokers {sorted(brokers)} are unfenced, and {sorted(running)} run"
    for (topic, index), one in partitions.items():
        alive = running & set(one.replicas)
        if one.leader == -1:
            if alive and unchanged_s < LEADERLESS_S:
                return f"{topic}-{index} has no leader"
        elif one.leader not in running or set(one.isr) != alive:
            return f"{topic}-{index} is led by {one.leader} with the ISR {sorted(one.isr)}; {sorted(alive)} run"
    return ""


def _not_acted(node: Node, partitions: Partitions) -> str:
    """Why a node does not act yet on what it tells: it tells of a leader a little before it leads or follows."""
    led = {where: one for where, one in partitions.items() if one.leader != -1}
    if not led:
        return ""
    topics: dict[str, list[ListOffsetsPartition]] = {}
    for (topic, index), one in led.items():
        asked = ListOffsetsPartition(partition_index=index, current_leader_epoch=one.epoch, timestamp=LATEST)
        topics.setdefault(topic, []).append(asked)
    request = ListOffsetsRequest(
        replica_id=BrokerId(-1),
        topics=tuple(
            ListOffsetsTopic(name=TopicName(topic), partitions=tuple(asked)) for topic, asked in topics.items()
        ),
    )
    with NodeClient(node.address, timeout_s=5.0) as client:
        answer: Any = client.ask(ApiKey.LIST_OFFSETS, LIST_OFFSETS, request)
    for topic in answer.topics:
        for one in topic.partitions:
            is_leader = led[str(topic.name), one.partition_index].leader == node.id
            wanted = ErrorCode.NONE if is_leader else ErrorCode.NOT_LEADER_OR_FOLLOWER
            if one.error_code != wanted:
                code = ErrorCode(one.error_code).name
                return f"node {node.id} answers {code} for {topic.name}-{one.partition_index}"
    return ""
