"""How many acknowledged records each fault of a run cost, and over what time they were acknowledged (D12).

A measure, not a verdict: where the settings promise less than all, it says how much less it was. Pure.
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
    """The lost records that were acknowledged nearest to a fault."""

    fault: str
    """What was done, as a sentence; NO_FAULT in a run without any."""
    lost: int
    over_ms: float = 0.0
    """From the acknowledgement of the first of them to that of the last."""
    before_ms: float = 0.0
    """How long before the fault the earliest of them was acknowledged; 0 where it was during it or after."""
    after_ms: float = 0.0
    """How long after the heal the latest of them was; 0 where it was before."""

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
    """Of each fault, in their order; None where the final read did not read all. O(operations) where some are lost.

    Without rules, nothing is deleted but what an administrator asked for.
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
    """When these operations came, in ns; one pass, for each single look into a stored history reads a block."""
    wanted = set(completed)
    return [operation.time_ns for operation in evidence.history if operation.index in wanted] if wanted else []


def _nearest(periods: tuple[FaultPeriod, ...], time_ns: int) -> int:
    """The number of the fault during which it was, or of the nearest one; of two as near, the earlier's. 0 for none."""

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
