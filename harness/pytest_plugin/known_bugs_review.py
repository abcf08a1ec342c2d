"""The last look at checks/known_bugs.toml: is each bug still there that a check was said to find?"""

from __future__ import annotations

from harness.catalogue import Header
from harness.comparing.comparisons import Comparison
from harness.judging.outcome import Differs, Outcome
from harness.known_bugs import KNOWN_BUGS_FILE
from harness.pytest_plugin.record import CheckRecord
from harness.pytest_plugin.session import Session
from harness.targets.target import TargetKind


class KnownBugsReview:
    """Looks whether the bugs that the target is said to have are still there (Comparison)."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.record = CheckRecord(
            check="known_bugs",
            target="",
            header=Header(),
            sentence="Every known bug of a release is still there.",
            nodeid=KNOWN_BUGS_FILE,
            rerun=session.rerun(),
        )

    def run(self) -> None:
        """Differs when a check held though the target is said to have a bug that breaks it."""
        session = self._session
        # In a mixed cluster it depends on the node that the check chose whether the bug shows.
        held = [
            (record.check, record.target, session.kafka_release(record))
            for record in session.records
            if record.outcome in (Outcome.HELD, Outcome.OBSERVED) and session.kind_of(record) is not TargetKind.MIXED
        ]
        if wrong := session.known_bugs.complaints(held):
            raise Differs([f"{KNOWN_BUGS_FILE}: {line}" for line in wrong])
        self.record.outcome = Outcome.HELD


def reviews(session: Session) -> list[Comparison]:
    """The review, where a check ran on a target that is said to have a bug that the check finds; else none."""
    concerns = any(
        record.outcome is not Outcome.SKIPPED and session.known_bugs.of(record.check, session.kafka_release(record))
        for record in session.records
    )
    return [KnownBugsReview(session)] if concerns else []
