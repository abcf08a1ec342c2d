"""Checks that all reads of an offset return the same record. O(records)."""

from __future__ import annotations

from functools import partial

from harness.history.history import AnyHistory
from harness.judging.checkers.ruling import anomaly, counted, ruling
from harness.judging.evidence.evidence import Conflict, Evidence
from harness.judging.evidence.witness import fault_lines, ordered, read_line
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


def inconsistent_offsets(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds (partition, offset) pairs at which two different values were read."""
    evidence = Evidence.of(history)
    read = evidence.records_read()
    return ruling(
        "inconsistent-offsets",
        (partial(_two, evidence, conflict) for conflict in evidence.conflicts),
        rules,
        count=evidence.conflicts.count,
        rests_on=f"{counted(read, 'record')} read, those of one offset compared with each other",
        unknown=None if read else "no record was read",
    )


def _two(evidence: Evidence, conflict: Conflict) -> Anomaly:
    where, offset = conflict.where, conflict.offset
    first_ns, first, one = read_line(evidence, where, offset, conflict.first_poll)
    second_ns, second, other = read_line(evidence, where, offset, conflict.second_poll)
    lines = [(first_ns, first), (second_ns, second), *fault_lines(evidence, first_ns, second_ns)]
    sentence = f"{evidence.place(where)} offset {offset} was read with value {one} and with value {other}"
    return anomaly("inconsistent-offsets", sentence, ordered(lines), conflict.second_poll)
