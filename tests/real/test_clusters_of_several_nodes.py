"""Apache Kafka on several nodes: with addresses of their own, on loopback, with controllers apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.hosts import namespaces
from harness.hosts.host import HostTrouble
from harness.hosts.lack import Lack, Means
from harness.pytest_plugin.lacking import skip_for
from harness.targets.local_cluster import LocalCluster
from harness.targets.node_plan import Role
from harness.targets.target import ClusterSpec, resolve


def opened(spec: ClusterSpec) -> Iterator[LocalCluster]:
    target = resolve("kafka@4.3.1")
    if (lack := target.lack(spec)) is not None:
        skip_for(lack)
    cluster = target.open(spec)
    assert isinstance(cluster, LocalCluster)
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def three() -> Iterator[LocalCluster]:
    """Three combined nodes in namespaces."""
    if (lack := namespaces.lack()) is not None:
        skip_for(lack)
    yield from opened(ClusterSpec(nodes=3, racks=("a", "b")))


def test_every_node_is_broker_and_voter(three: LocalCluster) -> None:
    view = three.view()

    assert (view.brokers, view.controllers) == ((1, 2, 3), (1, 2, 3))
    assert view.active_controller in (1, 2, 3)


def test_racks_are_given_in_turn(three: LocalCluster) -> None:
    assert [node.rack for node in three.nodes] == ["a", "b", "a"]


def test_every_node_has_an_address_of_its_own(three: LocalCluster) -> None:
    addresses = [node.internal_address for node in three.nodes]

    assert len(set(addresses)) == 3
    assert three.lack_for_fault("partition") is None


def test_a_node_reaches_another_from_its_own_address(three: LocalCluster) -> None:
    first, second = three.nodes[:2]
    assert first.host is not None
    words = f"exec 3<>/dev/tcp/{second.internal_address}/{second.ports['INTERNAL']}"

    assert first.host.run(["timeout", "5", "bash", "-c", words]).status == 0


def test_a_node_that_was_killed_is_well_again_only_with_its_own_answer(three: LocalCluster) -> None:
    node = three.nodes[1]
    node.kill()
    with pytest.raises(HostTrouble, match="node 2 ended before it was ready"):
        node.wait_ready(5)
    node.start()
    node.wait_ready()

    three.wait_healthy()

    assert three.view().brokers == (1, 2, 3)


def test_controllers_may_be_nodes_of_their_own() -> None:
    for cluster in opened(ClusterSpec(nodes=1, controllers=1)):
        assert [node.roles for node in cluster.nodes] == [(Role.BROKER,), (Role.CONTROLLER,)]
        assert cluster.view().controllers == (101,)


def test_without_namespaces_the_nodes_listen_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "lack", lambda: Lack(Means.ROOT, "not wanted here"))
    for cluster in opened(ClusterSpec(nodes=2)):
        assert {node.address[0] for node in cluster.nodes} == {"127.0.0.1"}
        assert cluster.lack_for_fault("partition") is not None
