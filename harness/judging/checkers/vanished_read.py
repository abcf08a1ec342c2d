"""Checks that a record which was read once stays in the log: not gone at the end, and not temporarily. O(records)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

import numpy as np

from harness.history.history import AnyHistory
from harness.judging.checkers.ruling import anomaly, counted, ruling, unread
from harness.judging.evidence.consumers import Step
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.witness import (
    Lines,
    end_line,
    fault_lines,
    line,
    ordered,
    read_line,
    send_lines,
)
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict

_Maker = Callable[[], Anomaly]


def vanished_read(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds records that a poll returned, but not the final read; and records that a later poll skipped."""
    evidence = Evidence.of(history)
    gone = [(where, place) for where in range(len(evidence.partitions)) for place in _gone(evidence, where, rules)]
    absent = list(_absent_for_a_while(evidence))
    read = sum(len(evidence.cells(where).offsets) for where in range(len(evidence.partitions)))
    found: Iterator[_Maker] = chain(
        (partial(_vanished, evidence, where, place) for where, place in gone),
        (partial(_passed_over, evidence, step, place) for step, place in absent),
    )
    wheres = [where for where in range(len(evidence.partitions)) if len(evidence.cells(where).offsets)]
    return ruling(
        "vanished-read",
        found,
        rules,
        count=len(gone) + len(absent),
        rests_on=f"{counted(read, 'record')} that were read, looked for in a whole read of the log",
        unknown=unread(evidence, wheres),
    )


def _gone(evidence: Evidence, where: int, rules: Guarantees) -> list[int]:
    """Places of cells that were read, and that are missing in the final log as far as it was read."""
    cells, end = evidence.cells(where), evidence.ends.get(where)
    if end is None:
        return []
    is_missing = ~cells.is_final & (cells.offsets >= evidence.deleted_before.get(where, 0))
    if rules.topic.may_delete_records:
        is_missing &= cells.offsets >= end.start
    if not end.is_whole:
        is_missing &= cells.offsets < end.reached
    places: list[int] = np.flatnonzero(is_missing).tolist()
    return places


def _absent_for_a_while(evidence: Evidence) -> Iterator[tuple[Step, int]]:
    """(step, place) of consumers' steps over a record that had been read before and that the final read returned."""
    for step in evidence.consumers.holes.values():
        cells = evidence.cells(step.where)
        low, high = np.searchsorted(cells.offsets, (step.before + 1, step.after))
        for place in range(int(low), int(high)):
            if cells.is_final[place] and cells.first_polls[place] < step.before_poll:
                yield step, place
                break


def _vanished(evidence: Evidence, where: int, place: int) -> Anomaly:
    cells = evidence.cells(where)
    offset, poll, row = int(cells.offsets[place]), int(cells.first_polls[place]), int(cells.rows[place])
    time_ns, read, value = read_line(evidence, where, offset, poll)
    lines: Lines = send_lines(evidence, row) if row >= 0 else []
    lines.append((time_ns, read))
    lines += fault_lines(evidence, time_ns, time_ns + 60_000_000_000)
    lines.append(end_line(evidence, where, f"without {value}"))
    reader = evidence.history.operation(poll).process
    at = f"{evidence.place(where)} offset {offset}"
    sentence = f"value {value} was read by {reader} at {at}, and is gone from the log"
    return anomaly("vanished-read", sentence, ordered(lines), poll)


def _passed_over(evidence: Evidence, step: Step, place: int) -> Anomaly:
    cells = evidence.cells(step.where)
    offset, poll = int(cells.offsets[place]), int(cells.first_polls[place])
    time_ns, read, value = read_line(evidence, step.where, offset, poll)
    later = evidence.history.operation(step.after_poll)
    what = f"{evidence.place(step.where)}  offsets {step.before}, {step.after} without {offset}"
    lines = [(time_ns, read), (later.time_ns, line(later, what))]
    lines += fault_lines(evidence, time_ns, later.time_ns)
    reader = evidence.history.operation(poll).process
    at = f"{evidence.place(step.where)} offset {offset}"
    sentence = f"value {value} was read by {reader} at {at}, was not there for {step.process} later, and came back"
    return anomaly("vanished-read", sentence, ordered(lines), step.after_poll)
