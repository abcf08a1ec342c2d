"""Consumers that go back or pass over records. O(records), and a search for each gap of offsets."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import partial

from harness.history.operations import History, Operation, Position
from harness.judging.checkers.evidence import Evidence, TopicPartition, line
from harness.judging.checkers.ruling import anomaly, ruling
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict

Step = tuple[str, TopicPartition, int, Operation, int, Operation]
"""(process, partition, offset read before, by, offset read next, by)."""


def nonmonotonic_poll(history: History, rules: Guarantees) -> Verdict:
    """Polls of a process that return an offset at or before one it had read, with no seek between."""
    back, _ = _steps(Evidence.of(history))
    return ruling("nonmonotonic-poll", [partial(_back, step) for step in back], rules)


def poll_skip(history: History, rules: Guarantees) -> Verdict:
    """Polls of a process that pass over a record which somebody read.

    A hole in the offsets alone is legal: markers, aborted and compacted records leave some.
    """
    evidence = Evidence.of(history)
    _, ahead = _steps(evidence)
    offsets: dict[TopicPartition, list[int]] = {}
    found = []
    for step in ahead:
        where, before, after = step[1], step[2], step[4]
        known = offsets.get(where)
        if known is None:
            reads = evidence.partitions[where].reads
            known = offsets[where] = sorted({record.offset for read in reads for record in read.records})
        low, high = bisect_right(known, before), bisect_left(known, after)
        if low < high:
            found.append(partial(_skip, step, known[low], high - low))
    return ruling("poll-skip", found, rules)


def _steps(evidence: Evidence) -> tuple[list[Step], list[Step]]:
    """(steps back, steps over a hole), each process and partition apart; a change of position starts anew."""
    marks: dict[tuple[str, TopicPartition], tuple[int, Operation]] = {}
    owned: dict[str, dict[TopicPartition, None]] = {}
    back: list[Step] = []
    ahead: list[Step] = []
    for operation, value in evidence.process_reads:
        process = operation.process
        if isinstance(value, Position):
            for where in owned.pop(process, {}):
                marks.pop((process, where), None)
            continue
        where = (value.topic, value.partition)
        owned.setdefault(process, {})[where] = None
        mark = marks.get((process, where))
        last, by = mark if mark is not None else (-1, operation)
        is_first = mark is None
        for record in value.records:
            offset = record.offset
            if not is_first:
                if offset <= last:
                    back.append((process, where, last, by, offset, operation))
                elif offset > last + 1:
                    ahead.append((process, where, last, by, offset, operation))
            last, by, is_first = offset, operation, False
        if not is_first:
            marks[process, where] = (last, by)
    return back, ahead


def _back(step: Step) -> Anomaly:
    process, (topic, number), before, by, after, operation = step
    sentence = f"{process} read {topic}-{number} offset {after} after offset {before}, without a seek between"
    return anomaly("nonmonotonic-poll", sentence, _lines(step), operation.index if operation else by.index)


def _skip(step: Step, missing: int, count: int) -> Anomaly:
    process, (topic, number), before, _, after, operation = step
    sentence = (
        f"{process} went from {topic}-{number} offset {before} to {after} and passed over {count} "
        f"record{'s' if count > 1 else ''} that another read had returned, the first at offset {missing}"
    )
    return anomaly("poll-skip", sentence, _lines(step), operation.index)


def _lines(step: Step) -> tuple[str, ...]:
    _, (topic, number), before, by, after, operation = step
    return (
        line(by, f"{topic}-{number}  … offset {before}"),
        line(operation, f"{topic}-{number}  offset {after} …"),
    )
