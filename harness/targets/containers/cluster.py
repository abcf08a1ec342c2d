"""A cluster of containers, a pair for each node."""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from typing import Any

from harness.hosts.at_once import at_once
from harness.targets.cluster_of_nodes import ClusterOfNodes
from harness.targets.containers.labels import remove_network
from harness.targets.containers.node import ContainerNode
from harness.targets.target import LINK_FAULTS, PROCESS_FAULTS, REQUEST_FAULTS

SUPPORTED = (*PROCESS_FAULTS, *LINK_FAULTS, *REQUEST_FAULTS)
"""Faults that can be brought about on containers."""


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
        """The network's gateway: from there come our clients' packets, also those to published ports."""
        return (self._client_address,)

    def supports(self, fault: str) -> bool:
        """Whether a fault can be brought about here."""
        return fault in SUPPORTED

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


def _last_log(node: ContainerNode) -> tuple[str, str]:
    try:
        return f"node-{node.id}.log", node.log_text()
    except Exception as trouble:
        return f"node-{node.id}.log", f"(not to be had: {trouble})"
