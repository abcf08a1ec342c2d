"""The common part of all clusters whose nodes the harness controls: addresses, views, health, logs."""

from __future__ import annotations

import atexit
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from harness.hosts.executor import THREADS, Executor
from harness.hosts.links import Links
from harness.targets.cluster_view import ClusterView
from harness.targets.health import HEALTHY_WITHIN_S, wait_until_healthy
from harness.targets.looking import look_at


class TellingNode(Protocol):
    """The part of a node that a cluster uses."""

    @property
    def id(self) -> int:
        """Its node.id."""
        ...

    @property
    def is_broker(self) -> bool:
        """Whether clients can be served by it."""
        ...

    @property
    def address(self) -> tuple[str, int]:
        """Host and port at which clients reach it."""
        ...

    def log_text(self) -> str:
        """All that its process has written since the first start."""
        ...


N = TypeVar("N", bound=TellingNode)


class ClusterOfNodes(ABC, Generic[N]):
    """The part of a cluster (Cluster) that does not depend on where its nodes live. It is closed at exit."""

    def __init__(self, nodes: Sequence[N], version: str) -> None:
        self._nodes = tuple(nodes)
        self._version = version
        self._final_logs: dict[str, str] | None = None
        """Set when it is closed."""
        self._lock = threading.Lock()
        self.executor: Executor = THREADS
        """Whose time passes for it, and by whom its nodes are reached."""
        self.links: Links | None = None
        """Its links, where they can be cut by a call."""
        atexit.register(self.close)

    @property
    def bootstrap(self) -> str:
        """host:port,… for clients: every broker."""
        return ",".join("{}:{}".format(*node.address) for node in self._nodes if node.is_broker)

    @property
    def nodes(self) -> tuple[N, ...]:
        """The nodes: brokers, then those that are controllers only."""
        return self._nodes

    def version(self) -> str:
        """The release; of an image its tag, of machines what their file says."""
        return self._version

    def view(self, topics: Sequence[str] | None = None, groups: Sequence[str] = ()) -> ClusterView:
        """The cluster as Metadata and DescribeQuorum describe it now. TargetTrouble when no broker answers."""
        return look_at(self.bootstrap, [node.id for node in self._nodes], topics, groups)

    def wait_healthy(self, timeout_s: float = HEALTHY_WITHIN_S) -> None:
        """Waits for an active controller, all brokers unfenced, full ISRs. TargetTrouble when it takes too long."""
        wait_until_healthy(self.view, [node.id for node in self._nodes if node.is_broker], timeout_s)

    def logs(self) -> Mapping[str, str]:
        """The nodes' logs by a file name; kept after close."""
        return self._final_logs or {f"node-{node.id}.log": node.log_text() for node in self._nodes}

    @abstractmethod
    def close(self) -> None:
        """Ends what was started and removes what was made; may be called twice."""
