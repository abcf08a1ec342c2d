"""A cluster on machines that the user has installed and configured; each node is left as it was found."""

from __future__ import annotations

import atexit
import contextlib
from collections.abc import Sequence

from harness.hosts.at_once import at_once
from harness.hosts.host import HostTrouble
from harness.hosts.lack import Lack, Means
from harness.targets.cluster_of_nodes import ClusterOfNodes
from harness.targets.machines.node import MachineNode
from harness.targets.target import (
    CLOCK_FAULT,
    DISK_FAULT,
    LINK_FAULTS,
    NOT_DISKS,
    NOT_ENVIRONMENT,
    PROCESS_FAULTS,
    REQUEST_FAULTS,
    no_such_fault,
)


class MachineCluster(ClusterOfNodes[MachineNode]):
    """Brokers on machines (Cluster)."""

    def __init__(self, nodes: Sequence[MachineNode], version: str, clients: Sequence[str], *, has_root: bool) -> None:
        """`clients` are our addresses as the machines see them; `has_root`: whether packet rules can be set there."""
        super().__init__(nodes, version)
        self._clients = tuple(sorted(set(clients)))
        self._has_root = has_root
        self._started: tuple[MachineNode, ...] = ()

    @property
    def client_addresses(self) -> tuple[str, ...]:
        """Our addresses, as the machines see them."""
        return self._clients

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected here; None when they can."""
        return lack_for_fault(kind, has_root=self._has_root)

    def start(self) -> None:
        """Resumes nodes that a killed run has left paused, starts those that do not run, and waits until all is well.

        TargetTrouble, with a log's end, when it does not become so.
        """
        self._started = tuple(node for node in self._nodes if not node.is_alive())
        at_once(_run, self._nodes)
        for node in self._nodes:
            node.wait_ready()
        self.wait_healthy()

    def close(self) -> None:
        """Leaves each node as it was found: those that ran run, those that were started here are stopped."""
        with self._lock:
            if self._final_logs is None:
                self._final_logs = dict(at_once(_last_log, self._nodes))
                at_once(self._leave, self._nodes)
                atexit.unregister(self.close)

    def _leave(self, node: MachineNode) -> None:
        with contextlib.suppress(HostTrouble):  # the machine is away: nothing more can be done from here
            if node in self._started:
                node.stop()
            else:
                _run(node)
        node.host.close()


def lack_for_fault(kind: str, *, has_root: bool) -> Lack | None:
    """Why faults of this kind cannot be injected on machines; None when they can."""
    if kind in LINK_FAULTS:
        why = f"{kind} needs root on the machines; set user to root, or sudo to true, in the file of machines"
        return None if has_root else Lack(Means.FAULTS, why)
    if kind in (*PROCESS_FAULTS, *REQUEST_FAULTS):
        return None
    return {DISK_FAULT: NOT_DISKS, CLOCK_FAULT: NOT_ENVIRONMENT}.get(kind) or no_such_fault(kind)


def _run(node: MachineNode) -> None:
    if not node.is_alive():
        node.start()
    elif node.is_paused():
        node.resume()


def _last_log(node: MachineNode) -> tuple[str, str]:
    try:
        return f"node-{node.id}.log", node.log_text()
    except HostTrouble as trouble:
        return f"node-{node.id}.log", f"(could not be read: {trouble})"
