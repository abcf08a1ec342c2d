"""Derives periods of faults from the operations of the nemesis, and the possible effects of the faults on the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

from harness.history.history import AnyHistory
from harness.history.operations import FaultAct, Operation, OpType
from harness.judging.evidence.evidence import Evidence
from harness.judging.guarantees import ClientSettings, FaultEffects, Guarantees, TopicSettings

UNCLEAN_ELECTION = "unclean"
"""The `change` parameter of a leadership fault that requests an unclean election (ElectLeaders)."""
POWER = "power"
"""The kind of faults that lose unflushed data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPeriod:
    """The period of a fault, from just before it was injected until it was healed or the history ended."""

    name: str
    act: FaultAct
    """The fault, with its proof; without one if it took no effect, or if the harness died first."""
    begin: int
    """Index of the invoke of the fault."""
    end: int | None
    """Index of the completion of its heal; None if there is none."""
    begin_ns: int
    end_ns: int | None

    def is_at(self, index: int) -> bool:
        """Whether the fault was present at an operation (index)."""
        return self.begin <= index and (self.end is None or index < self.end)


def fault_periods(acts: Iterable[Operation]) -> tuple[FaultPeriod, ...]:
    """The periods of all faults, in the order in which they began. `acts` are the operations of the nemesis."""
    begun: list[tuple[Operation, FaultAct]] = []
    proofs: dict[int, FaultAct] = {}
    heals: list[tuple[Operation, FaultAct]] = []
    for operation in acts:
        act = operation.value
        if not isinstance(act, FaultAct):
            continue
        if operation.f == "heal":
            if operation.kind is not OpType.INVOKE:
                heals.append((operation, msgspec.structs.replace(act, proof="")))
        elif operation.kind is OpType.INVOKE:
            begun.append((operation, act))
        elif operation.of is not None:
            proofs[operation.of] = act
    periods = []
    for start, act in begun:
        end = next((heal for heal, healed in heals if heal.index > start.index and healed == act), None)
        periods.append(
            FaultPeriod(
                name=start.f,
                act=proofs.get(start.index, act),
                begin=start.index,
                end=end.index if end else None,
                begin_ns=start.time_ns,
                end_ns=end.time_ns if end else None,
            )
        )
    return tuple(periods)


def rules_of(history: AnyHistory, client: ClientSettings, topic: TopicSettings) -> Guarantees:
    """The guarantees of a run, by its settings and the effects of its faults.

    If an operator requested an unclean election, the guarantees are those of unclean.leader.election.enable=true.
    """
    evidence = Evidence.of(history)
    acts = [period.act for period in fault_periods(evidence.faults)]
    if any(act.parameters.get("change") == UNCLEAN_ELECTION for act in acts):
        topic = replace(topic, is_unclean=True)
    return Guarantees.of(client, topic, effects_of(evidence))


def effects_of(evidence: Evidence) -> FaultEffects:
    """The possible effects of a history's faults on the log, by their kinds and by the recorded changes of leaders."""
    periods = fault_periods(evidence.faults)
    losses = [period for period in periods if period.act.kind == POWER]
    at_once = max(
        (len({node for other in losses if other.is_at(period.begin) for node in other.act.nodes}) for period in losses),
        default=0,
    )
    may_move = bool(evidence.leader_changes) if evidence.has_states else bool(periods)
    return FaultEffects(power_losses=at_once, moves_leader=may_move)
