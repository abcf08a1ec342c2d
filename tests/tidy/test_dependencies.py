"""What the packages import is declared in pyproject.toml, and what is declared is pinned in constraints.txt."""

from __future__ import annotations

import re
import sys
import tomllib
from itertools import chain

from source_tree import ROOT, sources

PACKAGES = ("kafka_verification.py", "reference_broker", "harness", "nemesis", "reports")
DISTRIBUTIONS = {
    "_pytest": "pytest",
    "allure": "allure-pytest",
    "allure_commons": "allure-pytest",
    "confluent_kafka": "confluent-kafka",
    "kafka": "kafka-python",
    "xdist": "pytest-xdist",
}
"""Module -> what is installed to have it, where the names differ."""


def declared() -> set[str]:
    """The base of the project and its extras, by the names of what is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    return {re.split(r"[<>=!~]", name)[0] for name in listed}


def test_every_library_that_is_imported_is_declared() -> None:
    ours = {*PACKAGES, *sys.stdlib_module_names}
    imported = {
        (source.path, module)
        for source in sources(*PACKAGES)
        for module in (name.partition(".")[0] for _, name in source.imports())
        if module not in ours
    }

    names = declared()
    missing = [
        f"{path}: {module}" for path, module in sorted(imported) if DISTRIBUTIONS.get(module, module) not in names
    ]

    assert not missing, "\n".join(missing)


def test_every_library_that_is_declared_is_pinned() -> None:
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()}

    assert declared() <= pinned
