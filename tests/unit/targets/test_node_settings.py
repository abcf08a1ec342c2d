"""The settings of a node, as a properties file and as an image's environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.targets import broker_properties
from harness.targets.containers.labels import docker_host_address
from harness.targets.containers.opening import variable_of
from harness.targets.node_plan import NodePlan, Role, first_voters, settings_of
from harness.targets.ports import free_ports


def test_a_check_overrides_a_default() -> None:
    settings = broker_properties.for_one_node(
        node_id=1, port=1, controller_port=2, log_dir=Path("d"), overrides={"offsets.topic.num.partitions": "7"}
    )
    assert settings["offsets.topic.num.partitions"] == "7"


def test_backslashes_and_line_ends_in_values_are_escaped() -> None:
    assert broker_properties.text_of({"a": "x\\y\nz"}) == "a=x\\\\y\\nz\n"


def test_a_cluster_id_is_22_characters_and_no_option() -> None:
    ids = [broker_properties.new_id() for _ in range(100)]
    assert all(len(text) == 22 and text[0] != "-" for text in ids)


@pytest.mark.parametrize(
    ("key", "variable"),
    [
        ("node.id", "KAFKA_NODE_ID"),
        ("a_b.c", "KAFKA_A__B_C"),
        ("a-b", "KAFKA_A___B"),
    ],
)
def test_a_setting_becomes_the_variable_that_images_read(key: str, variable: str) -> None:
    assert variable_of(key) == variable


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("http+docker://localhost", "127.0.0.1"),
        ("http+docker://localunixsocket", "127.0.0.1"),
        ("tcp://10.0.0.7:2376", "10.0.0.7"),
        ("http://10.0.0.7:2375", "10.0.0.7"),
    ],
)
def test_published_ports_are_reached_where_the_daemon_is(base_url: str, address: str) -> None:
    assert docker_host_address(base_url) == address


def voter(node_id: int, directory_id: str = "") -> NodePlan:
    return NodePlan(
        id=node_id,
        roles=(Role.BROKER, Role.CONTROLLER),
        host=f"10.0.0.{node_id}",
        ports={"PLAINTEXT": 1, "INTERNAL": 2, "CONTROLLER": 3},
        log_dirs=("data",),
        directory_id=directory_id,
    )


def test_voters_stand_in_the_settings_of_a_fixed_quorum() -> None:
    nodes = [voter(1), voter(2)]
    settings = settings_of(nodes[0], nodes, {})
    assert (settings["controller.quorum.voters"], first_voters(nodes)) == ("1@10.0.0.1:3,2@10.0.0.2:3", "")
    assert "controller.quorum.bootstrap.servers" not in settings


def test_voters_that_can_be_changed_are_known_by_their_folders() -> None:
    nodes = [voter(1, "AAA"), voter(2, "BBB")]
    settings = settings_of(nodes[0], nodes, {})
    assert settings["controller.quorum.bootstrap.servers"] == "10.0.0.1:3,10.0.0.2:3"
    assert first_voters(nodes) == "1@10.0.0.1:3:AAA,2@10.0.0.2:3:BBB"
    assert "controller.quorum.voters" not in settings


def test_free_ports_are_distinct() -> None:
    assert len(set(free_ports(20))) == 20
