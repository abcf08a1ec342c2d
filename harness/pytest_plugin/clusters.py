"""Clusters for checks: one for each target and specification, shared, replaced when a check left it broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from harness.hosts.host import HostTrouble
from harness.judging.outcome import BrokenPromise
from harness.pytest_plugin.options import OPTIONS, ChosenTarget
from harness.pytest_plugin.record import record_of, target_name
from harness.pytest_plugin.sizing import sized
from harness.targets.ended_nodes import ended_nodes
from harness.targets.readiness import last_lines
from harness.targets.target import Cluster, ClusterSpec, TargetKind
from nemesis.restore import restore

Key = tuple[str, tuple[object, ...]]
"""(target, what `ClusterSpec.key` gives)."""


def asked_by(item: pytest.Item) -> ClusterSpec:
    """What a check asks for by @pytest.mark.cluster(nodes=3, controllers=0, racks=(…), config={…}, small_disk_mb=0,
    has_faulty_disks=False, has_dynamic_voters=False, is_exact=False)."""
    marker = item.get_closest_marker("cluster")
    wanted: Mapping[str, Any] = marker.kwargs if marker else {}
    return ClusterSpec(
        nodes=wanted.get("nodes", 1),
        controllers=wanted.get("controllers", 0),
        racks=tuple(wanted.get("racks", ())),
        config=dict(wanted.get("config", {})),
        small_disk_mb=wanted.get("small_disk_mb", 0),
        has_faulty_disks=wanted.get("has_faulty_disks", False),
        has_dynamic_voters=wanted.get("has_dynamic_voters", False),
        is_exact=wanted.get("is_exact", False),
    )


def spec_of(item: pytest.Item) -> ClusterSpec:
    """The cluster that a check gets: what it asks for, of as many nodes as --nodes says.

    A simulated one is the check's own, and all chance in it comes from the seed and the check: so the check does the
    same in each run, whatever ran before.
    """
    options = item.config.stash[OPTIONS]
    spec = sized(asked_by(item), options.nodes)
    return replace(spec, seed=f"{options.seed}/{record_of(item).check}") if is_simulated(item) else spec


def is_simulated(item: pytest.Item) -> bool:
    """Whether an item's target has no clusters but simulated ones."""
    name, targets = target_name(item), item.config.stash[OPTIONS].targets
    return any(target.name == name and target.kind is TargetKind.SIMULATED for target in targets)


def shared_spec(config: pytest.Config) -> ClusterSpec:
    """The cluster of checks that ask for none of their own."""
    return sized(ClusterSpec(), config.stash[OPTIONS].nodes)


def key_of(item: pytest.Item) -> Key | None:
    """Which cluster an item uses; None when it uses none."""
    name = target_name(item)
    return None if name is None else _key(name, spec_of(item))


def _key(name: str, spec: ClusterSpec) -> Key:
    return name, spec.key()


class Clusters:
    """The open clusters of a session."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._open: dict[Key, Cluster] = {}
        self.versions: dict[str, str] = {}
        """Target → release, as its cluster says."""

    def lease(self, target: ChosenTarget, spec: ClusterSpec) -> Cluster:
        """A healthy cluster, opened when there is none. TargetTrouble when that fails."""
        key = _key(target.name, spec)
        cluster = self._open.get(key)
        if cluster is not None:
            return cluster
        self._say(f"starting {target.name}")
        cluster = self._open[key] = target.open(spec)
        self.versions[target.name] = cluster.version()
        return cluster

    def inspect(self, target: ChosenTarget, spec: ClusterSpec) -> None:
        """After a check: a broker that ended by itself breaks a promise; what a fault left is repaired or thrown away.

        BrokenPromise when a node does not run although the check killed none.
        """
        key = _key(target.name, spec)
        cluster = self._open.get(key)
        if cluster is None:
            return
        dead = [node for node in cluster.nodes if not node.is_alive()]
        if not dead:
            return
        text = last_lines(dead[0].log_text())
        self.discard(target, spec)
        raise BrokenPromise(
            f"Node {dead[0].id} ended by itself while the check ran.",
            witness=["its log ends:", *text.splitlines()],
            promise="a broker keeps running whatever clients send",
            anomaly="crash",
        )

    def repair(self, target: ChosenTarget, spec: ClusterSpec) -> None:
        """After a check that failed or was in trouble: heals the cluster, or throws it away."""
        cluster = self._open.get(_key(target.name, spec))
        if cluster is None or not cluster.nodes:
            return
        try:
            restore(cluster)
        except HostTrouble as trouble:
            self._say(f"{target.name} is replaced: {trouble}".splitlines()[0])
            self.discard(target, spec)

    def discard(self, target: ChosenTarget, spec: ClusterSpec) -> None:
        """Closes a cluster; the next lease opens a new one."""
        cluster = self._open.pop(_key(target.name, spec), None)
        if cluster is not None:
            cluster.close()

    def ended(self, key: Key | None) -> tuple[str, ...]:
        """What is to be told of nodes that do not run, of the cluster that an item uses."""
        cluster = None if key is None else self._open.get(key)
        return () if cluster is None else ended_nodes(cluster.nodes)

    def logs(self, target: ChosenTarget, spec: ClusterSpec) -> Mapping[str, str]:
        """The nodes' logs; empty when no cluster is open."""
        cluster = self._open.get(_key(target.name, spec))
        return {} if cluster is None else cluster.logs()

    def close_all_but(self, key: Key | None) -> None:
        """Closes every cluster that the next check does not use."""
        for other in [known for known in self._open if known != key]:
            self._open.pop(other).close()
