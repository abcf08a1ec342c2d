"""The interface of faults that a run uses. The faults are in `nemesis`; the harness knows only this interface."""

from __future__ import annotations

from random import Random
from typing import Any, Protocol

from harness.history.operations import FaultAct
from harness.hosts.lack import Lack
from harness.targets.target import Cluster


class Fault(Protocol):
    """Trouble made on purpose. The run writes the act into the history before `inject`, and its proof after."""

    @property
    def kind(self) -> str:
        """ "kill", "partition", …: as asked of `Cluster.lack_for_fault`."""
        ...

    @property
    def name(self) -> str:
        """As in histories and reports: "kill leader"."""
        ...

    def lack(self, cluster: Cluster) -> Lack | None:
        """What this cluster lacks for it; None when it can be done."""
        ...

    def plan(self, view: Any, random: Random) -> FaultAct:
        """Which nodes and how; pure. `view` is the cluster as seen from outside (`Cluster.view`)."""
        ...

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Does it and proves that it took effect; the proof as a sentence. HostTrouble when it took none."""
        ...

    def heal(self, cluster: Cluster) -> str:
        """Undoes all of its own, and says what was done; idempotent."""
        ...

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless all that it touched is well again."""
        ...


class Spell(Protocol):
    """A stretch of a run under faults, as a schedule draws it; times in seconds since the run phase began."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Injected in this order, healed in the reverse one; none in a quiet stretch."""
        ...

    @property
    def begin_s(self) -> float:
        """When the first is injected."""
        ...

    @property
    def end_s(self) -> float:
        """When the heals begin."""
        ...
