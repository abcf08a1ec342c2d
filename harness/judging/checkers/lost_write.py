"""Checks that no acknowledged record is missing in the log's middle (lost-write) or at its end (unseen). O(records)."""

from __future__ import annotations

from functools import partial

import numpy as np

from harness.history.history import AnyHistory
from harness.judging.checkers.ruling import anomaly, counted, ruling, unread
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.sends import ACKNOWLEDGED, Ints
from harness.judging.evidence.witness import end_line, fault_lines, first_read_lines, ordered, send_lines, sent
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


def lost_write(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds acknowledged values that the final read did not return, at offsets below the one that it reached."""
    return _verdict("lost-write", history, rules)


def unseen(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds acknowledged values with offsets at or beyond the log end, if the log was read completely."""
    return _verdict("unseen", history, rules)


def _verdict(name: str, history: AnyHistory, rules: Guarantees) -> Verdict:
    evidence = Evidence.of(history)
    missing, acknowledged = missing_rows(evidence, rules)
    where, offset = evidence.sends.column("where")[missing], evidence.sends.column("offset")[missing]
    limits = np.array([_limit(evidence, number) for number in range(len(evidence.partitions))] or [0], np.int64)
    whole = np.array([_is_whole(evidence, number) for number in range(len(evidence.partitions))] or [False])
    is_inside = offset < limits[where] if len(missing) else np.zeros(0, np.bool_)
    chosen = missing[is_inside] if name == "lost-write" else missing[~is_inside & whole[where]]
    total = len(acknowledged)
    return ruling(
        name,
        (partial(_lost, name, evidence, int(row), total) for row in chosen),
        rules,
        count=len(chosen),
        rests_on=f"{counted(total, 'acknowledged record')}, looked for in a whole read of the log",
        unknown=unread(evidence, np.unique(evidence.sends.column("where")[acknowledged]).tolist()),
    )


def missing_rows(evidence: Evidence, rules: Guarantees) -> tuple[Ints, Ints]:
    """(rows of acknowledged sends that the final read did not return, by partition and offset; rows of all
    acknowledged).

    Not counted as missing: records below an offset to which deletion was requested, and records below the log start
    offset if retention may delete.
    """
    sends = evidence.sends
    acknowledged: Ints = np.flatnonzero(sends.column("outcome") == ACKNOWLEDGED)
    where, offset = sends.column("where"), sends.column("offset")
    is_final = final_rows(evidence)
    missing = acknowledged[~is_final[acknowledged]]
    starts = np.array(
        [_deleted_below(evidence, number, rules) for number in range(len(evidence.partitions))] or [0], np.int64
    )
    is_deleted = (offset[missing] >= 0) & (offset[missing] < starts[where[missing]])
    missing = missing[~is_deleted]
    return missing[np.lexsort((offset[missing], where[missing]))], acknowledged


def final_rows(evidence: Evidence) -> Ints:
    """For each send, whether the final read returned its value from the partition to which it was sent."""
    known = evidence.history.memo.get("final rows")
    if known is None:
        where = evidence.sends.column("where")
        known = np.zeros(len(evidence.sends), np.bool_)
        for number in range(len(evidence.partitions)):
            cells = evidence.cells(number)
            rows = cells.final_rows[cells.is_final & (cells.final_rows >= 0)]
            known[rows[where[rows] == number]] = True
        evidence.history.memo["final rows"] = known
    found: Ints = known
    return found


def _deleted_below(evidence: Evidence, where: int, rules: Guarantees) -> int:
    """The offset below which records may have been deleted on request or by retention."""
    asked = evidence.deleted_before.get(where, 0)
    end = evidence.ends.get(where)
    return max(asked, end.start) if end is not None and rules.topic.may_delete_records else asked


def _limit(evidence: Evidence, where: int) -> int:
    """The offset up to which the final read has shown the contents of the log; -1 without a final read."""
    end = evidence.ends.get(where)
    if end is None:
        return -1
    return end.end if end.is_whole else end.reached


def _is_whole(evidence: Evidence, where: int) -> bool:
    end = evidence.ends.get(where)
    return end is not None and end.is_whole


def _lost(name: str, evidence: Evidence, row: int, acknowledged: int) -> Anomaly:
    sends = evidence.sends
    where, offset = sends.where[row], sends.offset[row]
    invoked, send = sent(evidence, row)
    lines = send_lines(evidence, row)
    lines += fault_lines(evidence, invoked.time_ns - 1_000_000_000, invoked.time_ns + 30_000_000_000)
    lines += first_read_lines(evidence, row)
    lines.append(end_line(evidence, where, _at(evidence, where, offset, send.value)))
    sentence = (
        f"value {send.value}, acknowledged at {evidence.place(where)} offset {offset}, is not in the final log "
        f"(one of {acknowledged:,} acknowledged records)"
    )
    return anomaly(name, sentence, ordered(lines), invoked.index)


def _at(evidence: Evidence, where: int, offset: int, value: str) -> str:
    cells = evidence.cells(where)
    end = evidence.ends.get(where)
    if end is not None and 0 <= offset < end.start:
        return f"the log starts behind {value}, and nothing deletes its records"
    place = int(np.searchsorted(cells.offsets, offset))
    if place < len(cells.offsets) and cells.offsets[place] == offset and cells.is_final[place]:
        row = int(cells.final_rows[place])
        other = sent(evidence, row)[1].value if row >= 0 else "a value that nobody sent"
        return f"offset {offset} holds {other}; {value} is nowhere"
    return f"{value} is nowhere"
