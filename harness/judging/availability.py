"""Measures the longest time without a success, for each fault and role (L1). Part of every run; not a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.history.operations import NEMESIS, Operation, OpType, Polled
from harness.judging.periods import FaultPeriod, fault_periods

PRODUCERS, CONSUMERS = "producers", "consumers"
NO_FAULT = "no fault"
_NOTED_NS = 5_000_000
"""Gaps shorter than this are ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time without any acknowledgement (producers), or without any poll that returned records (consumers)."""

    role: str
    fault: str
    """The fault, as a sentence; NO_FAULT for the time without a fault."""
    start_s: float
    length_s: float


@dataclass(slots=True)
class _Successes:
    """The times between two successes of a role, as (start, end) in ns."""

    last_ns: int | None = None
    stretches: list[tuple[int, int]] = field(default_factory=list)

    def add(self, time_ns: int) -> None:
        if self.last_ns is not None and time_ns - self.last_ns >= _NOTED_NS:
            self.stretches.append((self.last_ns, time_ns))
        self.last_ns = time_ns


def availability(history: Iterable[Operation]) -> tuple[Gap, ...]:
    """For each role, the longest gap that overlaps no fault, and for each fault, the longest gap that overlaps it. One
    pass.

    Only gaps and faults that begin before the last send count. A gap lasts until the next success, which may be after
    the fault was healed.
    """
    successes = {PRODUCERS: _Successes(), CONSUMERS: _Successes()}
    acts: list[Operation] = []
    last_send_ns = 0
    for operation in history:
        if operation.f == "send":
            if operation.kind is OpType.INVOKE:
                last_send_ns = operation.time_ns
                if successes[PRODUCERS].last_ns is None:
                    successes[PRODUCERS].last_ns = operation.time_ns
            elif operation.kind is OpType.OK:
                successes[PRODUCERS].add(operation.time_ns)
        elif operation.f == "poll":
            value = operation.value
            if operation.kind is OpType.OK and isinstance(value, Polled) and value.partitions:
                successes[CONSUMERS].add(operation.time_ns)
        elif operation.process == NEMESIS:
            acts.append(operation)
    gaps: list[Gap] = []
    periods = fault_periods(acts)
    for role, found in successes.items():
        stretches = [(start, stop) for start, stop in found.stretches if start < last_send_ns]
        if found.last_ns is not None and found.last_ns < last_send_ns:
            stretches.append((found.last_ns, last_send_ns))
        if found.last_ns is not None:
            gaps += _longest(role, stretches, periods, last_send_ns)
    return tuple(gaps)


def _longest(
    role: str, stretches: list[tuple[int, int]], periods: tuple[FaultPeriod, ...], last_send_ns: int
) -> list[Gap]:
    gaps = []
    for period in periods:
        if period.begin_ns < last_send_ns:
            touching = [stretch for stretch in stretches if _touches(stretch, period)]
            gaps.append(_gap(role, period.act.sentence, touching, period.begin_ns))
    free = [stretch for stretch in stretches if not any(_touches(stretch, period) for period in periods)]
    return [_gap(role, NO_FAULT, free, 0), *gaps]


def _touches(stretch: tuple[int, int], period: FaultPeriod) -> bool:
    return stretch[1] > period.begin_ns and (period.end_ns is None or stretch[0] < period.end_ns)


def _gap(role: str, fault: str, stretches: list[tuple[int, int]], at_ns: int) -> Gap:
    start, stop = max(stretches, key=lambda stretch: stretch[1] - stretch[0], default=(at_ns, at_ns))
    return Gap(role=role, fault=fault, start_s=round(start / 1e9, 3), length_s=round((stop - start) / 1e9, 3))
