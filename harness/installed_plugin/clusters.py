"""Clusters that other projects' tests use: opened when first asked for, shared within a scope, closed at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Protocol

import pytest

from harness.clients.client import ClientTrouble
from harness.clients.leader_connections import RawAdmin
from harness.hosts.host import HostTrouble
from harness.pytest_plugin.lacking import skip_for
from harness.pytest_plugin.names import Names, run_tag
from harness.targets.readiness import last_lines
from harness.targets.target import Cluster, ClusterSpec, resolve_with_sockets
from nemesis.restore import restore


class KafkaCluster:
    """A running cluster; what `kafka_broker` and `kafka_cluster(…)` give."""

    def __init__(self, cluster: Cluster, target: str, names: Names) -> None:
        self.cluster = cluster
        """The harness's own view of it: its nodes, and what it looks like from outside."""
        self.target = target
        """As given by --kafka-target."""
        self._names = names

    @property
    def bootstrap(self) -> str:
        """bootstrap.servers for clients: host:port,…"""
        return self.cluster.bootstrap

    @property
    def version(self) -> str:
        """The release of Kafka as which it answers: "4.3.1"."""
        return self.cluster.version()

    def new_name(self, label: str = "name") -> str:
        """A name for a topic or a group that no other test uses; it begins with the label."""
        return self._names.group(label)

    def new_topic(
        self, label: str = "topic", *, partitions: int = 1, replicas: int = 1, config: Mapping[str, str] | None = None
    ) -> str:
        """Makes a topic with a name of its own, and gives the name when each partition has a leader. ClientTrouble when
        the cluster refuses."""
        topic = self._names.topic(label)
        with contextlib.closing(RawAdmin(self.bootstrap)) as admin:
            admin.create_topic(topic, partitions, replicas, config)
        return topic

    def logs(self) -> Mapping[str, str]:
        """Each node's log, by a name for it; empty for a cluster that is given by its address."""
        return self.cluster.logs()


class OpensCluster(Protocol):
    """The fixture `kafka_cluster`."""

    def __call__(
        self,
        nodes: int = 1,
        *,
        controllers: int = 0,
        racks: Sequence[str] = (),
        config: Mapping[str, str] | None = None,
    ) -> KafkaCluster:
        """`nodes` brokers; `controllers` nodes more that are controllers only; `racks` in turn; `config` in Kafka's
        keys, on top of the target's own."""
        ...


class Clusters:
    """The open clusters of one scope."""

    def __init__(self, target: str) -> None:
        self._target = resolve_with_sockets(target)
        self._names = Names(run_tag(), "")
        self._open: dict[tuple[object, ...], KafkaCluster] = {}

    def open(
        self,
        nodes: int = 1,
        *,
        controllers: int = 0,
        racks: Sequence[str] = (),
        config: Mapping[str, str] | None = None,
    ) -> KafkaCluster:
        """A healthy cluster, the same for equal requests. Skips where the target cannot have one here; fails with what
        a log said where it does not come up."""
        if nodes < 1 or controllers < 0:
            asked = f"nodes={nodes}, controllers={controllers}"
            pytest.fail(f"kafka_cluster: {asked}: there must be at least 1 node and 0 controllers", pytrace=False)
        spec = ClusterSpec(
            nodes=nodes, controllers=controllers, racks=tuple(racks), config=dict(config or {}), in_memory=True
        )
        found = self._running(spec)
        if found is not None:
            return found
        if (lack := self._target.lack(spec)) is not None:
            skip_for(lack)
        try:
            found = KafkaCluster(self._target.open(spec), self._target.name, self._names)
        except HostTrouble as trouble:
            lines = f"kafka_cluster: {trouble}"
        else:
            self._open[spec.key()] = found
            return found
        pytest.fail(lines, pytrace=False)

    def _running(self, spec: ClusterSpec) -> KafkaCluster | None:
        """The open cluster for a request. Nodes that an earlier test left dead or paused are started or resumed; a
        cluster for which that does not help is closed."""
        found = self._open.get(spec.key())
        if found is None or all(node.is_alive() and not node.is_paused() for node in found.cluster.nodes):
            return found
        try:
            restore(found.cluster)
        except HostTrouble:
            self._open.pop(spec.key()).cluster.close()
            return None
        return found

    def close(self) -> None:
        """Closes them all. Fails where a broker no longer ran although nobody had stopped it."""
        ended = [text for found in self._open.values() for text in _ended(found.cluster)]
        for found in self._open.values():
            if not found.cluster.nodes:  # somebody else's
                self._delete_topics(found)
            found.cluster.close()
        self._open.clear()
        if ended:
            pytest.fail("\n".join(ended), pytrace=False)

    def _delete_topics(self, found: KafkaCluster) -> None:
        with (
            contextlib.suppress(ClientTrouble, OSError),
            contextlib.closing(RawAdmin(found.bootstrap, patience_s=5)) as admin,
        ):
            for topic in self._names.topics:
                admin.delete_topic(topic)


def _ended(cluster: Cluster) -> list[str]:
    """What is told of each node that does not run, although kafka_nemesis starts again what it kills."""
    return [
        f"kafka: node {node.id} at {cluster.bootstrap} ended while the tests ran, and nobody started it again; "
        f"its log ends:\n{last_lines(node.log_text())}"
        for node in cluster.nodes
        if not node.is_alive()
    ]
