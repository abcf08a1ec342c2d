"""The fixture `kafka_nemesis`: faults that a test injects and heals itself; what it leaves is healed at its end."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from types import TracebackType

import pytest

from harness.hosts.host import HostTrouble
from harness.installed_plugin.clusters import KafkaCluster
from harness.pytest_plugin.lacking import skip_for
from harness.targets.target import Cluster
from nemesis.fault import Fault, Troubles
from nemesis.fault_names import fault_named
from nemesis.restore import restore


def fault_by_name(text: str, fixture: str) -> Fault:
    """A new fault. Fails with one line, in which the fixture is named, where there is no such fault."""
    try:
        return fault_named(text)
    except ValueError as trouble:
        lines = f"{fixture}: {trouble}"
    pytest.fail(lines, pytrace=False)


class Injected:
    """A fault that took effect; as a context manager it is healed at the end of its block."""

    def __init__(self, fault: Fault, cluster: Cluster, proof: str) -> None:
        self.fault = fault
        self.proof = proof
        """How it is known that it took effect, as a sentence."""
        self._cluster = cluster
        self._is_healed = False

    def heal(self) -> str:
        """Undoes it and waits until all that it touched is well; what was done. Nothing the second time. HostTrouble
        when it does not become well."""
        if self._is_healed:
            return "healed before"
        done = self.fault.heal(self._cluster)
        self.fault.verify_healed(self._cluster)
        if len(self._cluster.nodes) > 1:
            self._cluster.wait_healthy()
        self._is_healed = True
        return done

    def __enter__(self) -> Injected:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        self.heal()


class KafkaNemesis:
    """Injects faults for one test."""

    def __init__(self, *, broker: Callable[[], KafkaCluster], seed: str) -> None:
        self._broker = broker
        self._chance = Random(seed)
        self._injected: list[Injected] = []
        self._clusters: list[Cluster] = []

    def __call__(
        self, fault: str | Fault, *, cluster: KafkaCluster | None = None, topic: str | None = None
    ) -> Injected:
        """Injects a fault into a cluster (default: `kafka_broker`) and proves that it took effect.

        "kill", "pause leader", "partition:bridge": as `python -m nemesis --list` shows them; or an object:
        `nemesis.kill(nemesis.leader)`. `topic` narrows "leader" and "followers" to its partitions. Skips where the
        cluster cannot have the fault; fails where it takes no effect.
        """
        named = fault_by_name(fault, "kafka_nemesis") if isinstance(fault, str) else fault
        harmed = (cluster or self._broker()).cluster
        if (lack := named.lack(harmed)) is not None:
            skip_for(lack)
        try:
            act = named.plan(harmed.view(None if topic is None else (topic,)), self._chance)
            if harmed not in self._clusters:
                self._clusters.append(harmed)
            injected = Injected(named, harmed, "")
            self._injected.append(injected)
            injected.proof = named.inject(harmed, act)
        except HostTrouble as trouble:
            lines = f"kafka_nemesis: {named.name} could not be injected: {trouble}"
        else:
            return injected
        pytest.fail(lines, pytrace=False)

    def heal_all(self) -> None:
        """Heals what is left, the last first, and verifies that all nodes answer; fails with all that did not help."""
        troubles = Troubles()
        for injected in reversed(self._injected):
            with troubles.collected():
                injected.heal()
        for cluster in self._clusters:
            with troubles.collected():
                restore(cluster)
        if troubles.texts:
            pytest.fail(f"kafka_nemesis: not healed: {'; '.join(dict.fromkeys(troubles.texts))}", pytrace=False)
