"""Stored findings of searches between releases: each with the change in Kafka that explains it, and a script that shows
it.

They are listed in tests/vectors/neighbours/findings.toml, with the scripts beside it and a table in the README there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.comparing.entries import read_entries
from harness.search.lockstep.actions import Action

KEYS: Final = {"pair", "script", "items", "change", "what", "found", "settings", "is_quick"}
SOURCE: Final = re.compile(r"(KAFKA|KIP)-\d+|apache/kafka#\d+|id not found")
"""How a change is named: by its issue, its KIP, or a pull request; "id not found" if none is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference between two releases that a change in Kafka explains."""

    older: str
    newer: str
    script: str
    """File name of the script."""
    items: tuple[str, ...]
    """The differences, named as by `item_of`; the script was shrunk to the first one."""
    change: str
    """The changes, separated by ", ", each as in SOURCE."""
    what: str
    """What changed, in a sentence."""
    found: str
    """Seed, writer and number of the sequence, seconds and steps until it was found, separated by ", "."""
    settings: Mapping[str, str]
    """Broker configs of both nodes, in addition to those of every lockstep run."""
    is_quick: bool
    """Whether CI replays it."""


def read_findings(folder: Path) -> list[Finding]:
    """Reads the findings in a folder. ValueError, with the place, if the file is invalid."""
    (entries,) = read_entries(folder / "findings.toml", "found", trouble=ValueError)
    return [_finding(entry, number) for number, entry in enumerate(entries, 1)]


def _finding(entry: Any, number: int) -> Finding:
    if set(entry) != KEYS:
        raise ValueError(f"finding {number}: keys {sorted(KEYS ^ set(entry))} are missing or unknown")
    sources = entry["change"].split(", ")
    if not all(SOURCE.fullmatch(source) for source in sources):
        raise ValueError(f"finding {number}: change {entry['change']!r} names no issue, proposal or pull request")
    older, newer = entry["pair"]
    own = {key: entry[key] for key in ("script", "change", "what", "found", "settings", "is_quick")}
    return Finding(older=older, newer=newer, items=tuple(entry["items"]), **own)


def actions_of(script: Path) -> tuple[Action, ...]:
    """The actions in a script, without playing them."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    tree.body = [one for one in tree.body if not isinstance(one, ast.Expr)]
    names: dict[str, Any] = {}
    exec(compile(tree, script.name, "exec"), names)  # a file of this project, with only literals and constructors
    found: tuple[Action, ...] = names["ACTIONS"]
    return found


def table(findings: Sequence[Finding]) -> str:
    """The findings as a table in Markdown."""
    rows = ["| releases | change | what changed | found by | script |", "|---|---|---|---|---|"]
    rows += [
        f"| {one.older} → {one.newer} | {one.change} | {one.what} | {one.found} | `{one.script}` |" for one in findings
    ]
    return "\n".join(rows)


def table_of_bugs(findings: Sequence[Finding], newest: str) -> str:
    """A table in Markdown of defects that were fixed in releases up to `newest`.

    A defect that several findings show has one row, for the one that was found in the shortest time.
    """
    rows = [
        "| release | fixed in | KAFKA id | generator (`--writer`) | seed | seconds to find |",
        "|---|---|---|---|---|---|",
    ]
    for one in _soonest(findings):
        if release_number(one.newer) <= release_number(newest):
            seed, writer, seconds, _ = one.found.split(", ", 3)
            words = (
                one.older,
                one.newer,
                one.change,
                writer.split()[0],
                seed.removeprefix("seed "),
                seconds.split()[0],
            )
            rows.append(f"| {' | '.join(words)} |")
    return "\n".join(rows)


def _soonest(findings: Sequence[Finding]) -> list[Finding]:
    chosen: dict[tuple[str, str], Finding] = {}
    for one in findings:
        best = chosen.setdefault((one.older, one.change), one)
        if _seconds(one) < _seconds(best):
            chosen[one.older, one.change] = one
    return list(chosen.values())


def _seconds(finding: Finding) -> float:
    return float(finding.found.split(", ")[2].split()[0])


def release_number(release: str) -> tuple[int, ...]:
    """A release like "4.3.1" as a tuple of numbers, for comparison."""
    return tuple(int(part) for part in release.split("."))
