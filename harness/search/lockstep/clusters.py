"""Opens the targets of a lockstep run, and closes them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.search.lockstep.barrier import Barrier
from harness.targets.target import Cluster, ClusterSpec, Target, TargetTrouble, numbered, resolve

SETTINGS = {
    # A topic that is asked for by mistake must not come into being at a moment of its own.
    "auto.create.topics.enable": "false",
    # Changes are written at once: a sequence waits for each of them.
    "controller.quorum.append.linger.ms": "0",
    "group.coordinator.append.linger.ms": "0",
    # Records go when they are told to, not when the retention's turn comes. The files of deleted topics would go in the
    # same turn: see `restart`.
    "log.initial.task.delay.ms": "3600000",
    "log.retention.check.interval.ms": "3600000",
    # A node that has no time for its heartbeats for a while is not fenced: its coordinators would be away. Not longer
    # than a node is waited for: Kafka 4.0 may refuse one that comes again until then.
    "broker.session.timeout.ms": "30000",
}
"""Beside those of every node."""
MANY_DELETED = 3_000
"""After so many deleted topics a node should start without their files.

Kafka holds each of their partitions in memory until the files are gone, which with these settings is never: with some
ten thousand it does little but collect garbage.
"""
DELETED = "*-delete"
"""How a partition's folder is marked when its topic is deleted."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A target of a run, and its cluster."""

    name: str
    """As given; "#2" behind the second of one name."""
    target: Target
    cluster: Cluster


@contextlib.contextmanager
def opened(names: Sequence[str], more: Mapping[str, str] | None = None) -> Iterator[list[Opened]]:
    """A cluster for each name, in memory, all with `more` settings.

    UnknownTarget, TargetTrouble when one is not to be had.
    """
    with contextlib.ExitStack() as stack:
        found: list[Opened] = []
        for name in names:
            target = resolve(name)
            if (lack := target.lack(ClusterSpec())) is not None:
                raise TargetTrouble(f"--target {lack}")
            cluster = target.open(ClusterSpec(config={**SETTINGS, **(more or {})}, in_memory=True))
            stack.callback(cluster.close)
            number = 1 + sum(one.target.name == name for one in found)
            found.append(Opened(numbered(name, number), target, cluster))
        for one in found:
            barrier = Barrier(one.name, one.cluster.bootstrap)
            barrier.prepare()
            barrier.close()
        yield found


def restart(cluster: Cluster, keep: str) -> None:
    """Stops each node in order and starts it again. HostTrouble when that fails.

    The files of deleted topics are removed in between, but of those whose names begin with `keep`.
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
    """Whether the files of its nodes are in reach."""
    return bool(cluster.nodes) and all(node.data_dir is not None for node in cluster.nodes)
