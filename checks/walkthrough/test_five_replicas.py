"""Five replicas with two dead, a split of two and three, a controller on each side.

**Claim** A topic with five replicas and min.insync.replicas=3 takes writes with two of its nodes dead. When the network
is split so that its leader and the active controller are on a side of two, the side of three elects another controller
and then another leader, each in a later epoch, and takes writes; on the side of two nothing is acknowledged, whatever
its nodes still say of themselves. After the heal all five nodes name the later leader, and all replicas are equal: the
record that the side of two took and never acknowledged is gone.

**Why it matters** It is what replication and a quorum are for, seen from both sides of a split. checks/walkthrough/
five_replicas.md tells it step by step.

**Kafka says** KIP-595 (the quorum), KIP-631 (fencing), KIP-101 (truncation by leader epoch), KIP-966
(min.insync.replicas); Kafka documentation, "Replication".

**Cannot see** clients that are on the side of two only; checks/metadata/quorum_splits has other splits.

**Rejects** tests/plants/brokers/acknowledges_before_replication.py
"""

from __future__ import annotations

from random import Random

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import TROUBLE, NodeClient, until
from harness.judging.outcome import BrokenPromise, require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.collecting import require_equal_replicas
from harness.targets.node_plan import CONTROLLER
from harness.targets.target import Cluster, Node
from nemesis import isolate, partition
from nemesis.node_specs import exactly
from nemesis.restore import restore
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.long,
    pytest.mark.cluster(nodes=5),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(595, 631, 101, 966),
    pytest.mark.document("Kafka documentation, Replication", "https://kafka.apache.org/documentation/"),
]
SETTLED_WITHIN_S = 60.0
FENCED_WITHIN_S = 20.0
"""Several times the session of a broker and the fetch timeout of the quorum, as the harness sets them."""
SHORT_MS = 3_000


class Story:
    """Tells what happens: in the stored steps, and on the terminal where output is shown (`-s`)."""

    def __init__(self, record: CheckRecord) -> None:
        self._record = record

    def tell(self, text: str) -> None:
        """A line."""
        self._record.steps.append(text)
        print(f"  {text}")


def lead_from(cluster: Cluster, topic: str, first: int) -> None:
    """Makes a node the preferred leader of partition 0, and the leader."""
    replicas = (first, *(one.id for one in cluster.nodes if one.id != first))
    with NodeClient(cluster.nodes[0].address) as client:
        require(client.reassign(topic, replicas), ErrorCode.NONE, "the answer to another order of replicas")
        code = client.elect_preferred(topic)
    require(code in (ErrorCode.NONE, ErrorCode.ELECTION_NOT_NEEDED), True, "that the preferred leader is elected")
    until(
        lambda: cluster.view(topics=[topic]).leader_of(topic) == first,
        SETTLED_WITHIN_S,
        f"node {first} leads {topic}-0",
    )


def says(node: Node, topic: str) -> tuple[int, int]:
    """(leader, leader epoch) of partition 0 as a node tells it; (-1, -1) where it does not answer."""
    try:
        with NodeClient(node.address, timeout_s=3.0) as client:
            (found,) = client.topic(topic).partitions
            return int(found.leader_id), int(found.leader_epoch)
    except TROUBLE:
        return -1, -1


def controller_of(nodes: list[Node]) -> tuple[int, int]:
    """(quorum epoch, leader) as a controller says that leads it; (-1, -1) without one among these nodes."""
    found = (-1, -1)
    for node in nodes:
        address = (node.internal_address or node.address[0], node.ports[CONTROLLER])
        try:
            with NodeClient(address, timeout_s=2.0) as client:
                epoch, leader = client.quorum()
        except TROUBLE:
            continue
        if leader == node.id:
            found = max(found, (epoch, leader))
    return found


def ids(nodes: list[Node]) -> str:
    return ", ".join(str(one.id) for one in nodes)


