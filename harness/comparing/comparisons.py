"""What is compared when all checks have ended: each check on each pair of targets, then the files of what is accepted.

A comparison is no item of pytest: it needs what several checks observed, which may have run in several processes. The
plugin runs them after the last check and reports each like a check (harness/pytest_plugin/after_checks.py).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from harness.catalogue import Header
from harness.comparing.diff import Difference
from harness.comparing.known_differences import complaints, overdue
from harness.comparing.recorded.answers import PREFIX, Recording
from harness.judging.outcome import Differs, Outcome
from harness.pytest_plugin.record import CheckRecord

if TYPE_CHECKING:
    from harness.comparing.differences import Differences

KNOWN_FILE: Final = "known_differences.toml"
MOST_SHOWN: Final = 6
"""Differences of one check that are shown; all are stored."""


def file_of(check: str) -> str:
    """The file of checks that a check belongs to."""
    return check.partition("::")[0]


class Comparison(Protocol):
    """One thing to compare when all checks have ended."""

    record: CheckRecord

    def run(self) -> None:
        """Compares; the record says the outcome. Differs when it does."""
        ...


class TwoSides:
    """Compares two sides' observations of one check: two targets, or a target and a recording (Comparison)."""

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
            rerun=self.rerun(),
        )

    def run(self) -> None:
        """Differs when the sides do; skipped when one of them observed nothing."""
        record, sides = self.record, [self.plugin.observed(self.check, side) for side in self.pair]
        missing = [side for side, seen in zip(self.pair, sides, strict=True) if not seen]
        if missing:
            record.outcome = Outcome.SKIPPED
            record.skip_reason = f"nothing was observed on {' and '.join(missing)}: see the check there"
            return
        open_ones, accepted = self.plugin.judge(self.check, self.pair)
        record.observations = sum(len(seen) for seen in sides)
        for difference, entry in [*((one, None) for one in open_ones), *accepted]:
            told = {"rerun": record.rerun, "accepted_by": None if entry is None else f"{entry.source}: {entry.reason}"}
            kept = {**difference.data(), **told}
            record.differences.append(kept)
            self.plugin.found.append(kept)
        if open_ones:
            raise Differs(self._lines(open_ones))
        record.outcome = Outcome.HELD

    def rerun(self) -> str:
        """The command that runs the check again on both sides."""
        first = self.plugin.seen[self.check].first
        words = [
            "--recorded" if side.startswith(PREFIX) else f"--target {side.partition('#')[0]}" for side in self.pair
        ]
        return f"pytest {first.path} -k {first.function.removeprefix('test_')} {' '.join(words)}"

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
        recording = self.plugin.recording_of(self.pair[1])
        if recording is not None and self.pair[0].partition("#")[0] == recording.target:
            lines.append("  The recording does not say any more what this target does. Record again with:")
            return [*lines, f"  {recording.again(file_of(self.check))}"]
        lines.append(f"  Accept it by an entry in checks/{KNOWN_FILE} (needs a reason and a review-by date), or rerun:")
        lines.append(f"  {self.record.rerun}")
        return lines


class KnownDifferencesReview:
    """Looks whether the file of accepted differences still says what is (Comparison)."""

    def __init__(self, plugin: Differences) -> None:
        self.plugin = plugin
        sentence = "Every accepted difference is still there, and not overdue."
        self.record = CheckRecord(
            check="known_differences", target="", header=Header(), sentence=sentence, nodeid=KNOWN_FILE
        )

    def run(self) -> None:
        """Differs when an entry matched nothing, or is past its date."""
        plugin = self.plugin
        whole = [(check, pair) for check, pair in plugin.compared if file_of(check) not in plugin.partial]
        today = datetime.datetime.now(tz=datetime.UTC).date()
        wrong = complaints(plugin.known, plugin.used, whole) + overdue(plugin.known, today)
        if wrong:
            raise Differs([f"{plugin.path.name}: {line}" for line in wrong])
        self.record.outcome = Outcome.HELD


class RecordingReview:
    """Looks whether every check that observed is recorded, and every recorded check is still there (Comparison)."""

    def __init__(self, plugin: Differences, recording: Recording) -> None:
        self.plugin = plugin
        self.recording = recording
        self.record = CheckRecord(
            check="recording",
            target=recording.name,
            header=Header(),
            sentence="Every check that observes is recorded, and every recorded check is there.",
            nodeid=recording.name,
            rerun=recording.again(),
        )

    def run(self) -> None:
        """Differs when a check has no recording, or a recording has no check."""
        targets = self.plugin.targets_of(self.recording)
        unrecorded = sorted(
            check
            for check, seen in self.plugin.seen.items()
            if check not in self.recording.checks and any(seen.observed(target) for target in targets)
        )
        gone = sorted(self._without_check())
        lines = [f"RECORDING  {check}: observed, and not recorded" for check in unrecorded]
        lines += [f"RECORDING  {check}: recorded, and there is no such check" for check in gone]
        if lines:
            files = sorted({file_of(check) for check in (*unrecorded, *gone)})
            again = self.recording.again(files[0] if len(files) == 1 else "")
            raise Differs([*lines, "  Record again with:", f"  {again}"])
        self.record.outcome = Outcome.HELD

    def _without_check(self) -> Iterable[str]:
        """Recorded checks of files that ran as a whole, or are not there any more."""
        plugin = self.plugin
        whole = {file_of(check) for check in plugin.seen} - plugin.partial
        for check in self.recording.checks:
            file = file_of(check)
            if (file in whole and check not in plugin.seen) or not plugin.has_file(file):
                yield check
