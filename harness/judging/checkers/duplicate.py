"""Checks that no record is in the log more than once. O(records)."""

from __future__ import annotations

from functools import partial

from harness.history.history import AnyHistory
from harness.judging.checkers.ruling import Excused, anomaly, counted, ruling
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.witness import Lines, fault_lines, first_read_lines, ordered, read_line, send_lines, sent
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


def duplicate(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds values (each is sent once) that were read at more than one offset, or in more than one partition.

    Excused are values whose producer got a new producer id or epoch during the send: idempotence then no longer
    applies, since to the broker a resent record is a new one (KIP-360).
    """
    evidence = Evidence.of(history)
    again = [row for row in sorted(evidence.twice) if _began_anew(evidence, row)]
    once = [row for row in sorted(evidence.twice) if not _began_anew(evidence, row)]
    read = sum(len(evidence.cells(where).offsets) for where in range(len(evidence.partitions)))
    return ruling(
        "duplicate",
        (partial(_twice, evidence, row) for row in once),
        rules,
        count=len(once),
        rests_on=_read_and_retried(evidence, read),
        unknown=None if read else "no record was read",
        excused=Excused(
            [partial(_twice, evidence, row) for row in again],
            len(again),
            "the producer took a new producer id or epoch while it tried to send them",
        ),
    )


def _began_anew(evidence: Evidence, row: int) -> bool:
    """Whether the producer got a new producer id or epoch between the invoke and the completion of a send."""
    sends = evidence.sends
    process = evidence.processes[sends.process[row]]
    completed = sends.completed[row]
    return evidence.identities.changed_between(process, sends.invoked[row], 1 << 62 if completed < 0 else completed)


def _read_and_retried(evidence: Evidence, read: int) -> str:
    told = f"{counted(read, 'record')} of the log"
    return told if evidence.retries is None else f"{told}, and {counted(evidence.retries, 'retried record')}"


def _twice(evidence: Evidence, row: int) -> Anomaly:
    sends = evidence.sends
    other = evidence.twice[row][0]
    invoked, send = sent(evidence, row)
    time_ns, text, _ = read_line(evidence, other.where, other.offset, other.poll)
    lines: Lines = [*send_lines(evidence, row), *first_read_lines(evidence, row), (time_ns, text)]
    if sends.completed[row] >= 0:
        end = evidence.history.operation(sends.completed[row])
        lines += fault_lines(evidence, invoked.time_ns, end.time_ns)
    first = f"{evidence.place(sends.seen_in[row])} offset {sends.seen_at[row]}"
    second = f"{evidence.place(other.where)} offset {other.offset}"
    sentence = f"value {send.value} was sent once, and stands at {first} and {second}"
    return anomaly("duplicate", sentence, ordered(lines), other.poll)
