"""A cluster of containers, a pair for each node."""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from typing import Any

from harness.hosts.at_once import at_once
from harness.hosts.lack import Lack
from harness.targets.cluster_of_nodes import ClusterOfNodes
from harness.targets.containers.labels import remove_network
from harness.targets.containers.node import ContainerNode
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


class ContainerCluster(ClusterOfNodes[ContainerNode]):
    """Pairs of containers on a network of their own (Cluster)."""

    def __init__(self, nodes: Sequence[ContainerNode], network: Any, run: str, version: str, clients: str) -> None:
        super().__init__(nodes, version)
        self.run = run
        """The value of LABEL on what it is made of."""
        self._network = network
        self._client_address = clients
        self._is_removed = False

    @property
    def client_addresses(self) -> tuple[str, ...]:
        """The network's gateway: our clients' packets come from there, also those to published ports."""
        return (self._client_address,)

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected here; None when they can."""
        return lack_for_fault(kind)

    def close(self) -> None:
        """Removes the containers, their volumes and the network; the logs stay readable."""
        with self._lock:
            if self._final_logs is None:
                self._final_logs = dict(at_once(_last_log, self._nodes))
            if not self._is_removed:  # an interrupted close goes on where it was
                at_once(lambda node: node.remove(), self._nodes)
                remove_network(self._network)
                self._is_removed = True
                atexit.unregister(self.close)


def lack_for_fault(kind: str) -> Lack | None:
    """What stands in the way of faults of a kind on containers: a published image, as it is, has no libfaketime."""
    if kind in (*PROCESS_FAULTS, *LINK_FAULTS, *REQUEST_FAULTS):
        return None
    return {DISK_FAULT: NOT_DISKS, CLOCK_FAULT: NOT_ENVIRONMENT}.get(kind) or no_such_fault(kind)


def _last_log(node: ContainerNode) -> tuple[str, str]:
    try:
        return f"node-{node.id}.log", node.log_text()
    except Exception as trouble:
        return f"node-{node.id}.log", f"(could not be read: {trouble})"
