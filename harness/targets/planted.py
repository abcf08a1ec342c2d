"""The target `planted@NAME`: the reference with one bug or difference in it (tests/plants), to see it found."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.targets.reference import ReferenceTarget
from harness.targets.target import UnknownTarget
from reference_broker.command_line import as_typed

PLANTS = Path(__file__).resolve().parents[2] / "tests" / "plants"
DIFFERENCES = PLANTS / "differences"
AMONG_NODES = (PLANTS / "brokers", PLANTS / "quorum", PLANTS / "power")
"""Bugs that only several nodes can show."""


def plant_files() -> dict[str, Path]:
    """The file of each bug or difference that can be planted, by name, sorted. The harness imports no tests."""
    folders = (PLANTS, DIFFERENCES, *AMONG_NODES)
    return dict(sorted((name, path) for folder in folders for name, path in _plants_in(folder).items()))


def plants() -> list[str]:
    """The names of all bugs and differences that can be planted, sorted."""
    return list(plant_files())


def differences() -> list[str]:
    """The names of the differences that the lockstep search must find, sorted."""
    return sorted(_plants_in(DIFFERENCES))


def _plants_in(folder: Path) -> dict[str, Path]:
    found = folder.glob("*.py") if folder.is_dir() else ()
    return {path.stem: path for path in found if not path.name.startswith(("test_", "conftest", "_"))}


def planted(name: str, plant: str) -> ReferenceTarget:
    """The reference with a bug. UnknownTarget, with those that are known, for one that does not exist."""
    if plant not in plants():
        where = as_typed("harness list plants") if plants() else "none: this is not a checkout with its tests"
        raise UnknownTarget(f"--target {name}: unknown plant {plant!r} (known: {where})")
    return ReferenceTarget(name, entry=(sys.executable, "-m", "tests.plants", plant))
