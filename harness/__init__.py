"""What authors of checks, and of tests in other projects, import: `from harness import Queue, require`.

A check states a promise as a workload and faults (`Queue`, `ClientSettings`, `Needs`), or as single requests
(`Exchange`), and ends in one of four ways: `require` or an assertion holds, `BrokenPromise`, `Unproven`, a skip for a
`Lack`. Targets open clusters (`resolve`, `ClusterSpec`, `Cluster`, `Node`); faults come from `nemesis`, and one of
your own needs the methods of `Fault`. The annotations of fixtures: `Drive`, `Strike`, `CheckRecord`, `Names`,
`Operator`, `Library` in checks/; `KafkaCluster`, `OpensCluster`, `KafkaDrive`, `KafkaNemesis` in other projects.

Each name is imported from its own file when it is first asked for, so that `import harness` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.clients.client import ClientTrouble, Library
    from harness.clients.leader_connections import RawAdmin
    from harness.clients.operators.operator import Operator
    from harness.comparing.exchange import Exchange
    from harness.history.operations import FaultAct
    from harness.hosts.host import HostTrouble
    from harness.hosts.lack import Lack, Means
    from harness.installed_plugin.clusters import KafkaCluster, OpensCluster
    from harness.installed_plugin.driving import KafkaDrive
    from harness.installed_plugin.injecting import KafkaNemesis
    from harness.judging.activity import Needs
    from harness.judging.guarantees import ClientSettings, TopicSettings
    from harness.judging.outcome import BrokenPromise, Unproven, require
    from harness.pytest_plugin.drive import Drive, Driven
    from harness.pytest_plugin.names import Names
    from harness.pytest_plugin.record import CheckRecord
    from harness.pytest_plugin.strike import Strike
    from harness.runs.fault import Fault
    from harness.targets.cluster_view import ClusterView
    from harness.targets.target import Cluster, ClusterSpec, Node, Target, TargetTrouble, resolve
    from harness.workloads.queue import Queue

_FILES = {
    "clients.client": ("ClientTrouble", "Library"),
    "clients.leader_connections": ("RawAdmin",),
    "clients.operators.operator": ("Operator",),
    "comparing.exchange": ("Exchange",),
    "history.operations": ("FaultAct",),
    "hosts.host": ("HostTrouble",),
    "hosts.lack": ("Lack", "Means"),
    "installed_plugin.clusters": ("KafkaCluster", "OpensCluster"),
    "installed_plugin.driving": ("KafkaDrive",),
    "installed_plugin.injecting": ("KafkaNemesis",),
    "judging.activity": ("Needs",),
    "judging.guarantees": ("ClientSettings", "TopicSettings"),
    "judging.outcome": ("BrokenPromise", "Unproven", "require"),
    "pytest_plugin.drive": ("Drive", "Driven"),
    "pytest_plugin.names": ("Names",),
    "pytest_plugin.record": ("CheckRecord",),
    "pytest_plugin.strike": ("Strike",),
    "runs.fault": ("Fault",),
    "targets.cluster_view": ("ClusterView",),
    "targets.target": ("Cluster", "ClusterSpec", "Node", "Target", "TargetTrouble", "resolve"),
    "workloads.queue": ("Queue",),
}
"""File → the names that are public of it."""
_FILE_OF = {name: f"harness.{file}" for file, names in _FILES.items() for name in names}

__all__ = [
    "BrokenPromise",
    "CheckRecord",
    "ClientSettings",
    "ClientTrouble",
    "Cluster",
    "ClusterSpec",
    "ClusterView",
    "Drive",
    "Driven",
    "Exchange",
    "Fault",
    "FaultAct",
    "HostTrouble",
    "KafkaCluster",
    "KafkaDrive",
    "KafkaNemesis",
    "Lack",
    "Library",
    "Means",
    "Names",
    "Needs",
    "Node",
    "OpensCluster",
    "Operator",
    "Queue",
    "RawAdmin",
    "Strike",
    "Target",
    "TargetTrouble",
    "TopicSettings",
    "Unproven",
    "require",
    "resolve",
]

if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        """A public name, imported from its file. AttributeError for any other."""
        if name not in _FILE_OF:
            raise AttributeError(f"harness has no public name {name!r} (known: {', '.join(__all__)})")
        return getattr(import_module(_FILE_OF[name]), name)
