"""The part of the pytest plugin that compares targets: it collects what checks observed, and adds difference items.

With two or more --target each check that observes gets one more item, after all others, which compares the second and
later targets with the first and fails (Differs) unless checks/known_differences.toml accepts what it found. With
--recorded each target is compared with the recording of its release as well. What was observed is added up in the
run's account.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from harness.clients.client import ClientTrouble
from harness.comparing.account.account import Account, text_of
from harness.comparing.account.unprovoked import UNPROVOKED_FILE, UnprovokedTrouble, read_unprovoked
from harness.comparing.diff import Difference, compare
from harness.comparing.difference_items import KNOWN_FILE, DifferenceItem, KnownDifferencesItem, RecordingItem, file_of
from harness.comparing.exchange import PROBE, Connections, Exchange
from harness.comparing.known_differences import Known, KnownDifferencesTrouble, accepted_by, read_known
from harness.comparing.observation import Observation, Plain, remark
from harness.comparing.recorded.answers import PREFIX, Recording, RecordingTrouble, same_form
from harness.comparing.recorded.choice import Chosen, choose
from harness.comparing.recorded.writing import Recorder
from harness.judging.outcome import Outcome
from harness.pytest_plugin.options import OPTIONS
from harness.pytest_plugin.record import record_of, target_name
from harness.pytest_plugin.sampling import sample_of
from harness.pytest_plugin.session import SESSION
from harness.targets.reference import refusals
from harness.targets.target import Cluster, Target

OBSERVING: Final = ("exchange", "observe")
"""Fixtures whose use makes a check one that can be compared."""

Observe = Callable[[str, Plain], None]
"""(what was seen, the value): one observation that is no exchange."""


@dataclass(slots=True)
class Seen:
    """What one check observed, by target, in the order of the targets."""

    first: pytest.Item
    items: dict[str, pytest.Item] = field(default_factory=dict)
    observations: dict[str, list[Observation]] = field(default_factory=dict)

    @property
    def targets(self) -> list[str]:
        """Those that it is to run on."""
        return list(self.items)


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
        self.run = f"x{uuid.uuid4().hex[:8]}"
        self._numbers = itertools.count(1)
        self.connections = Connections()
        self.seen: dict[str, Seen] = {}
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
        record, target = record_of(item), target_name(item) or ""
        seen = self.seen.setdefault(record.check, Seen(item))
        kept = seen.observations[target] = []

        def keep(observation: Observation) -> None:
            kept.append(observation)
            record.observations += 1
            self.account.add(target, record.check, observation)

        return keep

    def _ask_what_is_listed(self, target: str, exchange: Exchange) -> None:
        """Once for each target; where it does not answer, the check that comes will say so."""
        if target in self.account.listed:
            return
        try:
            answer = exchange.quietly(PROBE, 3)
        except ClientTrouble:
            return
        self.account.listed[target] = {key.api_key: (key.min_version, key.max_version) for key in answer.api_keys}

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
        """Adds the difference items, after all others; a recording leaves out what does not observe."""
        if self.recorder is not None:
            silent = [item for item in items if not _observes(item)]
            items[:] = [item for item in items if _observes(item)]
            partial = set(self.partial)
            session.config.hook.pytest_deselected(items=silent)
            self.partial = partial  # what does not observe is no part of a recording
        for item in filter(_observes, items):
            seen = self.seen.setdefault(record_of(item).check, Seen(item))
            seen.items.setdefault(target_name(item) or "", item)
        pairs = list(self._pairs())
        for check, pair in pairs:
            parent = self.seen[check].first.parent or session
            items.append(
                DifferenceItem.from_parent(parent, name=_item_name(check, pair), plugin=self, check=check, pair=pair)
            )
        if pairs:
            items.append(KnownDifferencesItem.from_parent(session, name=KNOWN_FILE, plugin=self))
        for recording in self.chosen.all() if self.seen else ():
            items.append(RecordingItem.from_parent(session, name=recording.name, plugin=self, recording=recording))
        self._note_partial(session.config)

    def _pairs(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """What is to be compared: (check, the two sides)."""
        for check, seen in self.seen.items():
            for other in seen.targets[1:]:
                yield check, (seen.targets[0], other)
            for target in seen.targets:
                recording = self.chosen.by_target.get(target)
                if recording is not None and recording.checks.get(check):
                    yield check, (target, recording.name)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """A file of which some checks were left out does not show that a known difference is gone."""
        self.partial.update(file_of(record_of(item).check) for item in items)

    def _note_partial(self, config: pytest.Config) -> None:
        chosen = [argument.partition("::")[0] for argument in config.args if "::" in argument]
        for check, seen in self.seen.items():
            if any(str(seen.first.path).endswith(name) for name in chosen):
                self.partial.add(file_of(check))

    # -- comparison ---------------------------------------------------------------------------------------------

    def recording_of(self, side: str) -> Recording | None:
        """The recording that a side of a comparison is, if it is one."""
        return next((one for one in self.chosen.all() if one.name == side), None)

    def observed(self, check: str, side: str) -> Sequence[Observation]:
        """What a check observed on a target, or what a recording holds of it."""
        recording = self.recording_of(side)
        if recording is not None:
            return recording.checks.get(check, ())
        return self.seen[check].observations.get(side, ())

    def has_held(self, check: str, target: str) -> bool:
        """Whether a check came to its end on a target, so that it has observed all that it does."""
        item = self.seen[check].items.get(target)
        return item is not None and record_of(item).outcome is Outcome.HELD

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
        """Closes the connections, and stores the account and the recording."""
        self.connections.close()
        ours = session.config.stash[SESSION]
        if ours.stored is None:
            return
        if self.account.tallies:
            ours.stored.write_account(text_of(self._account(ours.stored.path.name, session.config)))
        if self.recorder is not None:
            held = {
                (check, target): seen.observations[target]
                for check, seen in self.seen.items()
                for target in seen.observations
                if self.has_held(check, target)
            }
            self.recorder.write(held, ours.clusters.versions, self.partial, self.has_file)

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
                for observation in self.seen[one["check"]].observations.get(target, ()):
                    if (observation.api, observation.version, observation.request) == (
                        one["api"],
                        one["version"],
                        one["exchange"],
                    ):
                        yield target, one["check"], observation


def _observes(item: pytest.Item) -> bool:
    return target_name(item) is not None and any(name in getattr(item, "fixturenames", ()) for name in OBSERVING)


def _other_count(check: str, pair: tuple[str, str], mine: int, theirs: int) -> Difference:
    return Difference(
        check=check,
        api="",
        version=-1,
        field="(observations)",
        values={pair[0]: f"{mine} of them", pair[1]: f"{theirs} of them"},
        request="all that the check observed",
    )


def _item_name(check: str, pair: tuple[str, str]) -> str:
    name = check.partition("::")[2] or check
    return f"differences[{name}-{'|'.join(pair)}]"
