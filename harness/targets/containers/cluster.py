"""A cluster of containers, a pair for each node."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from harness.hosts.at_once import at_once
from harness.targets.cluster_view import ClusterView
from harness.targets.containers.labels import remove_network
from harness.targets.containers.node import ContainerNode
from harness.targets.health import HEALTHY_WITHIN_S, wait_until_healthy
from harness.targets.looking import look_at
from harness.targets.target import LINK_FAULTS, PROCESS_FAULTS, REQUEST_FAULTS

SUPPORTED = (*PROCESS_FAULTS, *LINK_FAULTS, *REQUEST_FAULTS)
"""Faults that can be brought about on containers."""


class ContainerCluster:
    """Pairs of containers on a network of their own (Cluster)."""

    def __init__(self, nodes: Sequence[ContainerNode], network: Any, run: str, version: str, clients: str) -> None:
        self.run = run
        """The value of LABEL on what it is made of."""
        self._nodes = tuple(nodes)
        self._network = network
        self._version = version
        self._client_address = clients
        self._final_logs: dict[str, str] | None = None
        self._is_removed = False
        self._lock = threading.Lock()
        atexit.register(self.close)

    @property
    def bootstrap(self) -> str:
        """host:port,… for clients: every broker."""
        return ",".join("{}:{}".format(*node.address) for node in self._nodes if node.is_broker)

    @property
    def nodes(self) -> tuple[ContainerNode, ...]:
        """The nodes: brokers, then those that are controllers only."""
        return self._nodes

    @property
    def client_addresses(self) -> tuple[str, ...]:
        """The network's gateway: from there come our clients' packets, also those to published ports."""
        return (self._client_address,)

    def version(self) -> str:
        """The image's tag, which is the release in published images."""
        return self._version

    def view(self, topics: Sequence[str] | None = None, groups: Sequence[str] = ()) -> ClusterView:
        """What it looks like now, from outside. TargetTrouble when no broker says."""
        return look_at(self.bootstrap, [node.id for node in self._nodes], topics, groups)

    def wait_healthy(self, timeout_s: float = HEALTHY_WITHIN_S) -> None:
        """Waits for an active controller, all brokers unfenced, full ISRs. TargetTrouble when it takes too long."""
        wait_until_healthy(self.view, [node.id for node in self._nodes if node.is_broker], timeout_s)

    def supports(self, fault: str) -> bool:
        """Whether a fault can be brought about here."""
        return fault in SUPPORTED

    def logs(self) -> Mapping[str, str]:
        """The nodes' logs by a file name; kept after close."""
        return self._final_logs or {f"node-{node.id}.log": node.log_text() for node in self._nodes}

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
