"""The plants by name, what their headers say, and the table of the bugs that they put in.

`catalogue.toml` names the bugs and their plants, by hand; `measured.json` says after how many seeds and seconds the
simulation finds each, or after how many seconds a check rejects it (`python -m tests.plants measure`).
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from reference_broker.command_line import as_typed

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
README, MEASURED, CATALOGUE = FOLDER / "README.md", FOLDER / "measured.json", FOLDER / "catalogue.toml"
FOLDERS = ("", "differences", "brokers", "quorum", "power")
TARGETS = {"brokers": "reference --nodes 3", "power": "simulated"}
"""Where checks reject the plants of a folder; those of the others on `reference`."""
BEGIN, END = "<!-- the table: python -m tests.plants table -->", "<!-- its end -->"
BY_CHECK = re.compile(r"^`(?P<check>checks/[^`]+)`:\s(?P<evidence>.+)$", re.MULTILINE)
BY_SEARCH = re.compile(r"\*\*Found by\*\* `(?P<writer>\w+)`")
BY_SIMULATION = re.compile(r"^`python -m harness simulate`:\s(?P<evidence>.+)$", re.MULTILINE)


def places() -> dict[str, Path]:
    """The plants by name, sorted."""
    found = [path for folder in FOLDERS for path in (FOLDER / folder).glob("*.py")]
    return {path.stem: path for path in sorted(found, key=lambda path: path.stem) if _is_plant(path)}


def _is_plant(path: Path) -> bool:
    return not path.name.startswith(("test_", "_"))


def header_of(name: str) -> str:
    """A plant's header. KeyError where there is none of that name."""
    return ast.get_docstring(ast.parse(places()[name].read_text(encoding="utf-8"))) or ""


def title(name: str) -> str:
    """The first line of a plant's header."""
    return header_of(name).partition("\n")[0]


def _rejected_by(name: str) -> str:
    return header_of(name).partition("**Rejected by**")[2]


def rejecting_checks(name: str) -> list[tuple[str, str]]:
    """(check, words that it says) of the checks that reject a plant."""
    return BY_CHECK.findall(_rejected_by(name))


def said_by_simulation(name: str) -> list[str]:
    """What `python -m harness simulate` says of a plant: one of these; nothing where it is not to find it.

    Which one it is depends on the seed: what is broken first.
    """
    return BY_SIMULATION.findall(_rejected_by(name))


def simulated() -> list[str]:
    """The plants that the simulation is to find."""
    return [name for name in places() if said_by_simulation(name)]


def finding(name: str) -> str:
    """The command that finds a plant: its first check, the lockstep search, or else the simulation's test."""
    if search := BY_SEARCH.search(header_of(name)):
        sides = ("--target", "reference", "--target", f"planted@{name}")
        return as_typed("harness lockstep", *sides, "--writer", search["writer"])
    checks = rejecting_checks(name)
    if not checks:
        return as_typed(
            "pytest", f"tests/plants/test_plants_in_simulation.py::test_a_bug_is_found_by_simulation[{name}]"
        )
    target, _, options = target_of(name).partition(" ")
    if target == "simulated":
        return as_typed("pytest -p tests.plants._planted_here --planted", name, checks[0][0], "--target", target)
    return as_typed("pytest", checks[0][0], "--target", f"planted@{name}", *options.split())


def plant(name: str) -> None:
    """Puts a bug into this process. KeyError where there is none of that name."""
    # The only use of a name to find a module: each plant is found by being there.
    import_module(".".join(places()[name].relative_to(ROOT).with_suffix("").parts)).plant()


# -- the table ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bug:
    """One entry of the catalogue."""

    number: int
    bug: str
    plants: tuple[str, ...]


def bugs() -> list[Bug]:
    """The catalogue, in its order."""
    entries = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))["bug"]
    return [Bug(one["number"], one["bug"], tuple(one["plants"])) for one in entries]


def measured() -> dict[str, dict[str, Any]]:
    """By plant: `seed` and `seconds` of the simulation; or `check`, `target` and `seconds` of a check."""
    found: dict[str, dict[str, Any]] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return found


def target_of(name: str) -> str:
    """The target on which checks reject a plant."""
    return TARGETS.get(places()[name].parent.name, "reference")


def table() -> str:
    """The table in Markdown."""
    known = measured()
    lines = ["| # | bug | plant | rejected by a check | simulation says | found after |", "|---|---|---|---|---|---|"]
    for bug in bugs():
        for index, name in enumerate(bug.plants):
            first = (str(bug.number), bug.bug) if not index else ("", "")
            lines.append(f"| {' | '.join((*first, _link(name), *_verdict(name, known.get(name, {}))))} |")
    return "\n".join(lines)


def _link(name: str) -> str:
    return f"[{name}]({places()[name].relative_to(FOLDER).as_posix()})"


def _verdict(name: str, found: dict[str, Any]) -> tuple[str, str, str]:
    checks = [check for check, _ in rejecting_checks(name)]
    check = found.get("check", checks[0] if checks else "")
    after = f"{found['seconds']:g} s" if found else "not measured"
    if "seed" in found:
        after = f"seed {found['seed']}, {after}"
    return f"`{check}` on `{target_of(name)}`" if check else "", "; ".join(said_by_simulation(name)), after


def with_table(text: str) -> str:
    """The README with the table as it is now. ValueError where it has no place for it."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{README.name} lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"
