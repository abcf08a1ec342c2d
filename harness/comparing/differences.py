"""The part of the pytest plugin that compares targets, when all checks have ended and what they observed is known.

With two or more --target each check that observes is compared on the second and later targets with the first, and a
difference fails the run unless checks/known_differences.toml accepts it. With --recorded each target is compared with
the recording of its release as well. What was observed is added up in the run's account.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from harness.clients.client import ClientTrouble
from harness.comparing.account.account import Account, text_of
from harness.comparing.account.unprovoked import UNPROVOKED_FILE, UnprovokedTrouble, read_unprovoked
from harness.comparing.comparisons import (
    KNOWN_FILE,
    Comparison,
    KnownDifferencesReview,
    RecordingReview,
    TwoSides,
    file_of,
)
from harness.comparing.diff import Difference, compare
from harness.comparing.exchange import PROBE, Connections, Exchange
from harness.comparing.known_differences import Known, KnownDifferencesTrouble, accepted_by, read_known
from harness.comparing.observation import Observation, Plain, remark
from harness.comparing.recorded.answers import PREFIX, Recording, RecordingTrouble, same_form
from harness.comparing.recorded.choice import Chosen, choose
from harness.comparing.recorded.writing import Recorder
from harness.judging.outcome import Outcome
from harness.pytest_plugin.options import OPTIONS
from harness.pytest_plugin.record import CheckRecord, record_of
from harness.pytest_plugin.sampling import sample_of
from harness.pytest_plugin.session import SESSION
from harness.targets.reference import refusals
from harness.targets.target import Cluster, Target

_TOLD: Final = "compared"
"""What a worker tells its controller when it ends."""
Observe = Callable[[str, Plain], None]
"""(what was seen, the value): one observation that is no exchange."""


@dataclass(slots=True)
class Seen:
    """One check on each target on which it ran, in the order of the targets."""

    records: dict[str, CheckRecord] = field(default_factory=dict)

    @property
    def first(self) -> CheckRecord:
        """Of the first target."""
        return next(iter(self.records.values()))

    @property
    def targets(self) -> list[str]:
        """Those on which it ran."""
        return list(self.records)

    def observed(self, target: str) -> list[Observation]:
        """What it observed on a target."""
        record = self.records.get(target)
        return [] if record is None else record.observed


class Differences:
    """The plugin object. `known_file` is for tests; else the file stands in the checks' root folder."""

    def __init__(self, config: pytest.Config, known_file: Path | None = None) -> None:
        self.path = known_file or Path(config.rootpath) / "checks" / KNOWN_FILE
        targets = [(chosen.name, chosen.given) for chosen in config.stash[OPTIONS].targets]
        wanted = config.getoption("--recorded")
        try:
            self.known: tuple[Known, ...] = read_known(self.path)
            self.chosen = Chosen() if wanted is None else choose(wanted, targets, Path(config.rootpath))
        except (KnownDifferencesTrouble, RecordingTrouble) as trouble:
            raise pytest.UsageError(f"harness: {trouble}") from trouble
        self.recorder = Recorder.of(config.getoption("--record"), targets)
        self.account = Account([name for name, _ in targets])
        self.listed: dict[str, dict[int, tuple[int, int]]] = {}
        """Target → API key → versions that it says it serves, both inclusive."""
        self.run = f"x{uuid.uuid4().hex[:8]}"
        self._numbers = itertools.count(1)
        self.connections = Connections()
        self.seen: dict[str, Seen] = {}
        """Check → what it observed; known when all checks have ended."""
        self.used: set[int] = set()
        self.compared: list[tuple[str, tuple[str, str]]] = []
        self.partial: set[str] = set()
        self.found: list[dict[str, Any]] = []
        """Differences, accepted ones too, as they are stored."""

    # -- fixtures -----------------------------------------------------------------------------------------------

    @pytest.fixture
    def exchange(self, request: pytest.FixtureRequest, cluster: Cluster, target: Target) -> Iterator[Exchange]:
        """Asks the cluster under check; each question and answer is observed."""
        keep = self._keeper(request.node)
        run = f"{self.run}-{next(self._numbers)}"
        exchange = Exchange(bootstrap=cluster.bootstrap, run=run, connections=self.connections, keep=keep)
        self._ask_what_is_listed(target.name, exchange)
        yield exchange
        exchange.close()
        if not getattr(target, "is_ours", True):
            exchange.clear_away()

    @pytest.fixture
    def observe(self, request: pytest.FixtureRequest, target: Target) -> Observe:
        """Keeps a named value that two targets should agree on."""
        keep = self._keeper(request.node)
        return lambda what, value: keep(remark(what, value))

    def _keeper(self, item: pytest.Item) -> Callable[[Observation], None]:
        record = record_of(item)

        def keep(observation: Observation) -> None:
            record.observed.append(observation)
            record.observations += 1

        return keep

    def _ask_what_is_listed(self, target: str, exchange: Exchange) -> None:
        """Once for each target; where it does not answer, the check that comes will say so."""
        if target in self.listed:
            return
        try:
            answer = exchange.quietly(PROBE, 3)
        except ClientTrouble:
            return
        self.listed[target] = {
            int(key.api_key): (int(key.min_version), int(key.max_version)) for key in answer.api_keys
        }

    # -- collection ---------------------------------------------------------------------------------------------

    def pytest_report_header(self) -> list[str]:
        """The recordings that targets are compared with, or why they are not."""
        lines = []
        for name, recording in self.chosen.by_target.items():
            held = f"{len(recording.checks):,} checks in {recording.path}"
            lines.append(f"recorded      {name} is compared with {recording.name}: {held}")
        return lines + [f"recorded      {note}" for note in self.chosen.notes]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """A recording leaves out what does not observe. Notes the files of which only a part was asked for."""
        if self.recorder is not None:
            silent = [item for item in items if not record_of(item).observes]
            items[:] = [item for item in items if record_of(item).observes]
            partial = set(self.partial)
            session.config.hook.pytest_deselected(items=silent)
            self.partial = partial  # what does not observe is no part of a recording
        chosen = [argument.partition("::")[0] for argument in session.config.args if "::" in argument]
        for item in items:
            if record_of(item).observes and any(str(item.path).endswith(name) for name in chosen):
                self.partial.add(file_of(record_of(item).check))

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """A file of which some checks were left out does not show that a known difference is gone."""
        self.partial.update(file_of(record_of(item).check) for item in items)

    # -- comparison ---------------------------------------------------------------------------------------------

    def comparisons(self, records: Iterable[CheckRecord]) -> list[Comparison]:
        """What is to be compared now that all checks have ended, in the order in which it is to be run."""
        for record in records:
            if record.observes:
                self.seen.setdefault(record.check, Seen()).records.setdefault(record.target, record)
        found: list[Comparison] = [TwoSides(self, check, pair) for check, pair in self._pairs()]
        if found:
            found.append(KnownDifferencesReview(self))
        if self.seen:
            found += [RecordingReview(self, recording) for recording in self.chosen.all()]
        return found

    def _pairs(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """What is to be compared: (check, the two sides)."""
        for check, seen in self.seen.items():
            for other in seen.targets[1:]:
                yield check, (seen.targets[0], other)
            for target in seen.targets:
                recording = self.chosen.by_target.get(target)
                if recording is not None and recording.checks.get(check):
                    yield check, (target, recording.name)

    def recording_of(self, side: str) -> Recording | None:
        """The recording that a side of a comparison is, if it is one."""
        return next((one for one in self.chosen.all() if one.name == side), None)

    def observed(self, check: str, side: str) -> Sequence[Observation]:
        """What a check observed on a target, or what a recording holds of it."""
        recording = self.recording_of(side)
        if recording is not None:
            return recording.checks.get(check, ())
        return self.seen[check].observed(side)

    def has_held(self, check: str, target: str) -> bool:
        """Whether a check came to its end on a target, so that it has observed all that it does."""
        record = self.seen[check].records.get(target)
        return record is not None and record.outcome is Outcome.HELD

    def has_file(self, file: str) -> bool:
        """Whether a file of checks is there."""
        area, _, name = file.rpartition("/")
        return (self.path.parent / area / f"test_{name}.py").is_file()

    def targets_of(self, recording: Recording) -> list[str]:
        """The targets that are compared with a recording."""
        return [name for name, found in self.chosen.by_target.items() if found is recording]

    def judge(self, check: str, pair: tuple[str, str]) -> tuple[list[Difference], list[tuple[Difference, Known]]]:
        """(differences that nothing accepts, those accepted with their entry)."""
        mine, theirs = (self.observed(check, side) for side in pair)
        is_recorded = pair[1].startswith(PREFIX)
        if is_recorded:
            mine = same_form(mine)
        found = compare(check, (pair[0], mine), (pair[1], theirs))
        if is_recorded and len(mine) != len(theirs) and self.has_held(check, pair[0]):
            found.append(_other_count(check, pair, len(mine), len(theirs)))
        self.compared.append((check, pair))
        open_ones, accepted = [], []
        for difference in found:
            entry = accepted_by(difference, self.known)
            if entry is None:
                open_ones.append(difference)
            else:
                accepted.append((difference, entry))
                self.used.add(entry.number)
        return open_ones, accepted

    # -- the end ------------------------------------------------------------------------------------------------

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Closes the connections, and stores the account and the recording; a worker leaves that to its controller."""
        self.connections.close()
        ours, output = session.config.stash[SESSION], getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_TOLD] = {"listed": self.listed, "partial": sorted(self.partial)}
            return
        if ours.stored is None:
            return
        for record in ours.records:
            for observation in record.observed:
                self.account.add(record.target, record.check, observation)
        self.account.listed = self.listed
        if self.account.tallies:
            ours.stored.write_account(text_of(self._account(ours.stored.path.name, session.config)))
        if self.recorder is not None:
            held = {
                (check, target): seen.observed(target)
                for check, seen in self.seen.items()
                for target in seen.targets
                if self.has_held(check, target)
            }
            self.recorder.write(held, ours.versions(), self.partial, self.has_file)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of pytest-xdist has ended."""
        told: Mapping[str, Any] = getattr(node, "workeroutput", {}).get(_TOLD, {})
        self.partial.update(told.get("partial", ()))
        self.listed |= told.get("listed", {})

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What was recorded."""
        for line in self.recorder.lines if self.recorder is not None else ():
            terminalreporter.write_line(line)

    def _account(self, run: str, config: pytest.Config) -> dict[str, Any]:
        file, sample = Path(config.rootpath) / "checks" / UNPROVOKED_FILE, sample_of(config)
        try:
            unprovoked = {(one.api, one.code): one.reason for one in read_unprovoked(file)}
        except UnprovokedTrouble:
            unprovoked = {}  # `python -m harness account` says what is wrong with it
        return self.account.data(
            run,
            refusals=refusals(),
            unprovoked=unprovoked,
            differences=self.found,
            differing=self._differing(),
            sample=None if sample is None else (sample.taken, sample.of),
        )

    def _differing(self) -> Iterator[tuple[str, str, Observation]]:
        """The exchanges in which differences were found."""
        for one in self.found:
            for target in one["values"]:
                for observation in self.seen[one["check"]].observed(target):
                    if (observation.api, observation.version, observation.request) == (
                        one["api"],
                        one["version"],
                        one["exchange"],
                    ):
                        yield target, one["check"], observation


def _other_count(check: str, pair: tuple[str, str], mine: int, theirs: int) -> Difference:
    return Difference(
        check=check,
        api="",
        version=-1,
        field="(observations)",
        values={pair[0]: f"{mine} of them", pair[1]: f"{theirs} of them"},
        request="all that the check observed",
    )
