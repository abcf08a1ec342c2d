"""When the acknowledged records of a run that are lost were acknowledged, beside its faults (D12). Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.judging.checkers.lost_write import final_rows
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.sends import ACKNOWLEDGED
from harness.judging.periods import fault_periods


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWindow:
    """What was lost, and how far from the faults."""

    acknowledged: int
    lost: int
    """Acknowledged records that the final read did not return."""
    before_s: float = 0.0
    """The longest time from an acknowledgement of a lost record to the begin of the next fault; 0 for none."""
    after_s: float = 0.0
    """The longest time from the end of a fault to a later acknowledgement of a lost record; 0 for none."""
    outside: int = 0
    """Lost records of a run without any fault."""


def loss_window(evidence: Evidence) -> LossWindow:
    """Of a whole run; to be asked where the final read read all. O(records)."""
    sends, history = evidence.sends, evidence.history
    acknowledged = sends.column("outcome") == ACKNOWLEDGED
    rows = np.flatnonzero(acknowledged & ~final_rows(evidence))
    periods = fault_periods(evidence.faults)
    before_ns = after_ns = outside = 0
    for row in rows:
        at_ns = history.operation(int(sends.completed[row])).time_ns
        if not periods:
            outside += 1
            continue
        distances = [
            (period.begin_ns - at_ns, at_ns - period.end_ns if period.end_ns is not None else 0) for period in periods
        ]
        before, after = min(distances, key=lambda pair: max(0, *pair))
        before_ns, after_ns = max(before_ns, before), max(after_ns, after)
    return LossWindow(
        acknowledged=int(np.count_nonzero(acknowledged)),
        lost=len(rows),
        before_s=before_ns / 1e9,
        after_s=after_ns / 1e9,
        outside=outside,
    )
