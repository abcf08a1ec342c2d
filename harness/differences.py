"""The part of the pytest plugin that compares targets: it collects what checks observed, and adds difference items.

With two or more --target each check that observes gets one more item, after all others, which compares the second and
later targets with the first and fails (Differs) unless checks/known_differences.toml accepts what it found.
"""

from __future__ import annotations

import datetime
import itertools
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from harness.catalogue import Header
from harness.diff import Difference, compare
from harness.exchange import Connections, Exchange
from harness.known_differences import (
    Known,
    KnownDifferencesTrouble,
    accepted_by,
    complaints,
    overdue,
    read_known,
)
from harness.observation import Observation, Plain, remark
from harness.outcome import Differs
from harness.plugin_record import RECORD, CheckRecord, record_of, target_name
from harness.targets.target import Cluster, Target

KNOWN_FILE: Final = "known_differences.toml"
MOST_SHOWN: Final = 6
"""Differences of one check that are shown; all are stored."""
OBSERVING: Final = ("exchange", "observe")
"""Fixtures whose use makes a check one that can be compared."""

Observe = Callable[[str, Plain], None]
"""(what was seen, the value): one observation that is no exchange."""


@dataclass(slots=True)
class Seen:
    """What one check observed, by target, in the order of the targets."""

    first: pytest.Item
    targets: list[str] = field(default_factory=list)
    observations: dict[str, list[Observation]] = field(default_factory=dict)


class Differences:
    """The plugin object. `known_file` is for tests; else the file stands in the checks' root folder."""

    def __init__(self, config: pytest.Config, known_file: Path | None = None) -> None:
        self.path = known_file or Path(config.rootpath) / "checks" / KNOWN_FILE
        try:
            self.known: tuple[Known, ...] = read_known(self.path)
        except KnownDifferencesTrouble as trouble:
            raise pytest.UsageError(str(trouble)) from trouble
        self.run = f"x{uuid.uuid4().hex[:8]}"
        self._numbers = itertools.count(1)
        self.connections = Connections()
        self.seen: dict[str, Seen] = {}
        self.used: set[int] = set()
        self.compared: list[tuple[str, tuple[str, str]]] = []
        self.partial: set[str] = set()

    # -- fixtures -----------------------------------------------------------------------------------------------

    @pytest.fixture
    def exchange(self, request: pytest.FixtureRequest, cluster: Cluster, target: Target) -> Iterator[Exchange]:
        """Asks the cluster under check; each question and answer is observed."""
        keep = self._keeper(request.node)
        run = f"{self.run}-{next(self._numbers)}"
        exchange = Exchange(bootstrap=cluster.bootstrap, run=run, connections=self.connections, keep=keep)
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
        seen = self.seen.setdefault(record.check, Seen(item))
        kept = seen.observations[target_name(item) or ""] = []

        def keep(observation: Observation) -> None:
            kept.append(observation)
            record.observations += 1

        return keep

    # -- collection ---------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Adds the difference items, after all others."""
        for item in items:
            target = target_name(item)
            if target is not None and any(name in getattr(item, "fixturenames", ()) for name in OBSERVING):
                seen = self.seen.setdefault(record_of(item).check, Seen(item))
                if target not in seen.targets:
                    seen.targets.append(target)
        pairs = [
            (check, seen, (seen.targets[0], other)) for check, seen in self.seen.items() for other in seen.targets[1:]
        ]
        for check, seen, pair in pairs:
            parent = seen.first.parent or session
            items.append(
                DifferenceItem.from_parent(parent, name=_item_name(check, pair), plugin=self, check=check, pair=pair)
            )
        if pairs:
            items.append(KnownDifferencesItem.from_parent(session, name=KNOWN_FILE, plugin=self))
        self._note_partial(session.config)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """A file of which some checks were left out does not show that a known difference is gone."""
        self.partial.update(_file_of(record_of(item).check) for item in items)

    def _note_partial(self, config: pytest.Config) -> None:
        chosen = [argument.partition("::")[0] for argument in config.args if "::" in argument]
        for check, seen in self.seen.items():
            if any(str(seen.first.path).endswith(name) for name in chosen):
                self.partial.add(_file_of(check))

    def pytest_sessionfinish(self) -> None:
        """Closes the connections."""
        self.connections.close()

    # -- comparison ---------------------------------------------------------------------------------------------

    def judge(self, check: str, pair: tuple[str, str]) -> tuple[list[Difference], list[tuple[Difference, Known]]]:
        """(differences that nothing accepts, those accepted with their entry)."""
        seen = self.seen[check].observations
        found = compare(check, (pair[0], seen[pair[0]]), (pair[1], seen[pair[1]]))
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


