"""Checks that a lost leader costs only the end of its log: nothing before a record that was kept. O(records)."""

from __future__ import annotations

from functools import partial

import numpy as np

from harness.history.history import AnyHistory
from harness.judging.checkers.lost_write import final_rows, missing_rows
from harness.judging.checkers.ruling import anomaly, counted, ruling, unread
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.sends import ACKNOWLEDGED
from harness.judging.evidence.witness import first_read_lines, ordered, send_lines, sent
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


def lost_before_kept(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds acknowledged values that are not in the final log, although it has one that was acknowledged at a higher
    offset before the first fault.

    A new leader's log is a prefix of the previous leader's, even if it lags. So the loss of a leader may remove the end
    of its log, but nothing before a record that is kept. Records acknowledged after the first fault began may come from
    another leader, and are not used as kept ones.
    """
    evidence = Evidence.of(history)
    sends = evidence.sends
    missing, acknowledged = missing_rows(evidence, rules)
    where, offset = sends.column("where"), sends.column("offset")
    first_fault = evidence.faults[0].index if evidence.faults else np.iinfo(np.int64).max
    is_old = (sends.column("outcome") == ACKNOWLEDGED) & (sends.column("completed") < first_fault)
    kept = np.flatnonzero(is_old & final_rows(evidence) & (offset >= 0) & (sends.column("seen_at") == offset))
    kept = kept[np.lexsort((offset[kept], where[kept]))]
    is_last = np.append(np.diff(where[kept]) != 0, True)[: len(kept)]
    highest = {int(where[row]): int(row) for row in kept[is_last]}
    wrong = [
        (int(row), behind)
        for row in missing
        if (behind := highest.get(int(where[row]), -1)) >= 0 and 0 <= offset[row] < offset[behind]
    ]
    return ruling(
        "lost-before-kept",
        (partial(_lost, evidence, row, behind) for row, behind in wrong),
        rules,
        count=len(wrong),
        rests_on=f"{counted(len(missing), 'acknowledged record')} missing; {len(kept):,} there of before the fault",
        unknown=unread(evidence, np.unique(where[acknowledged]).tolist()),
    )


def _lost(evidence: Evidence, row: int, behind: int) -> Anomaly:
    sends = evidence.sends
    (invoked, send), (_, later) = sent(evidence, row), sent(evidence, behind)
    sentence = (
        f"value {send.value}, acknowledged at {evidence.place(sends.where[row])} offset {sends.offset[row]}, is not in "
        f"the final log, and value {later.value}, which the same leader acknowledged at {sends.offset[behind]}, is"
    )
    lines = send_lines(evidence, row) + send_lines(evidence, behind) + first_read_lines(evidence, behind)
    return anomaly("lost-before-kept", sentence, ordered(lines), invoked.index)
