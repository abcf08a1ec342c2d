"""A node that is a local process goes on as other software, on the same settings and folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.hosts.host import wait_until
from harness.targets.local_node import LocalNode, Software
from harness.targets.node_plan import NodePlan, Role

PLAN = NodePlan(id=2, roles=(Role.BROKER,), host="127.0.0.1", ports={"PLAINTEXT": 9092}, log_dirs=("data",))


def software(said: str, link_filter_option: str | None = None) -> Software:
    return Software(
        version=said,
        format_command=lambda properties, cluster_id: [],
        start_command=lambda properties: ["sh", "-c", f'echo {said} $NAME {properties.name} "$@"', "sh"],
        environment={"NAME": said.upper()},
        link_filter_option=link_filter_option,
    )


@pytest.fixture
def node(tmp_path: Path) -> LocalNode:
    properties, links = tmp_path / "server-2.properties", tmp_path / "links-2"
    return LocalNode(
        name="mixed", plan=PLAN, properties=properties, software=software("one", "--links"), link_filter=links
    )


def ran(node: LocalNode) -> list[str]:
    """What the node's next run says."""
    before = node.log_text()
    node.start()
    wait_until(lambda: not node.is_alive(), 60, "the test's process did not end")
    return node.log_text().removeprefix(before).split()


def test_a_node_goes_on_as_other_software(node: LocalNode) -> None:
    ran(node)

    node.run_with(software("two"))

    assert ran(node) == ["two", "TWO", "server-2.properties"]


def test_only_software_that_has_a_link_filter_is_given_one(node: LocalNode, tmp_path: Path) -> None:
    assert ran(node) == ["one", "ONE", "server-2.properties", "--links", str(tmp_path / "links-2")]
    assert node.link_filter is not None

    node.run_with(software("two"))

    assert node.link_filter is None
