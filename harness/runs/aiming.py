"""Faults that come together strike different nodes, where enough are left: two on one node prove little. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

from harness.history.operations import FaultAct
from harness.runs.fault import Fault
from harness.targets.cluster_view import ClusterView

SHARED = "together with"
"""The parameter of an act that names the faults of the same nodes."""
_DRAWS = 20
"""How often nodes are drawn anew: which ones a fault may strike only the fault itself knows."""


def aimed(faults: Sequence[Fault], view: ClusterView, chance: Random) -> list[tuple[Fault, FaultAct]]:
    """Plans faults, each for nodes that those before it leave alone, if a majority of the nodes stays untouched then.

    Where that cannot be, the act says with which faults it shares a node. HostTrouble when the cluster has no nodes
    that a fault can strike.
    """
    planned: list[tuple[Fault, FaultAct]] = []
    for fault in faults:
        act = fault.plan(view, chance)
        taken = {node for _, other in planned for node in other.nodes}
        if not taken.isdisjoint(act.nodes):
            act = _elsewhere(fault, taken, view, chance) or act
        planned.append((fault, _marked(act, planned)))
    return planned


def _elsewhere(fault: Fault, taken: set[int], view: ClusterView, chance: Random) -> FaultAct | None:
    """An act of a fault that leaves the taken nodes alone and, together with them, a majority untouched; or None."""
    for _ in range(_DRAWS):
        act = fault.plan(view, chance)
        if taken.isdisjoint(act.nodes) and 2 * len(taken.union(act.nodes)) < len(view.nodes):
            return act
    return None


def _marked(act: FaultAct, planned: Sequence[tuple[Fault, FaultAct]]) -> FaultAct:
    """The act, with the names of the faults that strike one of its nodes as well."""
    sharing = [fault.name for fault, other in planned if not set(other.nodes).isdisjoint(act.nodes)]
    if not sharing:
        return act
    return msgspec.structs.replace(act, parameters={**act.parameters, SHARED: " and ".join(sharing)})
