"""The part of the pytest plugin that compares answers: it collects the observations of checks and judges them.

When a check ends, its observations are compared with the recorded answers of Apache Kafka of the same release. A check
without assertions of its own and without a recording counts as observed, not held. With two or more --target, when all
checks have ended, the observations on the second and later targets are compared with those on the first. A difference
fails the run unless checks/known_differences.toml accepts it. All observations are counted in the account of the run.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pytest

from harness.clients.client import ClientTrouble
from harness.comparing.account.account import Account, recorded_codes, text_of
from harness.comparing.account.unprovoked import UNPROVOKED_FILE, UnprovokedTrouble, read_unprovoked
from harness.comparing.assertions import Assertions
from harness.comparing.comparisons import (
    Comparison,
    Entry,
    KnownDifferencesReview,
    RecordingReview,
    TwoSides,
    keep_differences,
)
from harness.comparing.connections import Connections
from harness.comparing.diff import Difference, compare
from harness.comparing.difference_lines import KNOWN_FILE, file_of, lines_of, rerun
from harness.comparing.exchange import PROBE, Exchange, Missing
from harness.comparing.home import home_of
from harness.comparing.known_differences import KnownDifferencesTrouble, entries_said, read_known
from harness.comparing.observation import Observation, Plain, remark
from harness.comparing.promised import Promised
from harness.comparing.recorded.answers import Recording, RecordingTrouble, same_form
from harness.comparing.recorded.choice import OF_ONE_NODE, Chosen, Side, choose
from harness.comparing.recorded.writing import Recorder
from harness.comparing.times import LOCAL_SLACK_MS, REMOTE_SLACK_MS
from harness.judging.judgements import judgements
from harness.judging.outcome import Differs, Outcome
from harness.pytest_plugin.clusters import is_simulated
from harness.pytest_plugin.names import tag_of
from harness.pytest_plugin.options import OPTIONS
from harness.pytest_plugin.record import CheckRecord, record_of
from harness.pytest_plugin.sampling import sample_of
from harness.pytest_plugin.session import SESSION
from harness.targets.reference import advertised, refusals
from harness.targets.target import Cluster, ClusterSpec, Target, as_given

_TOLD: Final = "compared"
"""Key in a pytest-xdist worker's output for what it passes to the controller."""
Observe = Callable[[str, Plain], None]
"""Called with (name of what was seen, value): adds an observation that is not an exchange."""
NOTHING_TO_COMPARE: Final = (
    "the check asserts nothing of the answers itself, and there is no recording of them to compare with: "
    "run it with a second --target"
)
_JUDGED_BEFORE: Final = pytest.StashKey[int]()
"""The number of assertions passed before a check's first observation."""


@dataclass(slots=True)
class Seen:
    """The records of one check, by target, in the order of the targets."""

    records: dict[str, CheckRecord] = field(default_factory=dict)

    @property
    def first(self) -> CheckRecord:
        """The record of the first target."""
        return next(iter(self.records.values()))

    @property
    def targets(self) -> list[str]:
        """The targets on which the check ran."""
        return list(self.records)

    def observed(self, target: str) -> list[Observation]:
        """The observations on a target; empty if the check did not run there."""
        record = self.records.get(target)
        return [] if record is None else record.observed


def _side(target: Target) -> Side:
    is_of_others, release = not target.kind.is_ours, target.release
    several = is_of_others and release is not None and target.lack(ClusterSpec(nodes=2)) is None
    return Side(name=target.name, release=release, is_of_others=is_of_others, has_several_brokers=several)


