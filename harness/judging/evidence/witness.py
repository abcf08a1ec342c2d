"""Formats the witness lines of anomalies, from the operations of the history."""

from __future__ import annotations

from collections.abc import Sequence

from harness.history.operations import AdminCall, FaultAct, Operation, OpType, Polled, Record, Send
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.sends import ACKNOWLEDGED, UNANSWERED

Lines = list[tuple[int, str]]
"""(time in ns, line)."""
LAST = 1 << 62
"""A time after all others."""


def line(operation: Operation, what: str) -> str:
    """One line of a witness: time, process, function, what."""
    return f"t={operation.time_ns / 1e9:9.3f}  {operation.process:<12} {operation.f:<10} {what}"


def ordered(lines: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """The lines of a witness, in order of time."""
    return tuple(text for _, text in sorted(lines, key=lambda timed: timed[0]))


def sent(evidence: Evidence, row: int) -> tuple[Operation, Send]:
    """The invoke of a send, and its value."""
    invoked = evidence.history.operation(evidence.sends.invoked[row])
    assert isinstance(invoked.value, Send)
    return invoked, invoked.value


def send_lines(evidence: Evidence, row: int) -> Lines:
    """Lines for a send and its completion."""
    sends = evidence.sends
    invoked, send = sent(evidence, row)
    place = evidence.place(sends.where[row])
    lines = [(invoked.time_ns, line(invoked, f"{place}  value {send.value}"))]
    if sends.completed[row] < 0:
        return [*lines, (invoked.time_ns, "             … no answer came")]
    completed = evidence.history.operation(sends.completed[row])
    if sends.outcome[row] == ACKNOWLEDGED:
        what = f"value {send.value} → acknowledged, offset {sends.offset[row]}"
    else:
        end = OpType.INFO if sends.outcome[row] == UNANSWERED else OpType.FAIL
        what = f"value {send.value} → {end}: {completed.error or 'no reason given'}"
    return [*lines, (completed.time_ns, line(completed, what))]


def record_at(poll: Operation, topic: str, partition: int, offset: int) -> Record | None:
    """The record that a poll returned at an offset; None if there is none."""
    parts = poll.value.partitions if isinstance(poll.value, Polled) else ()
    for part in parts:
        if (part.topic, part.partition) == (topic, partition):
            for record in part.records:
                if record.offset == offset:
                    return record
    return None


def read_line(evidence: Evidence, where: int, offset: int, poll: int) -> tuple[int, str, str]:
    """(time, line, value) of a record that a poll returned."""
    operation = evidence.history.operation(poll)
    record = record_at(operation, *evidence.partitions[where], offset)
    value = record.value if record else "nothing"
    return operation.time_ns, line(operation, f"{evidence.place(where)}  offset {offset} → {value}"), value


def first_read_lines(evidence: Evidence, row: int) -> Lines:
    """The line of the poll that first returned a send's value; empty if none did."""
    where, offset = evidence.sends.seen_in[row], evidence.sends.seen_at[row]
    if where < 0:
        return []
    time_ns, text, _ = read_line(evidence, where, offset, first_poll(evidence, where, offset))
    return [(time_ns, text)]


def first_poll(evidence: Evidence, where: int, offset: int) -> int:
    """Index of the poll that first read an offset; -1 if none did."""
    cells = evidence.cells(where)
    place = int(cells.offsets.searchsorted(offset))
    found = place < len(cells.offsets) and cells.offsets[place] == offset
    return int(cells.first_polls[place]) if found else -1


def fault_lines(evidence: Evidence, start_ns: int, stop_ns: int, at_most: int = 4) -> Lines:
    """Lines for completed actions of the nemesis and admin calls in a time range; the last `at_most` of each."""
    chosen = [
        fault for fault in evidence.faults if fault.kind is not OpType.INVOKE and start_ns <= fault.time_ns <= stop_ns
    ]
    calls = [call for call in evidence.admin_calls if start_ns <= call.time_ns <= stop_ns]
    return [(act.time_ns, line(act, said_of(act))) for act in (*chosen[-at_most:], *calls[-at_most:])]


def said_of(fault: Operation) -> str:
    """An operation of the nemesis, or an admin call, in words."""
    act = fault.value
    if isinstance(act, AdminCall):
        return act.details if fault.error in (None, act.parameters.get("answer")) else f"{act.details}: {fault.error}"
    if not isinstance(act, FaultAct):
        return ""
    return (
        (act.proof or act.sentence)
        if fault.f == "heal"
        else f"{act.sentence}: {act.proof}"
        if act.proof
        else act.sentence
    )


def end_line(evidence: Evidence, where: int, what: str) -> tuple[int, str]:
    """The line that says how far the final read of a partition came; `what` is appended."""
    end = evidence.ends.get(where)
    if end is None:
        return LAST, f"end          final read   none; {what}"
    return LAST, f"end          final read   offsets {end.start} to {end.reached - 1} of {end.end}; {what}"
