"""Random schedules of faults, drawn from the seed alone, so that a run can be repeated.

A run is divided into periods. Each begins with a spell of faults and ends with a long time without any, in which a
cluster that does not recover shows. A spell has at most one fault of each family; a share of the periods has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from nemesis.fault import Family, Fault

QUIET_SHARE = 0.25
"""Share of the periods that have no fault."""
_MOST_TOGETHER = 3


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of a run under faults; times in seconds since the run phase began."""

    faults: tuple[Fault, ...]
    """Injected in this order, healed in the reverse one; none in a quiet period."""
    begin_s: float
    end_s: float
    """When the heals begin."""


def schedule(
    faults: Sequence[Fault],
    chance: Random,
    *,
    duration_s: float,
    period_s: float = 20.0,
    hold_share: float = 0.4,
    quiet_share: float = QUIET_SHARE,
    calm_s: float = 2.0,
) -> tuple[Spell, ...]:
    """Spells in order, which never overlap; the last one is healed at least `calm_s` seconds before the run ends.

    A period lasts `period_s` ± 30 %, and its spell `hold_share` of it ± 30 %. Each fault comes once before any comes
    again. A run with room for one period has at least one fault.
    """
    if period_s <= 0 or not 0 < hold_share <= 0.75 or not 0 <= quiet_share < 1 or calm_s < 0:
        raise ValueError(
            f"no schedule is possible with periods of {period_s:g} s, faults during {hold_share:g} of each, "
            f"a quiet share of {quiet_share:g} and {calm_s:g} s without faults at the end"
        )
    spells: list[Spell] = []
    bag = _Bag(faults, chance)
    begin_s = calm_s
    while faults:
        length_s = _about(period_s, chance)
        end_s = begin_s + length_s * _about(hold_share, chance)
        if end_s > duration_s:
            break
        is_quiet = chance.random() < quiet_share
        spells.append(Spell(() if is_quiet else bag.combination(), begin_s, end_s))
        begin_s += length_s
    return _with_a_fault(spells, bag, duration_s, calm_s)


def _with_a_fault(spells: list[Spell], bag: _Bag, duration_s: float, calm_s: float) -> tuple[Spell, ...]:
    """The same, with a fault in the first spell where none has one; a short run has one spell in its middle."""
    if not bag.faults or any(spell.faults for spell in spells):
        return tuple(spells)
    if spells:
        return (Spell(bag.combination(), spells[0].begin_s, spells[0].end_s), *spells[1:])
    begin_s = min(calm_s, duration_s / 4)
    return (Spell(bag.combination(), begin_s, begin_s + (duration_s - begin_s) / 2),) if duration_s > 0 else ()


class _Bag:
    """Faults in a drawn order, each once before any comes again."""

    def __init__(self, faults: Sequence[Fault], chance: Random) -> None:
        self.faults = tuple(faults)
        self._chance = chance
        self._left: list[Fault] = []

    def combination(self) -> tuple[Fault, ...]:
        """The next few faults, no two of one family."""
        wanted = self._chance.randint(1, _MOST_TOGETHER)
        chosen: list[Fault] = []
        for _ in range(wanted):
            if not self._left:
                self._left = list(self.faults)
                self._chance.shuffle(self._left)
            taken = {fault.family for fault in chosen}
            fitting = [fault for fault in self._left if fault.family not in taken]
            if not fitting:
                break
            chosen.append(fitting[0])
            self._left.remove(fitting[0])
        return tuple(sorted(chosen, key=lambda fault: list(Family).index(fault.family)))


def _about(value: float, chance: Random) -> float:
    return value * chance.uniform(0.7, 1.3)
