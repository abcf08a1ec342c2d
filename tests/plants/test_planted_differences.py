"""Each planted difference is found by the lockstep search, by itself: of the kind and level that the plant's header
names, and shrunk to a few requests. Two references differ nowhere. So the search is known to see what differs, and that
only.

The searches run as a user would run them, three at a time, from one seed; but each broker is forked by a process that
has done all the imports (tests/warm_process.py).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from unittest import mock

import pytest

from harness.hosts import plain
from harness.search.lockstep.clusters import opened
from harness.search.lockstep.lockstep import Lockstep, kind_of, level_of
from harness.search.lockstep.opening import NAME as OPENING
from harness.search.lockstep.opening import openings
from harness.search.lockstep.player import Player
from harness.search.lockstep.search import WRITERS, Limits, Search, listed_by_all, search
from tests.warm_process import forking, warm_process

FOLDER = Path(__file__).resolve().parent / "differences"
SEED = 1
AT_ONCE = 3
"""Much of a search is waiting, so there may be more of them than cores."""
STEPS = 3_000
"""Until a plant must be found, and of two references that must not differ."""
SECONDS = 150.0
"""A busy machine may take so long for these steps; a quiet one takes ten."""
SHRINK_TRIES = 100
MOST_ACTIONS = 6
"""Of a sequence that was shrunk: a topic, a few writes, a question."""
FOUND_BY = re.compile(r"\*\*Found by\*\* `(?P<writer>\w+)`, level (?P<level>[\w ]+):\s`(?P<kind>[^`]+)`")


@dataclass(frozen=True, slots=True)
class Case:
    """A plant, the writer whose sequences show it, and what is to be said of it."""

    plant: str
    writer: str
    level: str
    kind: str

    @property
    def pattern(self) -> str:
        """The kind as a glob that passes over what lies below the field."""
        return f"{self.kind.replace('[', '[[]')}*"

    def __str__(self) -> str:
        return self.plant


def cases() -> list[Case]:
    """What the headers of the plants promise."""
    found = []
    for path in sorted(FOLDER.glob("[!_]*.py")):
        header = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        promise = FOUND_BY.search(header)
        found.append(Case(path.stem, *(promise.groups() if promise else ("", "", ""))))
    return found


CASES = cases()


def searched(other: str, writers: tuple[str, ...], limits: Limits) -> Search:
    """A search for what tells a variant of the reference from the reference."""
    with opened(["reference", other]) as sides:
        first, second = map(Player, sides)
        bootstraps = [one.cluster.bootstrap for one in sides]
        listed = listed_by_all(bootstraps)
        try:
            return search(
                Lockstep((first, second)),
                listed,
                Search(seed=SEED),
                limits,
                writers,
                opening=openings(bootstraps, listed),
            )
        finally:
            first.close()
            second.close()


@pytest.fixture(scope="module")
def searches(request: pytest.FixtureRequest) -> Iterator[Mapping[Case | None, Future[Search]]]:
    """The search of each case that was selected, and at None that of two references."""
    own = [item for item in request.session.items if item.path == request.path]
    items = [item for item in own if "searches" in item.fixturenames]
    chosen = [item.callspec.params["case"] for item in items if "case" in item.fixturenames]
    limits = Limits(seconds=SECONDS, steps=STEPS, kinds=1, shrink_tries=SHRINK_TRIES)
    with (
        warm_process() as warm,
        mock.patch.object(plain, "subprocess", forking(warm)),
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        begun: dict[Case | None, Future[Search]] = {}
        if len(items) > len(chosen):
            begun[None] = pool.submit(searched, "reference", tuple(WRITERS), limits)
        for case in chosen:
            writers = (case.writer,) if case.writer in WRITERS else tuple(WRITERS)
            begun[case] = pool.submit(searched, f"planted@{case.plant}", writers, limits)
        yield begun


def test_there_are_twenty_planted_differences_or_more() -> None:
    assert len(CASES) >= 20


def test_a_plant_says_what_finds_it() -> None:
    assert [case.plant for case in CASES if case.writer not in (*WRITERS, OPENING)] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_planted_difference_is_found(
    searches: Mapping[Case | None, Future[Search]], case: Case, record_property: pytest.RecordProperty
) -> None:
    found = searches[case].result()

    assert found.findings, f"{case.plant} was not found in {found.steps:,} steps, {found.seconds:.0f} s"
    (finding,) = found.findings.values()
    record_property("found_after_s", f"{finding.found_after_s:.2f}")
    record_property("steps", str(found.steps))
    kinds = {kind_of(difference): level_of(difference) for difference in finding.divergence.differences}
    levels = [level for kind, level in kinds.items() if fnmatchcase(kind, case.pattern)]
    assert levels, f"{case.plant} is shown as {kinds}"
    assert case.level in (*levels, "any"), f"{case.plant} is shown as {kinds}"
    assert finding.writer == case.writer
    assert len(finding.actions) <= MOST_ACTIONS, finding.actions


def test_two_references_differ_nowhere(searches: Mapping[Case | None, Future[Search]]) -> None:
    found = searches[None].result()

    assert not found.findings, [finding.divergence for finding in found.findings.values()]
    assert found.steps >= STEPS