class _Shown(pytest.Item):
    """An item whose failure is its own text, without a stack trace."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, Differs):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class DifferenceItem(_Shown):
    """Compares two targets' observations of one check."""

    def __init__(self, *, plugin: Differences, check: str, pair: tuple[str, str], **rest: Any) -> None:
        super().__init__(**rest)
        self.plugin = plugin
        self.check = check
        self.pair = pair
        first = record_of(plugin.seen[check].first)
        self.stash[RECORD] = CheckRecord(
            check=check,
            target=" | ".join(pair),
            header=first.header,
            sentence=first.sentence,
            feature=first.feature,
            severity=first.severity,
            rerun=self.rerun(),
        )

    def runtest(self) -> None:
        """Differs when the targets do; skipped when one of them observed nothing."""
        seen = self.plugin.seen[self.check].observations
        missing = [target for target in self.pair if not seen.get(target)]
        if missing:
            pytest.skip(f"nothing was observed on {' and '.join(missing)}: see the check there")
        record = record_of(self)
        open_ones, accepted = self.plugin.judge(self.check, self.pair)
        record.observations = sum(len(seen[target]) for target in self.pair)
        for difference, entry in [*((one, None) for one in open_ones), *accepted]:
            told = {"rerun": self.rerun(), "accepted_by": None if entry is None else f"{entry.source}: {entry.reason}"}
            record.differences.append({**difference.data(), **told})
        if open_ones:
            raise Differs(self._lines(open_ones))

    def rerun(self) -> str:
        """The command that runs the check again on both targets."""
        first = self.plugin.seen[self.check].first
        name = getattr(first, "originalname", first.name)
        targets = " ".join(f"--target {target.partition('#')[0]}" for target in self.pair)
        return f"pytest {first.nodeid.partition('::')[0]} -k {name.removeprefix('test_')} {targets}"

    def _lines(self, found: Sequence[Difference]) -> list[str]:
        width = max(len(target) for target in self.pair)
        lines: list[str] = []
        for difference in found[:MOST_SHOWN]:
            where = f"{difference.api} v{difference.version}, " if difference.api else ""
            lines.append(f"DIFFERS  {self.check}   {' | '.join(self.pair)}        {where}field {difference.field}")
            lines.append(f"  {'request':<{width}}  {difference.request}")
            for target, value in difference.values.items():
                lines.append(f"  {target:<{width}}  {difference.field} = {value}")
        if len(found) > MOST_SHOWN:
            lines.append(f"  … and {len(found) - MOST_SHOWN:,} more differences of this check: all are in the report")
        lines.append(f"  Accept it by an entry in checks/{KNOWN_FILE} (needs a reason and a review-by date), or rerun:")
        lines.append(f"  {self.rerun()}")
        return lines

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Where it stands, for pytest's reports."""
        return self.plugin.seen[self.check].first.path, None, f"{self.check} {' | '.join(self.pair)}"


class KnownDifferencesItem(_Shown):
    """Looks whether the file of accepted differences still says what is."""

    def __init__(self, *, plugin: Differences, **rest: Any) -> None:
        super().__init__(**rest)
        self.plugin = plugin
        sentence = "Every accepted difference is still there, and not overdue."
        self.stash[RECORD] = CheckRecord(check="known_differences", target="", header=Header(), sentence=sentence)

    def runtest(self) -> None:
        """Differs when an entry matched nothing, or is past its date."""
        plugin = self.plugin
        whole = [(check, pair) for check, pair in plugin.compared if _file_of(check) not in plugin.partial]
        today = datetime.datetime.now(tz=datetime.UTC).date()
        wrong = complaints(plugin.known, plugin.used, whole) + overdue(plugin.known, today)
        if wrong:
            raise Differs([f"{plugin.path.name}: {line}" for line in wrong])

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Where it stands, for pytest's reports."""
        return self.plugin.path, None, KNOWN_FILE


def _item_name(check: str, pair: tuple[str, str]) -> str:
    name = check.partition("::")[2] or check
    return f"differences[{name}-{'|'.join(pair)}]"


def _file_of(check: str) -> str:
    return check.partition("::")[0]
