"""Checks that records are in the log in the order in which they were sent. O(sends)."""

from __future__ import annotations

from functools import partial

import numpy as np

from harness.history.history import AnyHistory
from harness.judging.checkers.lost_write import final_rows
from harness.judging.checkers.ruling import anomaly, counted, ruling
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.sends import ACKNOWLEDGED, Ints
from harness.judging.evidence.witness import Lines, fault_lines, first_read_lines, ordered, read_line, send_lines, sent
from harness.judging.guarantees import Guarantees, Standing
from harness.judging.verdicts import Anomaly, Verdict


def nonmonotonic_send(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds records of one process whose offsets in a partition do not increase in the order of sending.

    Examined are acknowledged records and, for an idempotent producer, unacknowledged ones that were read: as long as
    the producer id and epoch stay the same, the broker appends its records only in order.
    """
    evidence = Evidence.of(history)
    pairs = _swapped_pairs(evidence, _acknowledged_rows(evidence, rules), by_identity=False)
    compared = _acknowledged_rows(evidence, rules)
    if rules.client.is_idempotent:
        compared = np.union1d(compared, _rows_of_known_identity(evidence, rules))
        known = _swapped_pairs(evidence, _rows_of_known_identity(evidence, rules), by_identity=True)
        pairs += [pair for pair in known if not _are_acknowledged(evidence, *pair)]
    return ruling(
        "nonmonotonic-send",
        (partial(_swapped, evidence, *pair) for pair in sorted(pairs)),
        rules,
        count=len(pairs),
        rests_on=f"{counted(len(compared), 'record')} of {counted(len(evidence.processes), 'producer')}",
        unknown=None if len(compared) else "no record's place in the log is known",
    )


def realtime_order(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds records that were sent after another record, of any producer, was acknowledged or read, but do not have a
    higher offset.

    The acknowledged offset counts even if the record was read at another one, since clients rely on it: whatever is
    sent later must be behind it. `acknowledged_offset` reports that the offset itself is wrong.
    """
    evidence = Evidence.of(history)
    sends = evidence.sends
    where, floor = sends.column("where"), sends.column("floor")
    acknowledged, seen_at = sends.column("offset"), sends.column("seen_at")
    is_here = sends.column("seen_in") == where
    large = np.int64(1) << 62
    place = np.minimum(
        np.where((sends.column("outcome") == ACKNOWLEDGED) & (acknowledged >= 0), acknowledged, large),
        np.where(is_here, seen_at, large),
    )
    doubtful = np.flatnonzero((place < large) & (floor >= 0) & (place <= floor)).tolist()
    may_lose = rules.standing("lost-write") is not Standing.FORBIDDEN
    found = [
        partial(_before, evidence, row, int(place[row]))
        for row in doubtful
        if not may_lose or _stands(evidence, row, int(floor[row]))
    ]
    compared = int(np.count_nonzero((place < large) & (floor >= 0)))
    return ruling(
        "realtime-order",
        found,
        rules,
        count=len(found),
        rests_on=f"{counted(compared, 'record')} sent after another one was written",
        unknown=None if compared else "no record was sent after another one was acknowledged or read",
    )


def _acknowledged_rows(evidence: Evidence, rules: Guarantees) -> Ints:
    """Rows of acknowledged sends with an offset; if acknowledged records may be lost, only those in the final log."""
    sends = evidence.sends
    is_counted = (sends.column("outcome") == ACKNOWLEDGED) & (sends.column("offset") >= 0)
    if rules.standing("lost-write") is not Standing.FORBIDDEN:
        is_counted &= final_rows(evidence)
    rows: Ints = np.flatnonzero(is_counted)
    return rows


def _rows_of_known_identity(evidence: Evidence, rules: Guarantees) -> Ints:
    """Rows of sends whose offset is known, and whose producer's id is known and was the same at invoke and
    completion."""
    sends = evidence.sends
    identity = sends.column("identity")
    is_known = (identity > 0) & (identity == sends.column("last_identity"))
    is_acknowledged = np.zeros(len(sends), np.bool_)
    is_acknowledged[_acknowledged_rows(evidence, rules)] = True
    is_read = (sends.column("outcome") != ACKNOWLEDGED) & (sends.column("seen_in") == sends.column("where"))
    rows: Ints = np.flatnonzero(is_known & (is_acknowledged | is_read))
    return rows


def _swapped_pairs(evidence: Evidence, rows: Ints, *, by_identity: bool) -> list[tuple[int, int]]:
    """Pairs of sends with swapped offsets, of one process and partition and, if `by_identity`, one producer id."""
    sends = evidence.sends
    offset = np.where(sends.column("outcome") == ACKNOWLEDGED, sends.column("offset"), sends.column("seen_at"))[rows]
    keys = [sends.column("where")[rows], sends.column("process")[rows]]
    if by_identity:
        keys.append(sends.column("identity")[rows])
    order = np.lexsort((rows, *keys))
    rows, offset = rows[order], offset[order]
    is_new = np.zeros(len(rows), np.bool_)
    for key in keys:
        is_new[1:] |= key[order][1:] != key[order][:-1]
    found = []
    for mine, at in zip(np.split(rows, np.flatnonzero(is_new)), np.split(offset, np.flatnonzero(is_new)), strict=True):
        highest = np.maximum.accumulate(at) if len(at) else at
        for late in np.flatnonzero(at[1:] <= highest[:-1]):
            early = int(np.searchsorted(highest, highest[late]))
            found.append((int(mine[early]), int(mine[late + 1])))
    return found


def _are_acknowledged(evidence: Evidence, first: int, second: int) -> bool:
    outcome = evidence.sends.outcome
    return outcome[first] == outcome[second] == ACKNOWLEDGED


def _stands(evidence: Evidence, row: int, floor: int) -> bool:
    """Whether the record known to be at offset `floor` when a send began is still there in the final log."""
    cells = evidence.cells(evidence.sends.where[row])
    place = int(np.searchsorted(cells.offsets, floor))
    if place >= len(cells.offsets) or cells.offsets[place] != floor or not cells.is_final[place]:
        return False
    invoked, other = evidence.sends.invoked[row], int(cells.rows[place])
    if cells.first_polls[place] < invoked:
        return True
    return other >= 0 and evidence.sends.offset[other] == floor and 0 <= evidence.sends.completed[other] < invoked


def _swapped(evidence: Evidence, first: int, second: int) -> Anomaly:
    (_, one), (invoked, other) = sent(evidence, first), sent(evidence, second)
    lines = send_lines(evidence, first) + send_lines(evidence, second)
    lines += _read_lines(evidence, first) + _read_lines(evidence, second)
    lines += _faults_during(evidence, first, second)
    sentence = (
        f"value {one.value} was sent before {other.value}, but in {evidence.place(evidence.sends.where[second])} they "
        f"stand at offsets {_offset(evidence, first)} and {_offset(evidence, second)}"
    )
    return anomaly("nonmonotonic-send", sentence, ordered(lines), invoked.index)


def _before(evidence: Evidence, row: int, place: int) -> Anomaly:
    """The anomaly of a record not above `floor`, the highest offset known to be written when it was sent."""
    sends = evidence.sends
    invoked, send = sent(evidence, row)
    where, floor = sends.where[row], sends.floor[row]
    lines = send_lines(evidence, row) + _read_lines(evidence, row)
    first = _acknowledged_at(evidence, where, floor, sends.invoked[row])
    if first is not None:
        lines += send_lines(evidence, first)
        lines += _faults_during(evidence, first, row)
        what = f"value {sent(evidence, first)[1].value} was acknowledged"
    else:
        cells = evidence.cells(where)
        poll = int(cells.first_polls[int(np.searchsorted(cells.offsets, floor))])
        time_ns, text, value = read_line(evidence, where, floor, poll)
        lines.append((time_ns, text))
        what = f"value {value} was read"
    sentence = (
        f"{what} before value {send.value} was sent, but in {evidence.place(where)} they stand at offsets {floor} and "
        f"{place}"
    )
    if (
        first is not None
        and sends.seen_in[first] >= 0
        and (sends.seen_in[first], sends.seen_at[first]) != (where, floor)
    ):
        lines += first_read_lines(evidence, first)
        sentence += ", as the acknowledgement says; the record was read at "
        sentence += f"{evidence.place(sends.seen_in[first])} offset {sends.seen_at[first]}"
    return anomaly("realtime-order", sentence, ordered(lines), invoked.index)


def _acknowledged_at(evidence: Evidence, where: int, offset: int, before: int) -> int | None:
    """The row of the send that was acknowledged at an offset before an operation; None if there is none."""
    sends = evidence.sends
    is_it = (sends.column("where") == where) & (sends.column("offset") == offset)
    is_it &= (sends.column("outcome") == ACKNOWLEDGED) & (sends.column("completed") < before)
    rows = np.flatnonzero(is_it)
    return int(rows[0]) if len(rows) else None


def _offset(evidence: Evidence, row: int) -> int:
    sends = evidence.sends
    return sends.offset[row] if sends.outcome[row] == ACKNOWLEDGED else sends.seen_at[row]


def _read_lines(evidence: Evidence, row: int) -> Lines:
    """The witness lines of the first read of an unacknowledged send."""
    sends = evidence.sends
    if sends.outcome[row] == ACKNOWLEDGED or sends.seen_in[row] < 0:
        return []
    return first_read_lines(evidence, row)


def _faults_during(evidence: Evidence, first: int, second: int) -> Lines:
    sends = evidence.sends
    start = evidence.history.operation(sends.invoked[first])
    stop = evidence.history.operation(max(sends.completed[second], sends.invoked[second]))
    return fault_lines(evidence, start.time_ns, stop.time_ns)
