"""Checks acknowledged offsets: not wrong, not missing, not acknowledged for two records. O(sends)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

import numpy as np

from harness.history.history import AnyHistory
from harness.judging.checkers.lost_write import final_rows
from harness.judging.checkers.ruling import anomaly, counted, ruling
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.sends import ACKNOWLEDGED
from harness.judging.evidence.witness import first_read_lines, ordered, send_lines, sent
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict

_Maker = Callable[[], Anomaly]


def acknowledged_offset(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds acknowledged values that were read, but never at the acknowledged offset; and acknowledgements without an
    offset, unless acks=0.

    An acknowledgement without an offset is allowed if the library considers a batch acknowledged because a later batch
    was: `ClientSettings.acknowledges_by_later`. Observed with librdkafka 2.16 and three nodes of Kafka 4.3.1: a
    follower is paused, the leader answers REQUEST_TIMED_OUT to a batch that it has appended, and then NONE to the next
    one, which the idempotent producer's sequence numbers allow only after the first.
    """
    evidence = Evidence.of(history)
    sends = evidence.sends
    is_acknowledged = sends.column("outcome") == ACKNOWLEDGED
    offset, seen_in = sends.column("offset"), sends.column("seen_in")
    excused = _acknowledged_by_later(evidence, rules)
    is_elsewhere = (seen_in != sends.column("where")) | (sends.column("seen_at") != offset)
    doubtful = np.flatnonzero(is_acknowledged & (offset >= 0) & (seen_in >= 0) & is_elsewhere).tolist()
    # A duplicate may have been acknowledged at its second offset. Then the offset is right, but O5 is broken.
    wrong = [row for row in doubtful if not _is_also_there(evidence, row)]
    without = [row for row in np.flatnonzero(is_acknowledged & (offset < 0)).tolist() if row not in excused]
    found: Iterator[_Maker] = chain(
        (partial(_wrong, evidence, row) for row in wrong), (partial(_without, evidence, row) for row in without)
    )
    compared = int(np.count_nonzero(is_acknowledged & (seen_in >= 0)))
    return ruling(
        "wrong-acknowledged-offset",
        found,
        rules,
        count=len(wrong) + len(without),
        rests_on=f"{counted(compared, 'acknowledged record')} that were read",
        unknown=None if compared else "no acknowledged record was read",
    )


def offset_acknowledged_twice(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds offsets that were acknowledged for two records."""
    evidence = Evidence.of(history)
    sends = evidence.sends
    rows = np.flatnonzero((sends.column("outcome") == ACKNOWLEDGED) & (sends.column("offset") >= 0))
    where, offset = sends.column("where")[rows], sends.column("offset")[rows]
    order = np.lexsort((rows, offset, where))
    where, offset, rows = where[order], offset[order], rows[order]
    same = np.flatnonzero((where[1:] == where[:-1]) & (offset[1:] == offset[:-1]))
    return ruling(
        "offset-acknowledged-twice",
        (partial(_two, evidence, int(rows[at]), int(rows[at + 1])) for at in same),
        rules,
        count=len(same),
        rests_on=f"{counted(len(rows), 'acknowledged offset')}",
        unknown=None if len(rows) or rules.client.acks == "0" else "no offset was acknowledged",
    )


def _acknowledged_by_later(evidence: Evidence, rules: Guarantees) -> set[int]:
    """Rows without an offset that are allowed: completed after the first fault began, and followed by a send of the
    same producer to the same partition that was acknowledged with a higher offset than the one at which the record was
    read."""
    if not (rules.client.is_idempotent and rules.client.acknowledges_by_later and evidence.faults):
        return set()
    sends, first_fault = evidence.sends, evidence.faults[0].index
    is_acknowledged = sends.column("outcome") == ACKNOWLEDGED
    offset, seen_at, completed = sends.column("offset"), sends.column("seen_at"), sends.column("completed")
    without = np.flatnonzero(is_acknowledged & (offset < 0) & (completed > first_fault)).tolist()
    if not without:
        return set()
    writer = sends.column("process") * len(evidence.partitions) + sends.column("where")
    told = np.flatnonzero(is_acknowledged & (offset >= 0))
    last = dict(zip(writer[told].tolist(), told.tolist(), strict=True))
    return {row for row in without if (later := last.get(int(writer[row]), -1)) > row and offset[later] > seen_at[row]}


def _is_also_there(evidence: Evidence, row: int) -> bool:
    place = (evidence.sends.where[row], evidence.sends.offset[row])
    return any((seen.where, seen.offset) == place for seen in evidence.twice.get(row, ()))


def _wrong(evidence: Evidence, row: int) -> Anomaly:
    sends = evidence.sends
    invoked, send = sent(evidence, row)
    place, at = evidence.place(sends.where[row]), sends.seen_at[row]
    stands = f"offset {at}" if sends.seen_in[row] == sends.where[row] else f"{evidence.place(sends.seen_in[row])} {at}"
    lines = send_lines(evidence, row) + first_read_lines(evidence, row)
    sentence = f"value {send.value} was acknowledged at {place} offset {sends.offset[row]}, and stands at {stands}"
    return anomaly("wrong-acknowledged-offset", sentence, ordered(lines), invoked.index)


def _without(evidence: Evidence, row: int) -> Anomaly:
    invoked, send = sent(evidence, row)
    lines = send_lines(evidence, row) + first_read_lines(evidence, row)
    sentence = f"value {send.value} was acknowledged in {evidence.place(evidence.sends.where[row])} without an offset"
    return anomaly("wrong-acknowledged-offset", sentence, ordered(lines), invoked.index)


def _two(evidence: Evidence, first: int, second: int) -> Anomaly:
    sends = evidence.sends
    (_, one), (invoked, other) = sent(evidence, first), sent(evidence, second)
    at = f"{evidence.place(sends.where[first])} offset {sends.offset[first]}"
    is_final = final_rows(evidence)
    there = [send.value for row, send in ((first, one), (second, other)) if is_final[row]]
    sentence = f"{at} was acknowledged for value {one.value} and for value {other.value}"
    sentence += f"; the log holds {' and '.join(there)}" if there else ""
    lines = send_lines(evidence, first) + send_lines(evidence, second)
    return anomaly("offset-acknowledged-twice", sentence, ordered(lines), invoked.index)