class Differences:
    """The plugin object. `known_file` replaces checks/known_differences.toml in tests."""

    def __init__(self, config: pytest.Config, known_file: Path | None = None) -> None:
        self.path = known_file or Path(config.rootpath) / "checks" / KNOWN_FILE
        targets, nodes = config.stash[OPTIONS].targets, config.stash[OPTIONS].nodes
        wanted = config.getoption("--recorded")
        try:
            self.known = read_known(self.path, targets)
            # While recording, nothing is compared with the old recording.
            is_recording = config.getoption("--record") is not None
            if is_recording and nodes is not None:
                raise RecordingTrouble(f"--record with --nodes {nodes}: {OF_ONE_NODE}; leave --nodes out")
            self.chosen = (
                Chosen() if is_recording else choose(wanted, map(_side, targets), Path(config.rootpath), nodes)
            )
        except (KnownDifferencesTrouble, RecordingTrouble) as trouble:
            raise pytest.UsageError(f"harness: {trouble}") from trouble
        self.recorder = Recorder.of(config.getoption("--record"), targets)
        self.account = Account([chosen.name for chosen in targets])
        self.listed: dict[str, dict[int, tuple[int, int]]] = {}
        """Target → API key → (lowest, highest) version that it lists."""
        self.run = f"x{uuid.uuid4().hex[:8]}"
        self._numbers = itertools.count(1)
        self.connections = Connections()
        self.assertions = Assertions(config, lambda item: record_of(item).observes)
        config.pluginmanager.register(self.assertions, "harness.comparing.assertions")
        self.promised: dict[str, Promised] = {}
        self.seen: dict[str, Seen] = {}
        """Check → its records; filled when all checks have ended."""
        self.compared: list[tuple[str, tuple[str, str]]] = []
        self.partial: set[str] = set()
        self.found: list[Mapping[str, Any]] = []
        """All differences, including accepted ones, as JSON data; filled when all checks have ended."""

    # -- fixtures -----------------------------------------------------------------------------------------------

    def _names_of(self, item: pytest.Item) -> str:
        """What names of a check begin with: no other check's do. A simulated cluster is the check's own, and its names
        are the same in each run with the seed."""
        if is_simulated(item):
            return tag_of(item.config.stash[OPTIONS].seed)
        return f"{self.run}-{next(self._numbers)}"

    @pytest.fixture
    def exchange(self, request: pytest.FixtureRequest, cluster: Cluster, target: Target) -> Iterator[Exchange]:
        """An Exchange with the cluster, which observes each request and its answer."""
        is_ours = target.kind.is_ours
        home = home_of(cluster.bootstrap, self.connections)
        exchange = Exchange(
            bootstrap=cluster.bootstrap if home is None else home.address,
            run=self._names_of(request.node),
            connections=self.connections,
            keep=self._keeper(request.node),
            promised=self._promised(target.name, cluster),
            report=lambda missing: self._report(record_of(request.node), missing),
            slack_ms=LOCAL_SLACK_MS if is_ours else REMOTE_SLACK_MS,
            home=home,
        )
        self._ask_what_is_listed(target.name, exchange)
        yield exchange
        exchange.close()
        if not is_ours:
            exchange.clear_away()

    def _promised(self, target: str, cluster: Cluster) -> Promised:
        if target not in self.promised:
            listed = advertised(cluster.version())
            release = cluster.version() if listed else ""
            self.promised[target] = Promised(target=target, release=release, listed=listed, known=self.known)
        return self.promised[target]

    def _report(self, record: CheckRecord, missing: Sequence[Missing]) -> None:
        """Stores how a target's list of APIs differs from its release's. Raises Differs if no gap accepts that."""
        found = [(replace(difference, check=record.check), gap) for difference, gap in missing]
        again = rerun(record.path, record.function, (record.target,))
        open_ones = keep_differences(record, again, found)
        if open_ones:
            raise Differs(lines_of(open_ones, tuple(open_ones[0].values), again))

    @pytest.fixture
    def observe(self, request: pytest.FixtureRequest, target: Target) -> Observe:
        """A function that adds a named value, to be compared between targets."""
        keep = self._keeper(request.node)
        return lambda what, value: keep(remark(what, value))

    def _keeper(self, item: pytest.Item) -> Callable[[Observation], None]:
        record = record_of(item)

        def keep(observation: Observation) -> None:
            if not record.observed:
                item.stash[_JUDGED_BEFORE] = judgements()
            record.observed.append(observation)
            record.observations += 1

        return keep

    def _ask_what_is_listed(self, target: str, exchange: Exchange) -> None:
        """Reads a target's API versions, once per target. If it does not answer, the check itself will report that."""
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
        """Lines that say with which recording each target is compared, or why with none."""
        lines = []
        for name, recording in self.chosen.by_target.items():
            held = f"{len(recording.checks):,} checks in {recording.path}"
            lines.append(f"recorded      {name} is compared with {recording.name}: {held}")
        return lines + [f"recorded      {note}" for note in self.chosen.notes]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """While recording, deselects checks without observations. Notes files of which only some checks were chosen."""
        if self.recorder is not None:
            silent = [item for item in items if not record_of(item).observes]
            items[:] = [item for item in items if record_of(item).observes]
            partial = set(self.partial)
            session.config.hook.pytest_deselected(items=silent)
            self.partial = partial  # a file is not partial because of checks that are never recorded
        chosen = [argument.partition("::")[0] for argument in session.config.args if "::" in argument]
        for item in items:
            if record_of(item).observes and any(str(item.path).endswith(name) for name in chosen):
                self.partial.add(file_of(record_of(item).check))

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Notes files of which some checks were deselected: they cannot show that a known difference is gone."""
        self.partial.update(file_of(record_of(item).check) for item in items)

    # -- comparison ---------------------------------------------------------------------------------------------

    def comparisons(self, records: Iterable[CheckRecord]) -> list[Comparison]:
        """The comparisons to run now that all checks have ended, in order."""
        for record in records:
            if record.observes:
                self.seen.setdefault(record.check, Seen()).records.setdefault(record.target, record)
                self.found += record.differences
                if record.compared_with:
                    self.compared.append((record.check, (record.target, record.compared_with)))
        found: list[Comparison] = [
            TwoSides(self, check, (seen.targets[0], other))
            for check, seen in self.seen.items()
            for other in seen.targets[1:]
        ]
        if found or self.compared:
            found.append(KnownDifferencesReview(self))
        if self.seen:
            found += [RecordingReview(self, recording) for recording in self.chosen.all()]
        return found

    def outcome(self, check: str, target: str) -> Outcome:
        """The outcome of a check on a target; SKIPPED if it did not run there."""
        record = self.seen[check].records.get(target)
        return Outcome.SKIPPED if record is None else record.outcome

    def has_file(self, file: str) -> bool:
        """Whether the file of checks with this id exists."""
        area, _, name = file.rpartition("/")
        return (self.path.parent / area / f"test_{name}.py").is_file()

    def targets_of(self, recording: Recording) -> list[str]:
        """The targets that are compared with a recording."""
        return [name for name, found in self.chosen.by_target.items() if found is recording]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Judges the observations of a check after it has passed."""
        done = yield
        if record_of(item).observed:
            self._conclude(item, record_of(item))
        return done

    def _conclude(self, item: pytest.Item, record: CheckRecord) -> None:
        """Compares a check's observations with its recording; raises Differs. Without a recording, notes if the check
        did not assert anything itself."""
        recording = self.chosen.by_target.get(record.target)
        if recording is None or not (theirs := recording.checks.get(record.check)):
            if self.assertions.counts(item) and judgements() == item.stash[_JUDGED_BEFORE]:
                record.observed_reason = NOTHING_TO_COMPARE
            return
        record.compared_with = recording.name
        pair = (record.target, recording.name)
        again = rerun(record.path, record.function, pair)
        found = compare(record.check, (pair[0], same_form(record.observed)), (pair[1], theirs))
        open_ones = keep_differences(record, again, self.accepted(found))
        if open_ones:
            is_its_own = as_given(record.target) == recording.target
            raise Differs(lines_of(open_ones, pair, again, recording if is_its_own else None))

    def judge(self, check: str, pair: tuple[str, str]) -> list[tuple[Difference, Entry | None]]:
        """The differences of a check between two targets, each with the entry that accepts it, or None.

        If the check was skipped or unknown on one of them, only the observations up to there are compared.
        """
        mine, theirs = (self.seen[check].observed(target) for target in pair)
        if {self.outcome(check, target) for target in pair} & {Outcome.SKIPPED, Outcome.UNKNOWN}:
            common = min(len(mine), len(theirs))
            mine, theirs = mine[:common], theirs[:common]
        self.compared.append((check, pair))
        return self.accepted(compare(check, (pair[0], mine), (pair[1], theirs)))

    def accepted(self, found: Iterable[Difference]) -> list[tuple[Difference, Entry | None]]:
        """Differences, each with the entry that accepts it, or None."""
        return [(difference, self.known.accepts(difference)) for difference in found]

    # -- the end ------------------------------------------------------------------------------------------------

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Closes connections; stores the account and the recording, except in a pytest-xdist worker."""
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
            with ours.storing():
                ours.stored.write_account(text_of(self._account(ours.stored.path.name, session.config)))
        if self.recorder is not None:
            held = {
                (check, target): seen.observed(target)
                for check, seen in self.seen.items()
                for target in seen.targets
                if self.outcome(check, target) in (Outcome.HELD, Outcome.OBSERVED)
            }
            with ours.storing():
                self.recorder.write(held, ours.versions(), self.partial, self.has_file)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Takes over what a pytest-xdist worker has collected."""
        told: Mapping[str, Any] = getattr(node, "workeroutput", {}).get(_TOLD, {})
        self.partial.update(told.get("partial", ()))
        self.listed |= told.get("listed", {})

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Prints what was recorded."""
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
            recorded=recorded_codes(one for found in self.chosen.all() for one in found.observations()),
            unprovoked=unprovoked,
            differences=self.found,
            differing=self._differing(),
            sample=None if sample is None else (sample.taken, sample.of),
        ) | {"accidents": entries_said(self.known.accidents())}

    def _differing(self) -> Iterator[tuple[str, str, Observation]]:
        """(target, check, observation) of the exchanges in which differences were found."""
        for one in self.found:
            for target in one["values"]:
                for observation in self.seen[one["check"]].observed(target):
                    if (observation.api, observation.version, observation.request) == (
                        one["api"],
                        one["version"],
                        one["exchange"],
                    ):
                        yield target, one["check"], observation
