"""--nodes N: the clusters that checks get, who is skipped, and what the run says of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_plugin_verdicts import run, suite

from harness.hosts.lack import Means
from harness.pytest_plugin.groups import group_names
from harness.pytest_plugin.sizing import lack_of_nodes, sized
from harness.targets.target import ClusterSpec

__all__ = ["suite"]

FIXED = {
    "counted": ClusterSpec(is_exact=True),
    "controllers": ClusterSpec(nodes=5, controllers=1),
    "racks": ClusterSpec(nodes=3, racks=("a", "b", "c")),
    "small-disk": ClusterSpec(small_disk_mb=16),
    "voters": ClusterSpec(nodes=3, has_dynamic_voters=True),
}
BODY = """
def test_water(cluster):
    pass

@pytest.mark.cluster(nodes=3)
def test_ice(cluster):
    pass
"""


def test_a_check_of_one_node_gets_as_many_as_are_given() -> None:
    assert sized(ClusterSpec(config={"a": "b"}), 3) == ClusterSpec(nodes=3, config={"a": "b"})


def test_a_check_of_three_nodes_gets_more() -> None:
    assert sized(ClusterSpec(nodes=3), 5).nodes == 5


def test_what_is_left_to_the_checks_is_as_they_ask() -> None:
    assert sized(ClusterSpec(nodes=3), None).nodes == 3


def test_a_check_that_needs_more_lacks_nodes() -> None:
    lack = lack_of_nodes(ClusterSpec(nodes=3), 1)

    assert lack is not None
    assert (lack.means, lack.reason) == (Means.NODES, "it needs 3 nodes, and --nodes is 1")


@pytest.mark.parametrize("asked", FIXED.values(), ids=FIXED)
@pytest.mark.parametrize("nodes", [1, 4])
def test_a_claim_about_its_number_of_nodes_keeps_it(asked: ClusterSpec, nodes: int) -> None:
    assert sized(asked, nodes) == asked
    assert lack_of_nodes(asked, nodes) is None


def test_the_cluster_of_most_checks_is_shared_out_by_file_whatever_its_size() -> None:
    key = ("kafka", ClusterSpec(nodes=3).key())
    names = group_names([(key, "a"), (key, "b")], 2, ClusterSpec(nodes=3))

    assert names == ["cluster-1.0", "cluster-1.1"]


def test_a_check_that_needs_more_is_skipped_with_the_reason(suite: pytest.Pytester) -> None:
    result = run(suite, BODY, "--nodes", "2")

    result.stdout.fnmatch_lines(["skipped    1   it needs 3 nodes, and --nodes is 2", "*1 held*1 skipped*"])


def test_the_header_and_the_rerun_tell_of_it(suite: pytest.Pytester) -> None:
    result = run(suite, BODY + "    assert False\n", "--nodes", "3")

    result.stdout.fnmatch_lines(
        ["nodes         3 (a check*", "*rerun with: * --nodes 3", "*Rerun *test_ice* --nodes 3"]
    )


def test_the_stored_run_tells_of_it(suite: pytest.Pytester) -> None:
    run(suite, BODY, "--nodes", "3")
    stored = json.loads((suite.path / "reports" / "out" / "latest" / "run.json").read_text(encoding="utf-8"))

    assert stored["nodes"] == 3


@pytest.mark.parametrize("nodes", ["0", "13", "-1", "x", "1.5", "²"])
def test_a_wrong_number_ends_the_run_with_one_line(suite: pytest.Pytester, nodes: str) -> None:
    result = run(suite, BODY, "--nodes", nodes)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = [line for line in (*result.outlines, *result.errlines) if f"--nodes {nodes}: must be a whole number" in line]
    assert len(said) == 1


def test_a_cluster_that_runs_already_has_the_nodes_that_it_has(suite: pytest.Pytester) -> None:
    conftest = suite.path / "conftest.py"
    conftest.write_text(conftest.read_text(encoding="utf-8").replace("TargetKind.KAFKA", "TargetKind.ADDRESS"))
    result = run(suite, BODY, "--nodes", "3", "--target", "at:lake")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = [
        line for line in (*result.outlines, *result.errlines) if "at:lake is its owner's; leave --nodes out" in line
    ]
    assert len(said) == 1


@pytest.mark.parametrize("option", ["--record", "--recorded"])
def test_recordings_are_not_of_several_nodes(suite: pytest.Pytester, option: str) -> None:
    result = run(suite, BODY, "--nodes", "3", option, "recordings")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = [line for line in (*result.outlines, *result.errlines) if f"{option} with --nodes 3: answers were" in line]
    assert len(said) == 1
