"""Checks that each group received all records below its committed offset. O(records)."""

from __future__ import annotations

from functools import partial

import numpy as np

from harness.history.history import AnyHistory
from harness.history.operations import EARLIEST
from harness.judging.checkers.ruling import anomaly, counted, ruling
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.witness import end_line, first_read_lines, ordered, send_lines, sent
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


def undelivered(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds records of the final log below a group's committed offset that no member received.

    Records above the committed offset may have come later: if a group did not receive some, the verdict is unknown.
    """
    evidence = Evidence.of(history)
    found = []
    count = given = waiting = 0
    for group in evidence.consumers.groups:
        for where in range(len(evidence.partitions)):
            cells = evidence.cells(where)
            is_given = cells.by_group.get(group, np.zeros(len(cells.offsets), np.bool_))
            missing = np.flatnonzero(cells.is_final & ~is_given & (cells.rows >= 0))
            below = _committed(evidence, group, where)
            passed = missing[cells.offsets[missing] < below]
            found += [partial(_missed, evidence, group, where, int(place), below) for place in passed[:10]]
            count += len(passed)
            waiting += len(missing) - len(passed)
            given += int(np.count_nonzero(is_given))
    return ruling(
        "undelivered",
        found,
        rules,
        count=count,
        rests_on=f"{counted(given, 'record')} that {counted(len(evidence.consumers.groups), 'group')} were given",
        unknown=_not_all(given, waiting),
    )


def _not_all(given: int, waiting: int) -> str | None:
    if not given:
        return "no member of a group was given a record"
    if waiting:
        return f"{counted(waiting, 'record')} had not been given to a group when its members stopped; run for longer"
    return None


def _committed(evidence: Evidence, group: str, where: int) -> int:
    """The lowest offset that may be the group's committed offset at the end; 0 if it may have none."""
    return max(0, min(evidence.consumers.register(group, where).in_force(), default=EARLIEST))


def _missed(evidence: Evidence, group: str, where: int, place: int, below: int) -> Anomaly:
    cells = evidence.cells(where)
    row = int(cells.rows[place])
    _, send = sent(evidence, row)
    at = f"{evidence.place(where)} offset {int(cells.offsets[place])}"
    lines = send_lines(evidence, row) + first_read_lines(evidence, row)
    lines.append(end_line(evidence, where, f"{group} has committed {below}"))
    sentence = f"value {send.value} at {at} was given to no member of {group}, which has committed offset {below}"
    return anomaly("undelivered", sentence, ordered(lines), evidence.sends.invoked[row])
