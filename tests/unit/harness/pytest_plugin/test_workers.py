"""`-n 2`, on small suites of their own with targets that are made up: the run reports as if it were one process."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.pytest_plugin.groups import group_names, without_group
from harness.targets.target import ClusterSpec

sys.path.insert(0, str(Path(__file__).parent))

from test_differences_plugin import BOTH, CHECK, counts, run, stored

OWN = ("own", ClusterSpec(nodes=3).key())
SHARED = ("reference", ClusterSpec().key())
BODY = """
import pytest

def test_water(observe, target):
    observe("depth", 3 if target.name == "reference" else 4)

def test_ice(cluster):
    assert cluster.version() == "warm", "it is not warm"

def test_fog(cluster):
    pytest.skip("too foggy")

@pytest.mark.cluster(config={"depth": "3"})
def test_lake(cluster, chance, record):
    with record.step(str(chance.random())):
        pass
"""
TOLD = ("BROKEN", "DIFFERS", "UNKNOWN", "  What happened", "skipped", "area ")


def told(result: pytest.RunResult) -> list[str]:
    """What a run says of its checks, without times and folders."""
    return [line for line in result.outlines if line.startswith(TOLD)]


def test_the_run_reports_as_one_process_does(pytester: pytest.Pytester) -> None:
    alone = run(pytester, BODY, *BOTH, "--seed", "5")
    first = stored(pytester)

    shared = pytester.runpytest_inprocess(
        "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "checks", *BOTH, "--seed", "5", "-n", "2"
    )

    assert told(shared) == told(alone)
    assert counts(shared) == counts(alone)
    assert (shared.ret, stored(pytester)) == (alone.ret, first)


def test_junit_xml_names_no_groups_of_workers(pytester: pytest.Pytester) -> None:
    run(pytester, BODY, *BOTH, "-n", "2", "--junitxml=junit.xml")

    names = {case.get("name") for case in ElementTree.parse(pytester.path / "junit.xml").getroot().iter("testcase")}
    assert {"test_water[lake]", "test_lake[reference]"} <= names
    assert not any("@" in str(name) for name in names)


def test_a_check_whose_worker_dies_is_unknown_and_the_others_are_judged(pytester: pytest.Pytester) -> None:
    body = "import os\n\ndef test_water(cluster): os._exit(9)\n\n\ndef test_ice(cluster): pass\n"

    result = run(pytester, body, "--target", "lake", "-n", "2")

    assert result.ret == 1
    assert counts(result).startswith("1 held · 0 broken · 1 unknown")
    result.stdout.fnmatch_lines(
        ["UNKNOWN  area/water [[]lake]", "  Nothing is proved: the worker process died*", "  Rerun*--target lake*"]
    )


def test_what_several_workers_observed_is_recorded_as_one_worker_would(pytester: pytest.Pytester) -> None:
    body = "def test_water(observe): observe('depth', 3)\n\n\ndef test_ice(observe): observe('colour', 'white')\n"
    run(pytester, body, "--target", "kafka@9.9", "--record", "alone")

    (pytester.path / "checks" / "area" / "test_water.py").write_text(CHECK + body, encoding="utf-8")
    pytester.runpytest_inprocess(
        *("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "checks", "--target", "kafka@9.9"),
        *("--record", "shared", "-n", "2"),
    )

    alone, shared = ((pytester.path / root / "kafka-9.9/area/water.jsonl").read_text() for root in ("alone", "shared"))
    assert alone == shared


@pytest.mark.parametrize("way", ["load", "loadscope", "loadfile", "worksteal", "each"])
def test_a_distribution_that_splits_clusters_is_refused_with_one_line(pytester: pytest.Pytester, way: str) -> None:
    result = run(pytester, BODY, *BOTH, "-n", "2", "--dist", way)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [
        f"ERROR: harness: --dist {way}: checks that share a cluster must run in one worker; leave --dist out",
    ]


def test_checks_of_one_cluster_run_in_one_worker() -> None:
    assert len(set(group_names([(OWN, "a"), (OWN, "b"), (OWN, "c")], workers=2))) == 1


def test_checks_of_the_usual_cluster_are_shared_out_by_file() -> None:
    first, again, second = group_names([(SHARED, "a"), (SHARED, "a"), (SHARED, "b")], workers=2)

    assert first == again != second


def test_a_check_without_a_cluster_runs_anywhere() -> None:
    assert group_names([(None, "a")], workers=2) == [None]


@pytest.mark.parametrize(
    ("nodeid", "wanted"),
    [
        ("a.py::test[kafka@4.3.1]@cluster-12.1", "a.py::test[kafka@4.3.1]"),
        ("a.py::test[kafka@4.3.1]", "a.py::test[kafka@4.3.1]"),
        ("a.py::test@cluster-3", "a.py::test"),
    ],
)
def test_an_id_is_told_without_its_group(nodeid: str, wanted: str) -> None:
    assert without_group(nodeid) == wanted
