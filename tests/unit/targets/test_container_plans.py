"""The nodes of a cluster of containers: addresses of their own, and published ports where clients need them."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Callable

from harness.targets.containers.opening import container_plans, environment_of
from harness.targets.node_plan import NodePlan, settings_of
from harness.targets.target import ClusterSpec

ADDRESSES = ipaddress.IPv4Network("10.200.3.0/24")


def counting_ports() -> Callable[[int], list[int]]:
    numbers = itertools.count(20_001)
    return lambda count: list(itertools.islice(numbers, count))


def plans(spec: ClusterSpec, published_at: str | None = None) -> tuple[NodePlan, ...]:
    return container_plans(spec, ADDRESSES, published_at, counting_ports())


def test_the_first_address_is_the_gateways() -> None:
    assert [plan.host for plan in plans(ClusterSpec(nodes=3))] == ["10.200.3.2", "10.200.3.3", "10.200.3.4"]


def test_clients_use_the_nodes_own_addresses_where_they_can() -> None:
    assert [plan.address for plan in plans(ClusterSpec(nodes=2))] == [("10.200.3.2", 9092), ("10.200.3.3", 9092)]


def test_a_published_node_tells_clients_the_published_port_and_peers_its_own_address() -> None:
    found = plans(ClusterSpec(nodes=2), "192.0.2.7")

    told = settings_of(found[1], found, {})["advertised.listeners"]

    assert told == "PLAINTEXT://192.0.2.7:20002,INTERNAL://10.200.3.3:9093"


def test_a_published_node_listens_on_the_port_that_it_tells() -> None:
    found = plans(ClusterSpec(nodes=2), "192.0.2.7")

    listens = settings_of(found[1], found, {})["listeners"]

    assert listens.split(",")[0] == "PLAINTEXT://10.200.3.3:20002"


def test_a_controller_alone_has_no_published_port() -> None:
    assert plans(ClusterSpec(nodes=1, controllers=1), "192.0.2.7")[1].address == ("10.200.3.3", 9092)


def test_a_single_node_has_no_listener_between_brokers() -> None:
    (node,) = plans(ClusterSpec())

    found = settings_of(node, [node], {})

    assert found["listener.security.protocol.map"] == "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
    assert "inter.broker.listener.name" not in found


def test_settings_are_given_to_an_image_by_its_environment() -> None:
    found = environment_of({"node.id": "2", "broker.rack": "a"}, "id")

    assert (found["KAFKA_NODE_ID"], found["KAFKA_BROKER_RACK"], found["CLUSTER_ID"]) == ("2", "a", "id")
