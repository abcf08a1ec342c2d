"""A topic that is created again has, on every node, none of the settings of the deleted topic of its name.

**Claim** A topic that is created without settings, under the name of a deleted topic that had some, has no settings of
its own on any node, not even on a node that was down while the first topic was created with settings and deleted.

**Why it matters** Each node applies the settings that it knows. If a node keeps those of a deleted topic, the new
topic's partitions that it leads have another retention than the others, and records may be deleted too early.

**Kafka says** KIP-631 (RemoveTopicRecord also removes the topic's settings).

**Cannot see** whether a node applies the settings that it reports.

**Rejects** tests/plants/clusters/test_leftover_settings_checks.py::test_a_node_that_keeps_old_settings_is_rejected
"""

from __future__ import annotations

import pytest

from harness.clients.node_admin import NodeAdmin
from harness.clients.node_client import TROUBLE
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.targets.node_plan import Role
from harness.targets.target import Cluster
from nemesis.restore import restore
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.cluster(nodes=3),
    pytest.mark.feature("KRaft"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(631),
]
SEEN_WITHIN_S = 15.0
"""More than the time that a node needs to learn of a change if there is no fault."""
SETTINGS = {"retention.ms": "86400000"}


@pytest.mark.claim("M3", "M7")
def test_every_node_tells_no_settings_of_the_topic_before(cluster: Cluster, names: Names) -> None:
    """If all nodes were up all the time, no node reports a setting of the deleted topic."""
    topic = names.topic("orders")
    make_and_delete(cluster, topic)
    make_again(cluster, topic)


@pytest.mark.claim("M3", "M7")
def test_a_node_that_was_away_tells_no_settings_of_the_topic_before(
    cluster: Cluster, names: Names, record: CheckRecord
) -> None:
    """A node that was down while the deleted topic existed reports none of its settings either."""
    topic = names.topic("orders")
    node = cluster.nodes[-1]
    try:
        with record.step(f"kill node {node.id}"):
            record.faults += 1
            node.kill()
        make_and_delete(cluster, topic)
    finally:
        with record.step(f"start node {node.id}"):
            restore(cluster)
    cluster.wait_healthy()
    make_again(cluster, topic)


def make_and_delete(cluster: Cluster, topic: str) -> None:
    """Creates a topic with settings, and deletes it."""
    with NodeAdmin(cluster.nodes[0].address) as client:
        require(client.create_topic(topic, 1, 2, SETTINGS), ErrorCode.NONE, "the answer to the creation")
        require(client.delete_topic(topic), ErrorCode.NONE, "the answer to the deletion")


def make_again(cluster: Cluster, topic: str) -> None:
    """Creates the topic again; raises BrokenPromise unless every node soon knows it without settings of its own."""
    with NodeAdmin(cluster.nodes[0].address) as client:
        require(client.create_topic(topic, 1, 2), ErrorCode.NONE, "the answer to the second creation")
    for node in cluster.nodes:
        if Role.BROKER in node.roles:
            require(
                settled(node.address, topic), {}, f"the settings of {topic}, made again with none, on node {node.id}"
            )


def settled(address: tuple[str, int], topic: str) -> dict[str, str] | None:
    """The topic's own settings, as a node reports them: as soon as there are none, otherwise when time is up."""
    deadline = time.monotonic() + SEEN_WITHIN_S
    found: dict[str, str] | None = None
    while time.monotonic() < deadline:
        try:
            with NodeAdmin(address) as client:
                found = client.own_config(topic)
        except TROUBLE:
            found = None
        if found == {}:
            break
        time.sleep(0.2)
    return found
