"""The nemesis: injects faults when their spells begin, heals them when they end, and verifies both.

Every act is written into the history before it is done, and its proof after. However a run ends, all faults that were
injected are healed; one that cannot be healed does not keep the others from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from harness.history.operations import NEMESIS, FaultAct, OpType
from harness.hosts.host import HostTrouble
from harness.runs.aiming import SHARED, aimed
from harness.runs.context import RunContext, RunTrouble
from harness.runs.fault import Fault, Spell
from harness.runs.looking import look_at_partitions


@dataclass(frozen=True, slots=True)
class OneSpell:
    """Some faults from one moment to another (Spell)."""

    faults: tuple[Fault, ...]
    begin_s: float
    end_s: float


def evenly(faults: Sequence[Fault], duration_s: float, hold_s: float, *, calm_s: float = 1.0) -> tuple[OneSpell, ...]:
    """A spell for each fault, one after another, evenly spread, at least `calm_s` apart, each `hold_s` long."""
    pause_s = max(calm_s, (duration_s - len(faults) * hold_s) / (len(faults) + 1))
    begins = [pause_s + number * (pause_s + hold_s) for number in range(len(faults))]
    return tuple(OneSpell((fault,), begin, begin + hold_s) for fault, begin in zip(faults, begins, strict=True))


class NemesisRole:
    """Carries out the spells of one run."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._chance = context.chance(NEMESIS)
        self._active: list[tuple[Fault, FaultAct]] = []

    def work(self, spells: Sequence[Spell], duration_s: float) -> None:
        """The run phase: the spells, the rest of its time, and the last heals. RunTrouble when one cannot be done."""
        executor, began_ns = self._context.executor, self._context.executor.now_ns()

        def wait_until(at_s: float) -> None:
            executor.sleep(max(0.0, at_s - (executor.now_ns() - began_ns) / 1e9))

        try:
            for at_s, is_end, spell in _events(spells):
                wait_until(at_s)
                if is_end:
                    self._context.enter("heal")
                    self.heal([fault for fault, _ in self._active if fault in spell.faults])
                    self._context.enter("run")
                else:
                    self.inject(spell.faults)
            wait_until(duration_s)
        finally:
            if self._active:
                self._context.enter("heal")
            self.heal([fault for fault, _ in self._active])

    def at_once(self, faults: Sequence[Fault]) -> None:
        """Injects each fault and heals it at once, one after another. RunTrouble when one cannot be done."""
        for fault in faults:
            try:
                self.inject((fault,))
            finally:
                self.heal((fault,))

    def inject(self, faults: Sequence[Fault]) -> None:
        """Injects faults in this order, all planned beforehand: the first would hide from the others who leads. They
        strike different nodes where enough are left (`aimed`); else that is noted.

        RunTrouble when one takes no effect: then nothing may be judged by it.
        """
        context = self._context
        if not faults:
            return
        context.enter(" + ".join(fault.name for fault in faults))
        for fault, act in self._planned(faults):
            if SHARED in act.parameters:
                context.notes.append(f"{fault.name} struck the same node as {act.parameters[SHARED]}")
            context.counts.faults += 1
            invoked = context.writer.append(NEMESIS, OpType.INVOKE, fault.name, act)
            self._active.append((fault, act))
            try:
                proof = fault.inject(context.cluster, act)
            except (HostTrouble, OSError) as trouble:
                context.writer.append(NEMESIS, OpType.INFO, fault.name, act, error=f"{trouble}", of=invoked)
                raise RunTrouble(f"{fault.name} could not be injected: {trouble}") from trouble
            done = msgspec.structs.replace(act, proof=proof)
            context.writer.append(NEMESIS, OpType.INFO, fault.name, done, of=invoked)

    def _planned(self, faults: Sequence[Fault]) -> list[tuple[Fault, FaultAct]]:
        context = self._context
        try:
            view = context.cluster.view((context.queue.topic,), context.queue.group_names())
            return aimed(faults, view, self._chance)
        except (HostTrouble, OSError) as trouble:
            names = " + ".join(fault.name for fault in faults)
            raise RunTrouble(f"{names} could not be planned: {trouble}") from trouble

    def heal(self, faults: Sequence[Fault]) -> None:
        """Heals faults in the reverse order, then verifies all. RunTrouble that names every one that failed."""
        context, cluster = self._context, self._context.cluster
        healed: list[tuple[Fault, FaultAct, int, str]] = []
        troubles = []
        for fault, act in [pair for pair in reversed(self._active) if pair[0] in faults]:
            invoked = context.writer.append(NEMESIS, OpType.INVOKE, "heal", act)
            try:
                healed.append((fault, act, invoked, fault.heal(cluster)))
            except (HostTrouble, OSError) as trouble:
                context.writer.append(NEMESIS, OpType.INFO, "heal", act, error=f"{trouble}", of=invoked)
                troubles.append(f"{fault.name} could not be healed: {trouble}")
        for fault, act, invoked, proof in healed:
            try:
                fault.verify_healed(cluster)
            except (HostTrouble, OSError) as trouble:
                context.writer.append(NEMESIS, OpType.INFO, "heal", act, error=f"{trouble}", of=invoked)
                troubles.append(f"{fault.name} is not healed: {trouble}")
                continue
            done = msgspec.structs.replace(act, proof=proof)
            context.writer.append(NEMESIS, OpType.INFO, "heal", done, of=invoked)
        self._active = [pair for pair in self._active if pair[0] not in faults]
        if healed:
            look_at_partitions(context)
        if troubles:
            raise RunTrouble("; ".join(troubles))


def _events(spells: Sequence[Spell]) -> list[tuple[float, bool, Spell]]:
    """(when, whether it ends, spell), in the order of time; what ends at a moment ends before another begins."""
    begins = [(spell.begin_s, False, spell) for spell in spells if spell.faults]
    ends = [(spell.end_s, True, spell) for spell in spells if spell.faults]
    return sorted([*begins, *ends], key=lambda event: (event[0], not event[1]))
