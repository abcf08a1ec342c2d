"""The recording of Apache Kafka is whole, and every run compares with it: `make check` does so without Java."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.comparing.recorded.answers import Recording, read_recording, remake
from harness.comparing.recorded.writing import distinct

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent / "kafka-4.3.1"
OBSERVING = {"exchange", "observe"}
FILES = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.jsonl"))
TIMEOUT_S = 200.0
FEWEST_EXCHANGES = 1_500
CHECK = "checks/metadata/test_create_topics.py::test_a_topic_is_made"
"""A check that does not look at the number of replicas in the answer."""


def judged(target: str, folder: Path) -> list[dict[str, Any]]:
    """What is stored of each run of the check, and of what comes after, on a target."""
    for name in ("checks", "tests", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", CHECK, "--target", target, "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )
    metas = (folder / "reports" / "out" / "latest").glob("*/meta.json")
    found = [json.loads(path.read_text("utf-8"))["more"] for path in metas]
    assert found, done.stdout
    return found


@pytest.fixture(scope="module")
def recording() -> Recording:
    return read_recording(FOLDER)


def test_a_check_on_one_target_is_compared_with_the_recording_of_its_release(tmp_path: Path) -> None:
    found = judged("reference", tmp_path)

    assert {one["outcome"] for one in found} == {"held"}
    assert "recorded kafka@4.3.1" in {one["compared_with"] for one in found}


def test_what_a_check_does_not_assert_differs_from_the_recording(tmp_path: Path) -> None:
    found = judged("planted@tells_no_replication_factor", tmp_path)

    (field,) = {difference["field"] for one in found for difference in one["differences"]}
    assert field == "topics[0].replication_factor"
    assert "differs" in {one["outcome"] for one in found}


def test_enough_is_recorded(recording: Recording) -> None:
    assert distinct(recording) >= FEWEST_EXCHANGES


def test_every_file_of_checks_that_observes_is_recorded() -> None:
    observing = set()
    for path in sorted((ROOT / "checks").rglob("test_*.py")):
        functions = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef))
        if any(OBSERVING & {argument.arg for argument in function.args.args} for function in functions):
            observing.add(f"{path.parent.name}/{path.stem.removeprefix('test_')}")

    assert observing == set(FILES), f"record again: {remake('kafka@4.3.1')}"


def test_a_recording_names_nothing_of_the_run_that_made_it() -> None:
    of_a_run = re.compile(r"127\.0\.0\.1|/tmp/|x[0-9a-f]{8}-\d+-")
    wrong = [path.name for path in sorted(FOLDER.rglob("*.jsonl")) if of_a_run.search(path.read_text("utf-8"))]

    assert not wrong
