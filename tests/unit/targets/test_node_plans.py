"""What follows from a cluster's shape: ids, roles, listeners, settings; and its network."""

from __future__ import annotations

import pytest

from harness.hosts.namespaces import Network
from harness.targets.node_plan import CONTROLLER, NodePlan, Role, listeners_of, node_roles, settings_of
from harness.targets.target import ClusterSpec

BOTH = (Role.BROKER, Role.CONTROLLER)


def plans(brokers: int, controllers: int = 0) -> list[NodePlan]:
    return [
        NodePlan(
            id=node_id,
            roles=roles,
            host=f"10.200.0.{number}",
            ports={name: 9092 + at for at, name in enumerate(listeners_of(roles, is_alone=False))},
            log_dirs=(f"/data-{node_id}",),
            rack="a" if number == 2 else None,
        )
        for number, (node_id, roles) in enumerate(node_roles(brokers, controllers), 2)
    ]


def settings(nodes: list[NodePlan], number: int = 0, **overrides: str) -> dict[str, str]:
    return settings_of(nodes[number], nodes, overrides)


def test_without_controllers_every_broker_is_one() -> None:
    assert node_roles(3, 0) == ((1, BOTH), (2, BOTH), (3, BOTH))


def test_controllers_of_their_own_have_ids_of_their_own() -> None:
    assert node_roles(1, 2) == ((1, (Role.BROKER,)), (101, (Role.CONTROLLER,)), (102, (Role.CONTROLLER,)))


def test_the_voters_are_the_controllers() -> None:
    assert settings(plans(1, 2))["controller.quorum.voters"] == "101@10.200.0.3:9092,102@10.200.0.4:9092"


def test_brokers_speak_to_each_other_on_a_listener_of_their_own() -> None:
    found = settings(plans(3))

    assert found["inter.broker.listener.name"] == "INTERNAL"
    assert found["listeners"].split(",")[1] == "INTERNAL://10.200.0.2:9093"


def test_a_controller_alone_advertises_nothing() -> None:
    found = settings(plans(1, 1), 1)

    assert found["process.roles"] == "controller"
    assert "advertised.listeners" not in found
    assert "inter.broker.listener.name" not in found


@pytest.mark.parametrize(("brokers", "replicas", "in_sync"), [(2, "2", "1"), (3, "3", "2"), (5, "3", "2")])
def test_internal_topics_have_as_many_replicas_as_there_are_brokers(brokers: int, replicas: str, in_sync: str) -> None:
    found = settings(plans(brokers))

    assert found["offsets.topic.replication.factor"] == replicas
    assert found["transaction.state.log.min.isr"] == in_sync


def test_a_broker_tells_its_rack() -> None:
    nodes = plans(2)

    assert settings(nodes)["broker.rack"] == "a"
    assert "broker.rack" not in settings(nodes, 1)


def test_what_a_check_asks_for_is_the_last_word() -> None:
    assert settings(plans(3), **{"broker.session.timeout.ms": "9000"})["broker.session.timeout.ms"] == "9000"


def test_the_listener_of_controllers_is_not_advertised() -> None:
    assert CONTROLLER not in settings(plans(3))["advertised.listeners"]


def test_checks_that_ask_for_the_same_share_a_cluster() -> None:
    assert ClusterSpec(config={"a": "1", "b": "2"}).key() == ClusterSpec(config={"b": "2", "a": "1"}).key()
    assert ClusterSpec(nodes=3).key() != ClusterSpec(nodes=3, controllers=3).key()


def test_a_network_is_found_again_from_its_line() -> None:
    network = Network.parse("kv0011aabb 10.200.3.0/24")

    assert Network.parse(network.text()) == network
    assert (network.client_address, network.address_of(1)) == ("10.200.3.1", "10.200.3.2")


def test_a_line_of_somebody_else_names_no_network() -> None:
    with pytest.raises(ValueError, match="not a network made by this suite"):
        Network.parse("docker0 172.17.0.0/16")
