"""A cluster on machines reached by SSH: it is started, harmed, healed, and left as it was found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from confluent_kafka import Producer

from harness.clients.leader_connections import RawAdmin
from harness.pytest_plugin.lacking import skip_for
from harness.replicas.replica_log import read_replica
from harness.targets.machines.cluster import MachineCluster
from harness.targets.target import ClusterSpec, UnknownTarget, resolve
from nemesis.fault_names import fault_named
from nemesis.partition import Between, Partition
from tests.real.machines import Machines, lack, machines

THREE = ClusterSpec(nodes=3)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Three machines."""
    if (found := lack()) is not None:
        skip_for(found)
    with machines(3, tmp_path_factory.mktemp("machines")) as made:
        yield made


@pytest.fixture(scope="module")
def three(standing: Machines) -> Iterator[MachineCluster]:
    """The cluster on them."""
    cluster = resolve(f"ssh:{standing.file}").open(THREE)
    assert isinstance(cluster, MachineCluster)
    yield cluster
    cluster.close()


def test_nodes_that_did_not_run_are_started(three: MachineCluster) -> None:
    assert three.view().brokers == (1, 2, 3)


@pytest.mark.parametrize("fault", ["kill", "pause", "restart"])
def test_a_node_is_harmed_and_healed(three: MachineCluster, fault: str) -> None:
    nemesis = fault_named(fault)
    nemesis.inject(three, nemesis.plan(three.view(), Random(1)))
    nemesis.heal(three)
    nemesis.verify_healed(three)

    three.wait_healthy()


@pytest.mark.parametrize("between", [Between.NODES, Between.CLIENTS], ids=str)
def test_a_node_can_be_cut_off(three: MachineCluster, between: Between) -> None:
    fault = Partition(between=between)
    proof = fault.inject(three, fault.plan(three.view(), Random(1)))
    fault.heal(three)
    fault.verify_healed(three)
    three.wait_healthy()

    assert "got no answer" in proof


def test_the_replicas_of_a_partition_are_read_from_the_nodes(three: MachineCluster, tmp_path: Path) -> None:
    RawAdmin(three.bootstrap).create_topic("copied", replicas=3)
    producer = Producer({"bootstrap.servers": three.bootstrap, "acks": "all"})
    producer.produce("copied", b"1")
    assert producer.flush(30) == 0
    three.wait_healthy()

    folders = [node.fetch_log_dirs(tmp_path)[0] for node in three.nodes]

    logs = [read_replica(number, folder, "copied", 0) for number, folder in enumerate(folders, 1)]
    assert [sum(batch.records for batch in log.batches) for log in logs] == [1, 1, 1]


def test_the_log_of_each_node_is_fetched(three: MachineCluster) -> None:
    assert all("Kafka Server started" in text for text in three.logs().values())


def test_a_check_of_more_brokers_or_other_settings_is_not_for_it(standing: Machines) -> None:
    target = resolve(f"ssh:{standing.file}")
    reasons = [target.lack(ClusterSpec(nodes=5)), target.lack(ClusterSpec(config={"num.partitions": "3"}))]

    assert ["5 brokers are needed" in str(reasons[0]), "cannot be configured" in str(reasons[1])] == [True, True]


def test_nodes_are_left_as_they_were_found(standing: Machines, three: MachineCluster) -> None:
    second = resolve(f"ssh:{standing.file}").open(THREE)
    second.nodes[0].kill()
    second.nodes[1].pause()
    second.close()
    ran_on = standing.pids()
    three.wait_healthy()
    three.close()

    assert (ran_on, standing.pids()) == ([1, 1, 1], [0, 0, 0])


def test_a_machine_with_another_host_key_is_not_trusted(standing: Machines, tmp_path: Path) -> None:
    text = standing.file.read_text(encoding="utf-8").replace('"id_ecdsa"', f'"{standing.file.parent / "id_ecdsa"}"')
    other = "AAAAC3NzaC1lZDI1NTE5AAAAIDdNPKzvKnBWgIgzOHgTJpFoS7Bs6ZoK5mmdnu3ewGVl"
    file = tmp_path / "cluster.toml"
    text = text.replace("[[nodes]]", f'[[nodes]]\nhost_key = "ssh-ed25519 {other}"')
    file.write_text(text.replace('known_hosts = "known_hosts"', ""), encoding="utf-8")

    assert "does not match" in str(resolve(f"ssh:{file}").lack())


def test_a_machine_that_is_not_in_known_hosts_is_refused_before_any_connection(
    standing: Machines, tmp_path: Path
) -> None:
    text = standing.file.read_text(encoding="utf-8").replace('"id_ecdsa"', f'"{standing.file.parent / "id_ecdsa"}"')
    file = tmp_path / "cluster.toml"
    file.write_text(text, encoding="utf-8")
    (tmp_path / "known_hosts").write_text("", encoding="ascii")

    with pytest.raises(UnknownTarget, match=r"node 1: .*known_hosts has no key of"):
        resolve(f"ssh:{file}")
