"""Apache Kafka in containers on several nodes: a pair for each, with a fixed address on a network of the run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from confluent_kafka import Producer

from harness.clients.leader_connections import RawAdmin
from harness.hosts.host import HostTrouble
from harness.pytest_plugin.lacking import skip_for
from harness.replicas.replica_log import read_replica
from harness.targets.containers.cluster import ContainerCluster
from harness.targets.node_plan import Role
from harness.targets.target import ClusterSpec, resolve
from nemesis.partition import Between, Partition

pytestmark = pytest.mark.long  # .ci/run has checks on such a cluster
TARGET = f"docker@{os.environ.get('KAFKA_IMAGE', 'local/kafka:4.3.1')}"


def opened(spec: ClusterSpec) -> Iterator[ContainerCluster]:
    target = resolve(TARGET)
    if (lack := target.lack(spec)) is not None:
        skip_for(lack)
    cluster = target.open(spec)
    assert isinstance(cluster, ContainerCluster)
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def three() -> Iterator[ContainerCluster]:
    """Three combined nodes."""
    yield from opened(ClusterSpec(nodes=3, racks=("a", "b")))


def test_every_node_is_broker_and_voter(three: ContainerCluster) -> None:
    view = three.view()

    assert (view.brokers, view.controllers) == ((1, 2, 3), (1, 2, 3))


def test_every_node_has_an_address_of_its_own(three: ContainerCluster) -> None:
    assert len({node.internal_address for node in three.nodes}) == 3


def test_a_node_reaches_another_from_its_own_address(three: ContainerCluster) -> None:
    first, second = three.nodes[:2]
    words = f"exec 3<>/dev/tcp/{second.internal_address}/{second.ports['INTERNAL']}"

    assert first.host.run(["timeout", "5", "bash", "-c", words]).status == 0


def test_a_node_that_was_killed_is_well_again_only_with_its_own_answer(three: ContainerCluster) -> None:
    node = three.nodes[1]
    node.kill()
    with pytest.raises(HostTrouble, match="node 2 ended before it was ready"):
        node.wait_ready(5)
    node.start()
    node.wait_ready()

    three.wait_healthy()

    assert three.view().brokers == (1, 2, 3)


@pytest.mark.parametrize("between", [Between.NODES, Between.CLIENTS], ids=str)
def test_a_node_can_be_cut_off(three: ContainerCluster, between: Between) -> None:
    fault = Partition(between=between)
    act = fault.plan(three.view(), Random(1))
    proof = fault.inject(three, act)
    fault.heal(three)
    fault.verify_healed(three)
    three.wait_healthy()

    assert "got no answer" in proof


def test_the_replicas_of_a_partition_are_read_from_the_nodes(three: ContainerCluster, tmp_path: Path) -> None:
    RawAdmin(three.bootstrap).create_topic("copied", replicas=3)
    producer = Producer({"bootstrap.servers": three.bootstrap, "acks": "all"})
    producer.produce("copied", b"1")
    assert producer.flush(30) == 0
    three.wait_healthy()

    folders = [node.fetch_log_dirs(tmp_path)[0] for node in three.nodes]

    logs = [read_replica(number, folder, "copied", 0) for number, folder in enumerate(folders, 1)]
    assert [sum(batch.records for batch in log.batches) for log in logs] == [1, 1, 1]


def test_controllers_may_be_nodes_of_their_own() -> None:
    for cluster in opened(ClusterSpec(nodes=1, controllers=1)):
        assert [node.roles for node in cluster.nodes] == [(Role.BROKER,), (Role.CONTROLLER,)]
        assert cluster.view().controllers == (101,)
