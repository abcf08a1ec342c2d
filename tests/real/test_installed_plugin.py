"""The project `tests/installed` gets our wheel in a fresh environment, and its tests use the plugin's fixtures there.

Needs a package index: the clients, numpy and pytest are installed as constraints.txt pins them.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.hosts.lack import Lack, Means
from harness.pytest_plugin.lacking import skip_for

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("harness", "nemesis", "reference_broker", "reports")
BESIDE = ("confluent-kafka", "kafka-python", "aiokafka", "pytest-xdist")
"""What the example's own tests need."""
NO_INDEX = re.compile(r"No matching distribution|Could not fetch|onnection|Temporary failure|timed out|Max retries")
PIP_TIMEOUT_S, RUN_TIMEOUT_S = 400, 400
LEFT_OUT = shutil.ignore_patterns("__pycache__", "out")


@dataclass(frozen=True, slots=True)
class Installed:
    """A fresh environment with our wheel, and what pytest said there of the example."""

    python: Path
    wheel: Path
    said: str
    status: int


def outside(command: Sequence[str | Path], folder: Path, timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end as somebody who has not this checkout: nothing of this run of pytest is passed on."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPATH"))}
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def pip(folder: Path, *words: str | Path) -> None:
    """Runs pip. Skips when it reaches no package index; fails with what it said for anything else."""
    bounded = ("--quiet", "--disable-pip-version-check", "--retries", "2", "--timeout", "30")
    try:
        done = outside([sys.executable, "-m", "pip", *words, *bounded], folder, PIP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        skip_for(Lack(Means.INDEX, f"no package index: pip was not done after {PIP_TIMEOUT_S} s"))
    signs = [line.strip() for line in done.stdout.splitlines() if NO_INDEX.search(line)]
    if done.returncode and signs:
        skip_for(Lack(Means.INDEX, f"no package index to install from: {signs[-1]}"))
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Builds the wheel, installs it, and runs the example's tests with it, by two workers."""
    folder = tmp_path_factory.mktemp("installed")
    source, wheels, environment, project = (folder / name for name in ("source", "wheels", "env", "project"))
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=LEFT_OUT)
    for file in ("pyproject.toml", "kafka_verification.py"):
        shutil.copy(ROOT / file, source)
    pip(folder, "wheel", "--no-deps", "--wheel-dir", wheels, source)
    (wheel,) = wheels.glob("*.whl")
    made = outside([sys.executable, "-m", "venv", "--without-pip", environment], folder, RUN_TIMEOUT_S)
    assert made.returncode == 0, made.stdout
    python = environment / "bin" / "python"
    pip(folder, "--python", python, "install", wheel, *BESIDE, "--constraint", ROOT / "constraints.txt")
    shutil.copytree(ROOT / "tests" / "installed", project, ignore=LEFT_OUT)
    done = outside([python, "-m", "pytest", "-n", "2", "--basetemp", folder / "kept"], project, RUN_TIMEOUT_S)
    return Installed(python, wheel, done.stdout, done.returncode)


def test_the_wheel_holds_every_file_of_its_packages(installed: Installed) -> None:
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]
    names = {path.relative_to(ROOT).as_posix() for path in sources if not {"__pycache__", "out"} & set(path.parts)}

    held = set(zipfile.ZipFile(installed.wheel).namelist())

    assert {name for name in names - held if not name.endswith("README.md")} == set()


def test_the_example_passes_but_for_the_promise_that_it_breaks(installed: Installed) -> None:
    assert installed.status == pytest.ExitCode.TESTS_FAILED, installed.said
    assert "1 failed, 12 passed, 1 skipped, 1 xfailed" in installed.said, installed.said


def test_a_project_may_have_packages_of_our_packages_names(installed: Installed, tmp_path: Path) -> None:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("OWNER = 'somebody else'\n", encoding="utf-8")
    lines = [f"from {package} import OWNER as of_{package}" for package in PACKAGES]
    body = "\n".join([*lines, "", "def test_own():", "    assert of_harness == of_reports == 'somebody else'", ""])
    (tmp_path / "test_own.py").write_text(body, encoding="utf-8")

    done = outside([installed.python, "-m", "pytest"], tmp_path, RUN_TIMEOUT_S)

    assert "1 passed" in done.stdout, done.stdout


def test_the_broken_promise_is_told_with_its_witness(installed: Installed) -> None:
    told = installed.said.partition("_ test_a_lost_batch_is_noticed _")[2]

    for line in (
        r"BROKEN  test_a_broken_log.py::test_a_lost_batch_is_noticed \[reference, confluent\] +D1 lost write",
        r"  Kafka promises: an acknowledged record is in the log \(acks=all: ",
        r"  What happened: value 1\.1, acknowledged at doomed-0 offset 0, is not in the final log",
        r"    t= +\d+\.\d+ +producer 1 +send +value 1\.1 → acknowledged, offset 0",
        r"    t= +\d+\.\d+ +nemesis +remove the first batch kill node 1: removed \d+ bytes",
        r"    end +final read +offsets 0 to \d+ of \d+; 1\.1 is nowhere",
        r"  Rerun      pytest test_a_broken_log.py::test_a_lost_batch_is_noticed --kafka-target reference --kafka",
    ):
        assert re.search(f"^{line}", told, re.MULTILINE), f"{line}\n{installed.said}"
    assert "Traceback" not in told


def test_the_run_that_is_kept_is_judged_again(installed: Installed) -> None:
    found = re.search(r"^  Re-judge   \S*python\S* (.+)$", installed.said, re.MULTILINE)
    assert found is not None, installed.said

    again = outside([installed.python, *shlex.split(found.group(1))], installed.wheel.parent, RUN_TIMEOUT_S)

    assert "1.1 is nowhere" in again.stdout, again.stdout
