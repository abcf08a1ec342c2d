"""Checks the order of polled records: no consumer goes back or skips records, and group members start at committed
offsets.

O(records), plus a binary search for each gap in the offsets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

import numpy as np

from harness.history.history import AnyHistory
from harness.history.operations import EARLIEST
from harness.judging.checkers.ruling import anomaly, counted, ruling
from harness.judging.evidence.consumers import Start, Step
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.witness import first_poll, line, ordered, read_line
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict

_Maker = Callable[[], Anomaly]


def nonmonotonic_poll(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds polls that return an offset at or below one that the process has already read in the same assignment, or
    below the offset from which a manual assignment or seek was to start."""
    evidence = Evidence.of(history)
    backs = evidence.consumers.backs
    early = [start for start in evidence.consumers.starts if not start.group and start.offset < min(start.allowed)]
    found: Iterator[_Maker] = chain(
        (partial(_back, evidence, step) for step in backs), (partial(_too_early, evidence, start) for start in early)
    )
    return ruling(
        "nonmonotonic-poll",
        found,
        rules,
        count=backs.count + len(early),
        rests_on=_steps_looked_at(evidence),
        unknown=_nothing_read(evidence),
    )


def poll_skip(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds polls of a consumer that skip a record which some other read returned.

    A gap in the offsets alone is legal: control records, aborted and compacted records leave gaps. Records that the
    final read skips are not counted here, but as lost-write or vanished-read.
    """
    evidence = Evidence.of(history)
    skips = [
        (step, place, count)
        for step in evidence.consumers.holes.values()
        if _follows(evidence, step.process)
        for place, count in [_between(evidence, step.where, step.before + 1, step.after)]
        if count
    ]
    late = [
        (start, *missed)
        for start in evidence.consumers.starts
        if _follows(evidence, start.process) and (missed := _missed_at_start(evidence, start))
    ]
    if rules.topic.may_delete_records:
        late = []
    found: Iterator[_Maker] = chain(
        (partial(_skip, evidence, *skip) for skip in skips), (partial(_too_late, evidence, *start) for start in late)
    )
    return ruling(
        "poll-skip",
        found,
        rules,
        count=len(skips) + len(late),
        rests_on=_steps_looked_at(evidence),
        unknown=_nothing_read(evidence),
    )


def wrong_start(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds group members whose first record after an assignment is not at their group's committed offset."""
    evidence = Evidence.of(history)
    wrong = [
        (start, passed)
        for start in evidence.consumers.starts
        if start.group and (passed := _passed(evidence, start)) is not None
    ]
    if rules.topic.may_delete_records:
        wrong = [(start, passed) for start, passed in wrong if EARLIEST not in start.allowed]
    return ruling(
        "wrong-start",
        (partial(_elsewhere, evidence, *pair) for pair in wrong),
        rules,
        count=len(wrong),
        rests_on=f"{counted(evidence.consumers.assignments, 'assignment')}, of which "
        f"{counted(evidence.consumers.started, 'first record')} could be looked at",
        unknown=None if evidence.consumers.assignments else "no group gave a partition to a member",
    )


def _follows(evidence: Evidence, process: str) -> bool:
    """Whether a process is a consumer that polls during the run, not the final read."""
    return process in evidence.last_polls_ns


def _steps_looked_at(evidence: Evidence) -> str:
    return f"{counted(evidence.consumers.steps, 'step')} from record to record"


def _nothing_read(evidence: Evidence) -> str | None:
    return None if evidence.consumers.steps else "no process read two records, so that nothing is known of their order"


def _between(evidence: Evidence, where: int, start: int, stop: int) -> tuple[int, int]:
    """(place of the first, number) of all read records with offsets from `start` up to `stop`, exclusive."""
    cells = evidence.cells(where)
    low, high = np.searchsorted(cells.offsets, (max(start, evidence.deleted_before.get(where, 0)), stop))
    return int(low), int(high - low)


def _missed_at_start(evidence: Evidence, start: Start) -> tuple[int, int] | None:
    """(place of the first, number) of records that a manually assigned consumer skipped at its start, or None."""
    if start.group:
        return None
    place, count = _between(evidence, start.where, max(0, min(start.allowed)), start.offset)
    return (place, count) if count else None


def _passed(evidence: Evidence, start: Start) -> int | None:
    """The highest allowed start offset, if the member cannot have started from any allowed one; else None."""
    for allowed in sorted(start.allowed, reverse=True):
        begin = max(0, allowed)
        if begin <= start.offset and not _between(evidence, start.where, begin, start.offset)[1]:
            return None
    return max(start.allowed)


def _back(evidence: Evidence, step: Step) -> Anomaly:
    sentence = (
        f"{step.process} read {evidence.place(step.where)} offset {step.after} after offset {step.before}, "
        f"without a seek or a new assignment between"
    )
    return anomaly("nonmonotonic-poll", sentence, _step_lines(evidence, step), step.after_poll)


def _skip(evidence: Evidence, step: Step, place: int, count: int) -> Anomaly:
    missing = int(evidence.cells(step.where).offsets[place])
    sentence = (
        f"{step.process} went from {evidence.place(step.where)} offset {step.before} to {step.after} and passed over "
        f"{counted(count, 'record')} that another read had returned, the first at offset {missing}"
    )
    return anomaly("poll-skip", sentence, _step_lines(evidence, step), step.after_poll)


def _step_lines(evidence: Evidence, step: Step) -> tuple[str, ...]:
    before, after = evidence.history.operation(step.before_poll), evidence.history.operation(step.after_poll)
    place = evidence.place(step.where)
    return (
        line(before, f"{place}  … offset {step.before}"),
        line(after, f"{place}  offset {step.after} …"),
    )


def _too_early(evidence: Evidence, start: Start) -> Anomaly:
    sentence = (
        f"{start.process} was to read {evidence.place(start.where)} from offset {min(start.allowed)}, "
        f"and was given offset {start.offset} first"
    )
    return anomaly("nonmonotonic-poll", sentence, _start_lines(evidence, start), start.poll)


def _too_late(evidence: Evidence, start: Start, place: int, count: int) -> Anomaly:
    began = min(start.allowed)
    origin = "its start" if began == EARLIEST else f"offset {began}"
    missing = int(evidence.cells(start.where).offsets[place])
    sentence = (
        f"{start.process} was to read {evidence.place(start.where)} from {origin}, was given offset {start.offset} "
        f"first, and so passed over {counted(count, 'record')} that another read had returned, the first at offset "
        f"{missing}"
    )
    return anomaly("poll-skip", sentence, _start_lines(evidence, start), start.poll)


def _elsewhere(evidence: Evidence, start: Start, committed: int) -> Anomaly:
    told = "its group had committed nothing" if committed == EARLIEST else f"its group had committed {committed}"
    sentence = (
        f"{start.process} was assigned {evidence.place(start.where)}, of which {told}, and was given offset "
        f"{start.offset} first"
    )
    return anomaly("wrong-start", sentence, _start_lines(evidence, start), start.poll)


def _start_lines(evidence: Evidence, start: Start) -> tuple[str, ...]:
    began = evidence.history.operation(start.began)
    place = evidence.place(start.where)
    allowed = ", ".join("the start" if offset == EARLIEST else str(offset) for offset in sorted(start.allowed))
    lines = [(began.time_ns, line(began, f"{place}  may start at {allowed}"))]
    after = evidence.history.operation(start.poll)
    lines.append((after.time_ns, line(after, f"{place}  offset {start.offset} …")))
    expected = max(0, max(start.allowed))
    seen = first_poll(evidence, start.where, expected)
    if seen >= 0:
        time_ns, text, _ = read_line(evidence, start.where, expected, seen)
        lines.append((time_ns, text))
    return ordered(lines)
