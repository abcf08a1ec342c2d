"""Controllers fail, and no metadata is lost.

**Claim** When the active controller is killed, paused or cut off from the others, another one becomes leader within a
time limit, in a later epoch. No epoch has two leaders, and no node leads an earlier epoch after a later one. Topics
whose creation was acknowledged before, during or after the fault exist afterwards on every broker, with the same ids.
Topics can be created again within a time limit after the fault is healed. The controllers hold the same metadata log.

**Why it matters** If a created topic is lost, or two controllers are active at a time, everything that relies on the
metadata breaks.

**Kafka says** KIP-595 (the quorum), KIP-631 (the controller), KIP-996 (pre-vote); Kafka documentation, "KRaft".

**Cannot see** controllers that lose flushed data.

**Rejects** tests/plants/clusters/test_cluster_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

from contextlib import closing
from random import Random

import pytest

from harness.clients.client import ClientTrouble
from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import TROUBLE, NodeClient, until
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise, Unproven, require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.collecting import require_equal_metadata_logs
from harness.targets.node_plan import CONTROLLER
from harness.targets.target import Cluster
from nemesis import controller, isolate_controller, kill, partition, pause
from nemesis.fault import Fault
from nemesis.restore import restore

pytestmark = [
    pytest.mark.cluster(nodes=3),
    pytest.mark.feature("KRaft"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(595, 631, 996),
    pytest.mark.document("Kafka documentation, KRaft", "https://kafka.apache.org/documentation/"),
]
LED_WITHIN_S = 15.0
"""Several times controller.quorum.fetch.timeout.ms (2 s) and controller.quorum.election.timeout.ms (1 s)."""
MADE_WITHIN_S = 60.0
"""A broker waits 30 s (controller.socket.timeout.ms) for a controller that does not answer, before it asks another."""
MADE_AGAIN_WITHIN_S = 20.0
TOLD_WITHIN_S = 10.0
"""Time for brokers to learn of committed changes."""
FAULTS = [kill(controller), pause(controller), partition(isolate_controller)]


class Quorum:
    """The controllers that have reported themselves as leader: at most one in an epoch, and no controller's epoch goes
    back.

    Each controller is asked on its own listener, because brokers would forward the request.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._addresses = {
            node.id: (node.internal_address or node.address[0], node.ports[CONTROLLER])
            for node in cluster.nodes
            if CONTROLLER in node.ports
        }
        self._leaders: dict[int, int] = {}
        self._epochs: dict[int, int] = {}

    def look(self) -> set[int]:
        """The controllers that now report themselves as leader. Raises BrokenPromise if an epoch has two leaders or
        goes back."""
        leading = set()
        for node, address in self._addresses.items():
            try:
                with NodeClient(address, timeout_s=1.0) as client:
                    epoch, leader = client.quorum()
            except TROUBLE:  # down, or not the leader
                continue
            if leader != node:
                continue
            other = self._leaders.setdefault(epoch, node)
            if other != node:
                raise BrokenPromise(
                    f"Nodes {other} and {node} have both led the quorum in epoch {epoch}.",
                    claim="M1",
                    anomaly="two leaders",
                )
            if epoch < self._epochs.get(node, -1):
                raise BrokenPromise(
                    f"Node {node} leads epoch {epoch} of the quorum, after it led epoch {self._epochs[node]}.",
                    claim="M1",
                    anomaly="epoch goes back",
                )
            self._epochs[node] = epoch
            leading.add(node)
        return leading

    @property
    def epoch(self) -> int:
        """The highest epoch that has had a leader."""
        return max(self._leaders, default=-1)


def make_topics(admin: RawAdmin, names: Names, count: int, within_s: float) -> list[str]:
    """Creates topics and returns those that were acknowledged; retries while there is no controller."""
    made: list[str] = []
    deadline = time.monotonic() + within_s
    while len(made) < count and time.monotonic() < deadline:
        topic = names.topic("made")
        try:
            admin.create_topic(topic, 1, 3)
            made.append(topic)
        except (*TROUBLE, ClientTrouble):
            time.sleep(0.2)
    return made


def ids_by_node(cluster: Cluster, topics: list[str]) -> dict[int, dict[str, object]]:
    """Each topic's id, or the error for it, by node and topic."""
    found: dict[int, dict[str, object]] = {}
    for node in cluster.nodes:
        with NodeClient(node.address) as client:
            told = {topic: client.topic(topic) for topic in topics}
        found[node.id] = {name: one.error_code or str(one.topic_id) for name, one in told.items()}
    return found


def require_the_same_everywhere(cluster: Cluster, topics: list[str], ids: dict[str, object]) -> None:
    """Raises BrokenPromise unless all nodes soon know all topics with the same ids, and those in `ids` with these
    ids."""
    deadline = time.monotonic() + TOLD_WITHIN_S
    while True:
        told = ids_by_node(cluster, topics)
        is_one = all(found == told[1] for found in told.values())
        is_known = not any(isinstance(told_id, int) for found in told.values() for told_id in found.values())
        if (is_one and is_known) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    for node, found in told.items():
        require(found, told[1], f"what node {node} says of the topics, as node 1 does")
        require({name: found[name] for name in ids}, ids, f"the ids of the topics made before, on node {node}")
        missing = [name for name, told_id in found.items() if isinstance(told_id, int)]
        require(missing, [], f"the topics that node {node} does not know although they were acknowledged")


@pytest.mark.claim("M1", "M2", "M7", "M9", "L2")
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_the_metadata_stays_when_the_active_controller_fails(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord, chance: Random, fault: Fault
) -> None:
    quorum = Quorum(cluster)
    until(lambda: bool(quorum.look()), LED_WITHIN_S, "a controller leads before the fault")
    before, made = quorum.epoch, make_topics(admin, names, 2, MADE_AGAIN_WITHIN_S)
    ids = ids_by_node(cluster, made)[1]
    view = cluster.view(topics=())
    former = view.active_controller
    try:
        with record.step(str(fault)):
            record.faults += 1
            fault.inject(cluster, fault.plan(view, chance))
        elected = until(
            lambda: bool(quorum.look() - {former}),
            LED_WITHIN_S,
            f"another controller leads when the active one, node {former}, has failed",
        )
        require(quorum.epoch > before, True, f"that the new controller leads a later epoch than {before}")
        record.steps.append(f"another controller led after {elected:.1f} s")
        others = ",".join("{}:{}".format(*node.address) for node in cluster.nodes if node.id != former)
        with closing(RawAdmin(others)) as at_others:
            during = make_topics(at_others, names, 2, MADE_WITHIN_S)
        quorum.look()
    finally:
        with record.step("heal"):
            fault.heal(cluster)
            fault.verify_healed(cluster)
            restore(cluster)
    cluster.wait_healthy()
    quorum.look()
    after = make_topics(admin, names, 1, MADE_AGAIN_WITHIN_S)
    if not after:
        raise BrokenPromise(
            f"No topic could be made within {MADE_AGAIN_WITHIN_S:g} s after the fault was healed.",
            claim="L2",
            anomaly="no recovery",
        )
    if not made or not during:
        raise Unproven(f"{len(made)} topics were made before the fault and {len(during)} during it; both are needed")
    require_the_same_everywhere(cluster, [*made, *during, *after], ids)
    require_equal_metadata_logs(cluster, view.controllers)
