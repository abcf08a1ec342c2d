"""Opens, restarts and closes the clusters of a lockstep run."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.search.lockstep.barrier import Barrier
from harness.targets.target import Cluster, ClusterSpec, Target, TargetTrouble, numbered, resolve_with_sockets

SETTINGS = {
    # Requests for unknown topics must not create them.
    "auto.create.topics.enable": "false",
    # A sequence waits for each change, so do not delay writes.
    "controller.quorum.append.linger.ms": "0",
    "group.coordinator.append.linger.ms": "0",
    # Records are deleted only on request, never by retention. This also delays removing the files of deleted topics:
    # see `restart`.
    "log.initial.task.delay.ms": "3600000",
    "log.retention.check.interval.ms": "3600000",
    # A busy node that misses heartbeats must not be fenced, or its coordinators would be unavailable. Not more than the
    # time allowed for a restart: until the session ends, Kafka 4.0 may refuse to register the restarted node.
    "broker.session.timeout.ms": "30000",
}
"""Broker configs of single nodes, in addition to those of every target."""
OF_SEVERAL = {name: value for name, value in SETTINGS.items() if name != "broker.session.timeout.ms"}
"""Broker configs of several nodes: a killed one is to be noticed soon."""
MANY_DELETED = 3_000
"""After this many deleted topics, a node is restarted without their files.

Kafka keeps each deleted partition in memory until its files are removed, which with these settings is never. With about
ten thousand of them it spends most of its time on garbage collection.
"""
DELETED = "*-delete"
"""Glob for the folders of partitions whose topics were deleted."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A target of a run and its open cluster."""

    name: str
    """The name given with --target; the second of the same name ends in "#2"."""
    target: Target
    cluster: Cluster


@contextlib.contextmanager
def opened(names: Sequence[str], more: Mapping[str, str] | None = None, nodes: int = 1) -> Iterator[list[Opened]]:
    """Opens a cluster for each target name, of so many nodes that are brokers and controllers, with data in memory and
    `more` broker configs; closes them at the end.

    UnknownTarget or TargetTrouble if one cannot be opened.
    """
    with contextlib.ExitStack() as stack:
        found: list[Opened] = []
        for name in names:
            target = resolve_with_sockets(name)
            settings = SETTINGS if nodes == 1 else OF_SEVERAL
            spec = ClusterSpec(nodes=nodes, config={**settings, **(more or {})}, in_memory=True)
            if (lack := target.lack(spec)) is not None:
                raise TargetTrouble(f"--target {lack}")
            cluster = target.open(spec)
            stack.callback(cluster.close)
            number = 1 + sum(one.target.name == name for one in found)
            found.append(Opened(numbered(name, number), target, cluster))
        for one in found:
            barrier = Barrier(one.name, one.cluster.bootstrap)
            barrier.prepare()
            barrier.close()
        yield found


def restart(cluster: Cluster, keep: str) -> None:
    """Stops and starts each node, one after another. HostTrouble if that fails.

    While a node is stopped, the files of deleted topics are removed, except of topics whose names begin with `keep`.
    """
    for node in cluster.nodes:
        node.stop()
        if node.data_dir is not None:
            for folder in node.data_dir.glob(DELETED):
                if not folder.name.startswith(keep):
                    shutil.rmtree(folder)
        node.start()
        node.wait_ready()


def can_clear(cluster: Cluster) -> bool:
    """Whether the data dirs of all nodes are accessible from this machine."""
    return bool(cluster.nodes) and all(node.data_dir is not None for node in cluster.nodes)
