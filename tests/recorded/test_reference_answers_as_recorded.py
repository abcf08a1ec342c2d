"""The reference answers as Apache Kafka was recorded to: compared without Java, by the checks themselves."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.comparing.recorded.answers import Recording, read_recording, remake
from harness.comparing.recorded.writing import distinct

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent / "kafka-4.3.1"
OBSERVING = {"exchange", "observe"}
FILES = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.jsonl"))
PARTS = {
    "protocol": [file for file in FILES if file.startswith("protocol/")],
    "the rest": [file for file in FILES if not file.startswith("protocol/")],
}
"""Files of checks that run at the same time as the other part: most of a run is waiting."""
TIMEOUT_S = 400.0
FEWEST_EXCHANGES = 1_500
NEED_ROOT = ("durability/failed_folders",)
"""Files of checks that nobody but root can run."""


class Run:
    """How a run of checks with --recorded ended: its exit status, its text, and the outcomes of its comparisons."""

    def __init__(self, status: int, text: str, compared: Counter[str]) -> None:
        self.status = status
        self.text = text
        self.compared = compared


def run(part: str, folder: Path) -> Run:
    """Runs checks from a folder of the test's own, so that what they store does not mix with a user's."""
    folder.mkdir()
    for name in ("checks", "tests", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    places = ["checks/{}/test_{}.py".format(*file.split("/")) for file in PARTS[part]]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *places,
            "--target",
            "reference",
            "--recorded",
            "-q",
            "-p",
            "no:cacheprovider",
        ],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )
    metas = (
        json.loads(path.read_text("utf-8")) for path in (folder / "reports" / "out" / "latest").glob("*/meta.json")
    )
    compared = Counter(
        meta["more"]["outcome"] for meta in metas if meta["target"] == "reference | recorded kafka@4.3.1"
    )
    return Run(done.returncode, done.stdout, compared)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Future[Run]]]:
    """The run of each part."""
    folder = tmp_path_factory.mktemp("recorded")
    with ThreadPoolExecutor(len(PARTS)) as pool:
        yield {part: pool.submit(run, part, folder / part) for part in PARTS}


@pytest.fixture(scope="module")
def recording() -> Recording:
    return read_recording(FOLDER)


@pytest.mark.parametrize("part", PARTS)
def test_the_reference_answers_as_recorded(runs: Mapping[str, Future[Run]], recording: Recording, part: str) -> None:
    recorded = Counter(check.partition("::")[0] for check, seen in recording.checks.items() if seen)
    wanted = sum(recorded[file] for file in PARTS[part])
    done = runs[part].result()

    assert done.status == pytest.ExitCode.OK, done.text
    lacking = 0 if os.geteuid() == 0 else sum(recorded[file] for file in NEED_ROOT)
    assert done.compared["held"] >= wanted - lacking, done.text
    assert done.compared["held"] + done.compared["skipped"] == wanted, done.text


def test_enough_is_recorded(recording: Recording) -> None:
    assert distinct(recording) >= FEWEST_EXCHANGES


def test_every_file_of_checks_that_observes_is_recorded_and_compared() -> None:
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
