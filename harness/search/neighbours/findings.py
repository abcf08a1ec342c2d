"""What a search between releases found and was kept: which change explains it, and the script that shows it.

tests/vectors/neighbours/findings.toml lists them; its scripts stand beside it, and its README shows them as a table.
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
"""Of a change: its issue, its proposal, or the pull request of one that has neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference between two releases that was made on purpose."""

    older: str
    newer: str
    script: str
    """File name."""
    items: tuple[str, ...]
    """As item_of tells them; the first is the one that the script was shrunk to."""
    change: str
    """By commas, each as SOURCE has it."""
    what: str
    """What changed, in a sentence."""
    found: str
    """Seed, writer and number, seconds and steps."""
    settings: Mapping[str, str]
    """Of both nodes, beside those of every lockstep run."""
    is_quick: bool
    """Whether CI replays it."""


def read_findings(folder: Path) -> list[Finding]:
    """The findings of a folder. ValueError where the file cannot be used, with the place."""
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
    """The actions of a script, without playing them."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    tree.body = [one for one in tree.body if not isinstance(one, ast.Expr)]
    names: dict[str, Any] = {}
    exec(compile(tree, script.name, "exec"), names)  # our own file, of literals and constructors
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
    """The defects of releases up to one, each on the release that has it and not on the next, as a table in Markdown.

    A bug that several sequences show is told once, by the one that was found soonest.
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
    """ "4.3.1" as numbers, to be compared."""
    return tuple(int(part) for part in release.split("."))
