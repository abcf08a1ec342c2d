"""Controllers of Apache Kafka 4.3.1 and of ours in one quorum whose voters change (KIP-853): voters of each kind come
and go under a leader of the other."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from harness.clients.controllers import controllers_of
from harness.clients.node_client import until
from harness.pytest_plugin.lacking import skip_for
from harness.replicas.collecting import metadata_logs_of, require_equal_metadata_logs
from harness.targets import broker_properties, leftovers
from harness.targets.local_cluster import LocalCluster
from harness.targets.local_node import LocalNode
from harness.targets.mixed import MixedTarget
from harness.targets.node_plan import NodePlan, Role, listeners_of, settings_of
from harness.targets.ports import free_ports
from harness.targets.target import ClusterSpec, resolve
from nemesis.quorum import QuorumState, wait_for_quorum
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import uuid_text
from tests.real.two_kinds import WITHIN_S, create, faults_of

OURS, KAFKAS = "reference", "kafka@4.3.1"
TOOL = "org.apache.kafka.tools.MetadataQuorumCommand"
FIRST, ADDED, JOINING = 1, 2, 3
JOINS = {"controller.quorum.auto.join.enable": "true"}


def target_of(first: str, others: str, spec: ClusterSpec) -> MixedTarget:
    """The target whose nodes are of two kinds in turn."""
    target = resolve(f"mixed:{first},{others}")
    assert isinstance(target, MixedTarget)
    if (lack := target.lack(spec)) is not None:
        skip_for(lack)
    return target


class Voters:
    """Node 1 is a broker and a controller of one kind, nodes 2 and 3 are controllers of the other; node 3 joins the
    voters by itself. Nothing is formatted yet."""

    def __init__(self, first: str, others: str, kafka: Any) -> None:
        target = target_of(first, others, ClusterSpec(nodes=3))
        self._kafka = kafka
        folder = leftovers.new_folder()
        self._cluster_id = broker_properties.new_id()
        software = dict(zip((first, others), target.software(), strict=True))
        self._software = {FIRST: software[first], ADDED: software[others], JOINING: software[others]}
        for one in software.values():
            one.prepare(folder)
        roles = {
            node: (Role.CONTROLLER,) if node != FIRST else (Role.BROKER, Role.CONTROLLER) for node in self._software
        }
        names = {node: listeners_of(of_node, is_alone=False) for node, of_node in roles.items()}
        ports = iter(free_ports(len(list(chain(*names.values())))))
        plans = [
            NodePlan(
                id=node,
                roles=roles[node],
                host="127.0.0.1",
                ports={name: next(ports) for name in names[node]},
                log_dirs=(str(folder / f"data-{node}"),),
                directory_id=broker_properties.new_id(),
            )
            for node in self._software
        ]
        nodes = []
        for plan in plans:
            properties = folder / f"{plan.id}.properties"
            settings = settings_of(plan, plans, JOINS if plan.id == JOINING else {})
            properties.write_text(broker_properties.text_of(settings), encoding="utf-8")
            name = f"{target.name} {plan.id}"
            nodes.append(LocalNode(name=name, plan=plan, properties=properties, software=self._software[plan.id]))
        self.cluster = LocalCluster(nodes, folder, "mixed")

    def node(self, node: int) -> LocalNode:
        """A node by its id."""
        return self.cluster.nodes[node - 1]

    def format(self, node: int, option: str) -> None:
        """Formats a node's folder with the tool of its kind."""
        software = self._software[node]
        command = [*software.format_command(self.node(node).properties, self._cluster_id), option]
        environment = os.environ | software.environment
        subprocess.run(command, cwd=self.cluster.folder, env=environment, capture_output=True, timeout=120, check=True)

    def start(self, node: int) -> None:
        """Starts a node; it answers then."""
        self.node(node).start()
        self.node(node).wait_ready(WITHIN_S)

    def add(self, node: int) -> None:
        """Has Kafka's tool add a controller, once the leader has seen it fetch."""

        def is_added() -> bool:
            done = self._tool("--command-config", self.node(node).properties, "add-controller")
            assert done.returncode == 0 or "TimeoutException" in done.stdout + done.stderr, done.stdout + done.stderr
            return done.returncode == 0

        until(is_added, WITHIN_S, f"controller {node} is added")

    def remove(self, node: int) -> None:
        """Has Kafka's tool remove a voter."""
        (voter,) = [one for one in led(self.cluster).voters if one.node == node]
        directory_id = uuid_text(voter.directory_id)
        done = self._tool("remove-controller", "--controller-id", node, "--controller-directory-id", directory_id)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"KRaft controller {node} with directory id {directory_id}" in done.stdout

    def _tool(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        done: subprocess.CompletedProcess[str] = self._kafka.run(
            TOOL, "--bootstrap-server", self.cluster.bootstrap, *arguments
        )
        return done


@pytest.fixture(
    params=[
        pytest.param((OURS, KAFKAS), id="ours first", marks=pytest.mark.xdist_group("ours first")),
        pytest.param((KAFKAS, OURS), id="Kafka's first", marks=pytest.mark.xdist_group("Kafka's first")),
    ]
)
def voters(request: pytest.FixtureRequest, kafka: Any) -> Iterator[Voters]:
    """Closed at the end."""
    made = Voters(*request.param, kafka)
    yield made
    made.cluster.close()


def led(cluster: LocalCluster, *voters: int) -> QuorumState:
    """The quorum as the broker is told of it, once one of its voters leads it, and these are its voters, if any."""
    return wait_for_quorum(
        cluster.bootstrap, lambda one: one.leader in one.ids and (not voters or set(voters) == set(one.ids))
    )


def require_equal_images(cluster: LocalCluster) -> None:
    """Every node has the same records, and each of its snapshots is the image of those before it."""
    require_equal_metadata_logs(cluster, [node.id for node in cluster.nodes])
    assert [faults_of(log) for log in metadata_logs_of(cluster)] == [[]] * len(cluster.nodes)


def require_created(cluster: LocalCluster, name: str) -> None:
    """A topic can be made: the broker finds a controller that leads."""
    until(lambda: create(cluster.nodes[0], name, ((1,),)) == ErrorCode.NONE, WITHIN_S, f"topic {name} is made")


@pytest.mark.long
def test_voters_of_each_kind_come_and_go_under_a_leader_of_the_other(voters: Voters) -> None:
    voters.format(FIRST, "--standalone")
    voters.format(ADDED, "--no-initial-controllers")
    voters.format(JOINING, "--no-initial-controllers")
    voters.start(FIRST)
    assert led(voters.cluster, FIRST).leader == FIRST

    voters.start(ADDED)
    voters.add(ADDED)
    led(voters.cluster, FIRST, ADDED)
    voters.start(JOINING)
    led(voters.cluster, FIRST, ADDED, JOINING)
    require_created(voters.cluster, "led-by-the-first-kind")

    voters.remove(FIRST)
    assert led(voters.cluster, ADDED, JOINING).leader != FIRST
    require_created(voters.cluster, "led-by-the-other-kind")
    voters.add(FIRST)
    assert led(voters.cluster, FIRST, ADDED, JOINING).leader != FIRST

    voters.remove(ADDED)
    led(voters.cluster, FIRST, JOINING)
    require_created(voters.cluster, "led-by-two")
    require_equal_images(voters.cluster)


@pytest.mark.parametrize(
    ("first", "others"),
    [
        pytest.param(OURS, KAFKAS, id="ours and one of Kafka's"),
        pytest.param(KAFKAS, OURS, id="Kafka's and one of ours", marks=pytest.mark.long),
    ],
)
def test_a_quorum_begins_with_voters_of_both_kinds(first: str, others: str, kafka: Any) -> None:
    spec = ClusterSpec(nodes=1, controllers=2, has_dynamic_voters=True)
    cluster = target_of(first, others, spec).open(spec)
    try:
        before = led(cluster, *controllers_of(cluster))
        told = kafka.say(TOOL, "--bootstrap-server", cluster.bootstrap, "describe", "--status")
        assert [uuid_text(one.directory_id) in told for one in before.voters] == [True] * 2
        require_created(cluster, "made-by-two")

        gone = next(one for one in before.voters if one.node == before.leader)
        leaving = ("--controller-id", gone.node, "--controller-directory-id", uuid_text(gone.directory_id))
        kafka.say(TOOL, "--bootstrap-server", cluster.bootstrap, "remove-controller", *leaving)
        assert led(cluster, *(controllers_of(cluster).keys() - {gone.node})).leader != gone.node
        require_created(cluster, "made-by-one")
        require_equal_images(cluster)
    finally:
        cluster.close()
