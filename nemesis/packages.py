"""Faults by name, and when they strike: a schedule drawn from the seed, so that a run can be repeated.

Spells of trouble alternate with long quiet ones: what never recovers shows in the quiet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from nemesis.disk import FullDisk
from nemesis.fault import Fault
from nemesis.kill import Kill
from nemesis.pause import Pause
from nemesis.restart import Restart

FAULTS: tuple[tuple[str, type[Kill] | type[Pause] | type[Restart] | type[FullDisk]], ...] = (
    ("kill", Kill),
    ("pause", Pause),
    ("restart", Restart),
    ("disk", FullDisk),
)
"""Every fault by its name, for `python -m harness list faults`."""


def fault_named(name: str) -> Fault:
    """A new fault. ValueError, with what is known, when there is none of that name."""
    for known, cls in FAULTS:
        if known == name:
            return cls()
    raise ValueError(f"there is no fault {name!r} (known: {', '.join(known for known, _ in FAULTS)})")


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: when it is injected and when healed, in seconds since the start of the run."""

    fault: Fault
    inject_at_s: float
    heal_at_s: float


def schedule(
    faults: Sequence[Fault],
    random: Random,
    *,
    duration_s: float,
    every_s: float = 5.0,
    hold_s: float = 2.0,
    jitter: float = 0.3,
) -> tuple[Strike, ...]:
    """Strikes in order, never overlapping, each healed before the run's end; at least one when the run has room for it.

    Every gap and hold varies by ± `jitter` of itself. With several faults, each comes once before any comes again.
    """
    if not 0 <= jitter < 1 or every_s <= 0 or hold_s < 0:
        raise ValueError(f"no schedule with every {every_s} s, hold {hold_s} s, jitter {jitter}")
    strikes: list[Strike] = []
    bag: list[Fault] = []
    at_s = _about(min(every_s, max(duration_s - hold_s, 0.0)) / 2, jitter, random)
    while faults:
        until_s = at_s + _about(hold_s, jitter, random)
        if until_s > duration_s:
            break
        if not bag:
            bag = list(faults)
            random.shuffle(bag)
        strikes.append(Strike(bag.pop(), at_s, until_s))
        at_s = until_s + _about(every_s, jitter, random)
    return tuple(strikes)


def _about(value: float, jitter: float, random: Random) -> float:
    return value * random.uniform(1 - jitter, 1 + jitter)
