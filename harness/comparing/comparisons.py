"""Comparisons that run after all checks: each check on each pair of targets, then reviews of accepted differences and
recordings.

They are not pytest items, because they need the observations of several checks, which may have run in several
processes. The plugin runs them after the last check, and reports each like a check
(harness/pytest_plugin/after_checks.py).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from harness.catalogue import Header
from harness.comparing.diff import Difference
from harness.comparing.difference_lines import KNOWN_FILE, file_of, lines_of, rerun
from harness.comparing.gaps import Gap
from harness.comparing.known_differences import Known
from harness.comparing.recorded.answers import Recording
from harness.judging.outcome import Differs, Outcome
from harness.pytest_plugin.record import CheckRecord

if TYPE_CHECKING:
    from harness.comparing.differences import Differences

Entry = Known | Gap
"""An entry of the file of known differences."""


def keep_differences(
    record: CheckRecord, again: str, found: Sequence[tuple[Difference, Entry | None]]
) -> list[Difference]:
    """Stores differences, each with the entry that accepts it, in a check's record; returns those without one."""
    for difference, entry in found:
        accepted = {"accepted_by": None if entry is None else f"{entry.source}: {entry.reason}"}
        number = {"entry": entry.number} if isinstance(entry, Known) else {}
        record.differences.append({**difference.data(), "rerun": again, **accepted, **number})
    return [difference for difference, entry in found if entry is None]


class Comparison(Protocol):
    """A comparison to run after all checks."""

    record: CheckRecord

    def run(self) -> None:
        """Runs the comparison, and sets the record's outcome. Raises Differs if there is a difference."""
        ...


class TwoSides:
    """Comparison of two targets' observations in one check."""

    def __init__(self, plugin: Differences, check: str, pair: tuple[str, str]) -> None:
        self.plugin = plugin
        self.check = check
        self.pair = pair
        first = plugin.seen[check].first
        self.record = CheckRecord(
            check=check,
            target=" | ".join(pair),
            header=first.header,
            sentence=first.sentence,
            feature=first.feature,
            severity=first.severity,
            nodeid=f"{first.path}::differences[{check.partition('::')[2] or check}-{'|'.join(pair)}]",
            function=first.function,
            rerun=rerun(first.path, first.function, pair),
        )

    def run(self) -> None:
        """Raises Differs if the observations differ; skipped if there are none on one of the targets."""
        record, seen = self.record, [self.plugin.seen[self.check].observed(target) for target in self.pair]
        missing = [target for target, observed in zip(self.pair, seen, strict=True) if not observed]
        if missing:
            record.outcome = Outcome.SKIPPED
            record.skip_reason = f"nothing was observed on {' and '.join(missing)}: see the check there"
            return
        record.observations = sum(map(len, seen))
        open_ones = keep_differences(record, record.rerun, self.plugin.judge(self.check, self.pair))
        self.plugin.found += record.differences
        if open_ones:
            raise Differs(lines_of(open_ones, self.pair, record.rerun))
        record.outcome = Outcome.HELD


class KnownDifferencesReview:
    """Comparison that checks that every accepted difference still occurs, and that none is overdue for review."""

    def __init__(self, plugin: Differences) -> None:
        self.plugin = plugin
        sentence = "Every accepted difference still occurs, and none is overdue for review."
        self.record = CheckRecord(
            check="known_differences", target="", header=Header(), sentence=sentence, nodeid=KNOWN_FILE
        )

    def run(self) -> None:
        """Raises Differs if an entry matched nothing, a gap is closed, or a review date has passed."""
        plugin = self.plugin
        whole = [(check, pair) for check, pair in plugin.compared if file_of(check) not in plugin.partial]
        today = datetime.datetime.now(tz=datetime.UTC).date()
        used = [found["entry"] for found in plugin.found if "entry" in found]
        known = plugin.known
        wrong = known.complaints(used, whole) + known.closed(plugin.listed) + known.overdue(today)
        if wrong:
            raise Differs([f"{plugin.path.name}: {line}" for line in wrong])
        self.record.outcome = Outcome.HELD


class RecordingReview:
    """Comparison that checks that every check with observations is recorded, and that every recorded check exists."""

    def __init__(self, plugin: Differences, recording: Recording) -> None:
        self.plugin = plugin
        self.recording = recording
        self.record = CheckRecord(
            check="recording",
            target=recording.name,
            header=Header(),
            sentence="Every check that observes is recorded, and every recorded check exists.",
            nodeid=recording.name,
            rerun=recording.again(),
        )

    def run(self) -> None:
        """Raises Differs if a check has no recording, or a recording has no check."""
        targets = self.plugin.targets_of(self.recording)
        unrecorded = sorted(
            check
            for check, seen in self.plugin.seen.items()
            if check not in self.recording.checks and any(seen.observed(target) for target in targets)
        )
        gone = sorted(self._without_check())
        lines = [f"RECORDING  {check}: observed, but not recorded" for check in unrecorded]
        lines += [f"RECORDING  {check}: recorded, but there is no such check" for check in gone]
        if lines:
            files = sorted({file_of(check) for check in (*unrecorded, *gone)})
            again = self.recording.again(files[0] if len(files) == 1 else "")
            raise Differs([*lines, "  Record again with:", f"  {again}"])
        self.record.outcome = Outcome.HELD

    def _without_check(self) -> Iterable[str]:
        """Recorded checks that no longer exist: not in their file, which ran as a whole, or the file does not exist."""
        plugin = self.plugin
        whole = {file_of(check) for check in plugin.seen} - plugin.partial
        for check in self.recording.checks:
            file = file_of(check)
            if (file in whole and check not in plugin.seen) or not plugin.has_file(file):
                yield check
