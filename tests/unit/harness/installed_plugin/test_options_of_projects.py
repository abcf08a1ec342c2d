"""Wrong options of the installed plugin end pytest with one line and the status of a usage error."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

NOTHING = "def test_nothing(): pass"
USAGE_ERROR = pytest.ExitCode.USAGE_ERROR


def only_error(result: pytest.RunResult) -> str:
    """The one line that a run said before it ended."""
    lines = [line for line in result.errlines if line]
    assert result.ret == USAGE_ERROR, result.stdout.str()
    assert len(lines) == 1, lines
    return lines[0]


def test_an_unknown_target_is_refused(run_project) -> None:
    line = only_error(run_project(NOTHING, "--kafka-target", "rabbit"))

    assert line.startswith("ERROR: --kafka-target: unknown target 'rabbit' (known: reference, ")


def test_an_unknown_release_is_refused(run_project) -> None:
    line = only_error(run_project(NOTHING, "--kafka-target", "kafka@4.9"))

    assert line.startswith("ERROR: --kafka-target kafka@4.9: no such release is published (known: 4.0.0, ")


def test_kafka_without_java_is_refused(run_project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    line = only_error(run_project(NOTHING, "--kafka-target", "kafka@4.3.1"))

    assert line == "ERROR: --kafka-target kafka@4.3.1: Java 17 or newer is needed: no `java` on the PATH"


def test_a_target_whose_package_is_not_installed_is_refused(run_project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paramiko", None)  # as if it could not be imported
    for name in [name for name in sys.modules if name.startswith("harness.")]:
        monkeypatch.delitem(sys.modules, name)

    line = only_error(run_project(NOTHING, "--kafka-target", "ssh:cluster.toml"))

    assert line.startswith(
        "ERROR: --kafka-target ssh:cluster.toml: the Python package paramiko is not installed: pip install "
    )


def test_two_targets_are_refused(run_project) -> None:
    line = only_error(run_project(NOTHING, "--kafka-target", "reference", "--kafka-target", "kafka@4.3.1"))

    assert line.startswith("ERROR: --kafka-target is given 2 times (reference, kafka@4.3.1): ")


def test_an_address_at_which_nothing_answers_is_refused(run_project) -> None:
    line = only_error(run_project(NOTHING, "--kafka-target", "at:127.0.0.1:1"))

    assert line.startswith("ERROR: --kafka-target at:127.0.0.1:1: ")


def test_a_seed_that_is_no_number_is_refused(run_project) -> None:
    line = only_error(run_project(NOTHING, "--kafka-seed", "soon"))

    assert line.startswith("ERROR: --kafka-seed: must be a whole number, not 'soon'")


def test_an_unknown_scope_is_refused(run_project) -> None:
    line = only_error(run_project(NOTHING, "-o", "kafka_scope=week"))

    assert line == "ERROR: kafka_scope: unknown scope 'week' (known: function, class, module, package, session)"


def test_the_command_line_counts_before_the_settings(run_project) -> None:
    result = run_project(NOTHING, "-o", "kafka_target=rabbit", "--kafka-target", "reference")

    result.assert_outcomes(passed=1)
