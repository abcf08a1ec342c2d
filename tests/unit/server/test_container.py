"""A node's settings from KAFKA_* variables, as Kafka's images take them. What is expected was written by Kafka 4.3.1's
own class for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_broker.server.container import FILE, chosen_text, run, settings_of
from reference_broker.server.main import Options


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("KAFKA_LOG_DIRS", "log.dirs"),
        ("KAFKA_JMX_PORT", "jmx.port"),
        ("KAFKA_A__B___C", "a_b-c"),
        ("KAFKA_A____B", "a-.b"),
        ("KAFKA_EMPTY", "empty"),
    ],
)
def test_a_variable_names_a_setting(variable: str, setting: str) -> None:
    assert settings_of({variable: "x"}) == {setting: "x"}


@pytest.mark.parametrize(
    "variable",
    ["KAFKA_HEAP_OPTS", "KAFKA_OPTS", "KAFKA_LOG4J_ROOT_LOGLEVEL", "KAFKA_TOOLS_LOG4J_LOGLEVEL", "CLUSTER_ID", "PATH"],
)
def test_other_variables_name_none(variable: str) -> None:
    assert settings_of({variable: "x"}) == {}


def folders(tmp_path: Path, mounted: str | None) -> tuple[Path, Path]:
    for name in ("defaults", "mounted"):
        (tmp_path / name).mkdir()
    (tmp_path / "defaults" / FILE).write_text("node.id=1\n")
    if mounted is not None:
        (tmp_path / "mounted" / FILE).write_text(mounted)
    return tmp_path / "defaults", tmp_path / "mounted"


@pytest.mark.parametrize(
    ("mounted", "settings", "text"),
    [
        (None, {}, "node.id=1\n"),
        (None, {"node.id": "7"}, "node.id=7\n"),
        ("node.id=9", {"log.dirs": "/data"}, "node.id=9\nlog.dirs=/data\n"),
        ("node.id=9", {}, "node.id=9\n"),
    ],
)
def test_defaults_count_where_nothing_was_said(
    tmp_path: Path, mounted: str | None, settings: dict[str, str], text: str
) -> None:
    assert chosen_text(*folders(tmp_path, mounted), settings) == text


def test_without_a_cluster_it_says_what_to_do() -> None:
    complaints: list[str] = []
    assert run({}, Options(), print, complaints.append) == 1
    assert complaints == [
        "CLUSTER_ID is not set: give each node of a cluster the same id (storage random-uuid makes one)"
    ]


def test_without_defaults_it_names_the_file(tmp_path: Path) -> None:
    complaints: list[str] = []
    where = str(tmp_path / "none")
    status = run({"CLUSTER_ID": "x"}, Options(), print, complaints.append, defaults=where, mounted=where, final=where)
    assert (status, complaints) == (1, [f"{where}/{FILE}: No such file or directory"])
