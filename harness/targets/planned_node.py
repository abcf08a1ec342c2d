"""What a node of any kind tells of itself by its plan: who it is and where it listens."""

from __future__ import annotations

from collections.abc import Mapping

from harness.hosts.virtual_machine import VirtualMachine
from harness.targets.node_plan import NodePlan, Role


class PlannedNode:
    """The part of a node (Node) that does not depend on where its process lives."""

    machine: VirtualMachine | None = None
    """The machine that it runs on, where a call can act on it."""

    def __init__(self, name: str, plan: NodePlan) -> None:
        self.name = name
        self._plan = plan

    @property
    def id(self) -> int:
        """Its node.id."""
        return self._plan.id

    @property
    def roles(self) -> tuple[Role, ...]:
        """What it is: broker, controller, or both."""
        return self._plan.roles

    @property
    def is_broker(self) -> bool:
        """Whether clients can be served by it."""
        return self._plan.is_broker

    @property
    def rack(self) -> str | None:
        """Its broker.rack."""
        return self._plan.rack

    @property
    def address(self) -> tuple[str, int]:
        """Host and port at which clients reach it; of a node that is a controller only, its controllers' listener."""
        return self._plan.address

    @property
    def ports(self) -> Mapping[str, int]:
        """Listener → port."""
        return self._plan.ports
