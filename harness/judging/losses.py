"""Measures how many acknowledged records were lost by each fault of a run, and when they were acknowledged (D12).

This is not a verdict: where the settings do not guarantee that all records are kept, it says how many were lost. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.judging.availability import NO_FAULT
from harness.judging.checkers.lost_write import missing_rows
from harness.judging.checkers.ruling import counted, unread
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.sends import ACKNOWLEDGED
from harness.judging.guarantees import Guarantees
from harness.judging.periods import FaultPeriod, fault_periods


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLosses:
    """The lost records that are attributed to a fault: those acknowledged during it, or nearer to it than to others."""

    fault: str
    """The fault, as a sentence; NO_FAULT in a run without faults."""
    lost: int
    over_ms: float = 0.0
    """Time from the first acknowledgement of a lost record to the last one."""
    before_ms: float = 0.0
    """How long before the fault the first of them was acknowledged; 0 if it was not before the fault."""
    after_ms: float = 0.0
    """How long after the heal the last of them was acknowledged; 0 if it was not after the heal."""

    @property
    def sentence(self) -> str:
        """ "kill node 2: 13 acknowledged records lost, acknowledged within 85 ms"."""
        told = f"{self.fault}: {counted(self.lost, 'acknowledged record')} lost"
        if not self.lost:
            return told
        told += f", acknowledged within {self.over_ms:,.0f} ms"
        told += f", from {self.before_ms:,.0f} ms before it" if self.before_ms else ""
        return told + (f", up to {self.after_ms:,.0f} ms after its heal" if self.after_ms else "")


def losses(evidence: Evidence, rules: Guarantees | None = None) -> tuple[FaultLosses, ...] | None:
    """The losses of each fault, in order; None if the final read is incomplete. O(operations) if records were lost.

    Without rules, the default settings apply: records are deleted only on request.
    """
    sends = evidence.sends
    acknowledged = np.unique(sends.column("where")[sends.column("outcome") == ACKNOWLEDGED])
    if unread(evidence, acknowledged.tolist()):
        return None
    periods = fault_periods(evidence.faults)
    missing, _ = missing_rows(evidence, rules or Guarantees.of())
    times: list[list[int]] = [[] for _ in periods or (None,)]
    for time_ns in _acknowledged_at(evidence, sends.column("completed")[missing].tolist()):
        times[_nearest(periods, time_ns)].append(time_ns)
    return tuple(_losses(period, found) for period, found in zip(periods or (None,), times, strict=True))


def _acknowledged_at(evidence: Evidence, completed: list[int]) -> list[int]:
    """The times of these operations in ns; in one pass, since each access by index reads a whole block."""
    wanted = set(completed)
    return [operation.time_ns for operation in evidence.history if operation.index in wanted] if wanted else []


def _nearest(periods: tuple[FaultPeriod, ...], time_ns: int) -> int:
    """The index of the fault at or nearest to a time; of two, the earlier one. 0 without faults."""

    def distance_ns(number: int) -> int:
        period = periods[number]
        return max(0, period.begin_ns - time_ns, 0 if period.end_ns is None else time_ns - period.end_ns)

    return min(range(len(periods)), key=distance_ns, default=0)


def _losses(period: FaultPeriod | None, times: list[int]) -> FaultLosses:
    fault = period.act.sentence if period else NO_FAULT
    if not times:
        return FaultLosses(fault=fault, lost=0)
    before_ns = period.begin_ns - times[0] if period else 0
    after_ns = times[-1] - period.end_ns if period and period.end_ns is not None else 0
    return FaultLosses(
        fault=fault,
        lost=len(times),
        over_ms=(times[-1] - times[0]) / 1e6,
        before_ms=max(0, before_ns) / 1e6,
        after_ms=max(0, after_ns) / 1e6,
    )