@pytest.mark.claim("D1", "D3", "D5", "D6", "M1", "M9", "L2")
def test_two_of_five_are_dead_and_then_cut_off(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord, chance: Random
) -> None:
    story, topic = Story(record), names.topic("orders")
    admin.create_topic(topic, 1, 5, {"min.insync.replicas": "3"})
    view = cluster.view(topics=[topic])
    assert view.active_controller is not None
    first = view.active_controller
    lead_from(cluster, topic, first)
    nodes = {node.id: node for node in cluster.nodes}
    others = [node for node in cluster.nodes if node.id != first]
    split = partition(isolate(exactly(first, others[0].id)))
    if (lack := split.lack(cluster)) is not None:
        pytest.skip(lack.reason)
    small, large = [nodes[first], others[0]], others[1:]
    try:
        story.tell(f"node {first} is the active controller and leads the partition; all five are in sync")
        with record.step(f"kill nodes {ids(others[:2])}"):
            for node in others[:2]:
                record.faults += 1
                node.kill()
        with NodeClient(nodes[first].address, timeout_s=60.0) as client:
            code = client.produce(topic, "by three", timeout_ms=30_000).error
        require(code, ErrorCode.NONE, "the answer to acks=all with two of five dead and min.insync.replicas=3")
        story.tell("two are dead: a write with acks=all is acknowledged by the three that are left")
        restore(cluster)
        cluster.wait_healthy()
        story.tell("the two are back, and in sync again")

        before = controller_of(list(cluster.nodes))
        led_epoch = says(nodes[first], topic)[1]
        with record.step(f"split {ids(small)} | {ids(large)}"):
            record.faults += 1
            split.inject(cluster, split.plan(view, chance))
        with NodeClient(nodes[first].address, timeout_s=30.0) as client:
            lonely = client.produce(topic, "by two", timeout_ms=SHORT_MS).error
        if lonely is ErrorCode.NONE:
            raise BrokenPromise("The side of two has acknowledged a write that needs three.", claim="D3")
        story.tell(f"split: on the side of two a write is refused or times out ({lonely.name})")
        until(lambda: controller_of(large) > before, FENCED_WITHIN_S, "the side of three has another controller")
        after = controller_of(large)
        story.tell(f"the side of three elects controller {after[1]} in epoch {after[0]}; before it was {before[0]}")
        until(
            lambda: all(says(node, topic)[0] in [one.id for one in large] for node in large),
            FENCED_WITHIN_S,
            "the side of three has another leader",
        )
        leader, epoch = says(large[0], topic)
        require(epoch > led_epoch, True, "that the leader of the side of three has a later epoch")
        story.tell(f"and leader {leader} in leader epoch {epoch}; the side of two still says {says(small[1], topic)}")
        with NodeClient(nodes[leader].address, timeout_s=60.0) as client:
            code = client.produce(topic, "by the other three", timeout_ms=30_000).error
        require(code, ErrorCode.NONE, "the answer of the side of three to acks=all")
        story.tell("the side of three acknowledges writes")
        until(lambda: controller_of(small) == (-1, -1), FENCED_WITHIN_S, "no controller leads on the side of two")
        story.tell("the controller of the side of two has heard nobody for a while and has resigned")
    finally:
        with record.step("heal"):
            split.heal(cluster)
            split.verify_healed(cluster)
            restore(cluster)
    cluster.wait_healthy()
    told = {says(node, topic) for node in cluster.nodes}
    require(len(told), 1, "how many different leaders the five nodes name after the heal")
    ((leader, epoch),) = told
    story.tell(f"healed: all five name leader {leader} in leader epoch {epoch}")
    with NodeClient(nodes[leader].address) as client:
        found = [value for _, value in client.fetch(topic, 0).values]
    require(found, ["by three", "by the other three"], "what the partition holds")
    require_equal_replicas(cluster, topic, 1)
    story.tell("all five replicas are equal; what the side of two took without acknowledging it is gone")
