"""The target `planted@NAME`: the reference with one bug or difference in it (tests/plants), to see it found."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.targets.reference import ReferenceTarget
from harness.targets.target import UnknownTarget

PLANTS = Path(__file__).resolve().parents[2] / "tests" / "plants"
DIFFERENCES = PLANTS / "differences"


def plants() -> list[str]:
    """The bugs and differences that can be planted, sorted; read from the folders: the harness imports no tests."""
    return sorted(_plants_in(PLANTS) + differences())


def differences() -> list[str]:
    """Those that the lockstep search must find, sorted."""
    return sorted(_plants_in(DIFFERENCES))


def _plants_in(folder: Path) -> list[str]:
    found = folder.glob("*.py") if folder.is_dir() else ()
    return [path.stem for path in found if not path.name.startswith(("test_", "conftest", "_"))]


def planted(name: str, plant: str) -> ReferenceTarget:
    """The reference with a bug. UnknownTarget, with those that are known, for one that is not there."""
    if plant not in plants():
        known = ", ".join(plants()) or "none: this is not a checkout with its tests"
        raise UnknownTarget(f"--target {name}: there is no plant {plant or '(no name)'} (known: {known})")
    return ReferenceTarget(name, entry=(sys.executable, "-m", "tests.plants", plant))
