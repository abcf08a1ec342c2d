"""The two brokers that are measured: the reference, and Apache Kafka as its own start script runs it.

Both run with the same settings, on this machine, at the same time; measurements take turns, so that what else the
machine does falls on both.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.process import cpu_seconds
from harness.hosts.host import HostTrouble
from harness.targets.kafka_process import KafkaProcessTarget
from harness.targets.local_cluster import LocalCluster
from harness.targets.local_node import LocalNode
from harness.targets.reference import ReferenceTarget
from harness.targets.target import ClusterSpec

KAFKA = "4.3.1"
SERVER_OPTIONS = (
    *("-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"),
    *("-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true"),
)
"""The JVM options that kafka-server-start.sh gives a broker."""
SETTINGS = {
    # The harness shortens these for the sake of faults; here they are Kafka's defaults.
    "broker.session.timeout.ms": "9000",
    "broker.heartbeat.interval.ms": "2000",
    "log.retention.check.interval.ms": "300000",
    "log.initial.task.delay.ms": "30000",
    # Deleted topics give their space back before the next measurement.
    "log.segment.delete.delay.ms": "1000",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """One broker that runs."""

    name: str
    cluster: LocalCluster

    @property
    def bootstrap(self) -> str:
        """host:port."""
        return self.cluster.bootstrap

    @property
    def node(self) -> LocalNode:
        """Its one node."""
        return self.cluster.nodes[0]

    @property
    def pid(self) -> int:
        """Its process id. HostTrouble when it has ended."""
        pid = self.node.pid
        if pid is None:
            raise HostTrouble(f"{self.name} has ended; its log ends:\n{self.node.log_text()[-800:]}")
        return pid

    def cpu_seconds(self) -> float:
        """Processor time that its process has used so far."""
        return cpu_seconds(self.pid)


@dataclass(frozen=True, slots=True)
class Subjects:
    """What is measured in this run; Kafka may be missing, with the reason."""

    reference: Subject | None
    kafka: Subject | None
    missing: tuple[str, ...]

    @property
    def present(self) -> tuple[Subject, ...]:
        """Those that run."""
        return tuple(subject for subject in (self.reference, self.kafka) if subject is not None)

    def medians(self, rounds: int, measure: Callable[[Subject], float]) -> tuple[float | None, float | None]:
        """(reference, kafka): the median of several rounds, in turns."""
        taken: dict[str, list[float]] = {"reference": [], "kafka": []}
        for _ in range(rounds):
            for subject in self.present:
                taken[subject.name].append(measure(subject))
        reference, kafka = (statistics.median(taken[name]) if taken[name] else None for name in ("reference", "kafka"))
        return reference, kafka


@contextlib.contextmanager
def opened() -> Iterator[Subjects]:
    """Both brokers, running; closed at the end."""
    missing = []
    with contextlib.ExitStack() as stack:
        found: dict[str, Subject | None] = {"reference": None, "kafka": None}
        targets: tuple[tuple[str, ReferenceTarget | KafkaProcessTarget], ...] = (
            ("reference", ReferenceTarget()),
            ("kafka", KafkaProcessTarget(f"kafka@{KAFKA}", KAFKA, java_options=SERVER_OPTIONS)),
        )
        for name, target in targets:
            try:
                if (lack := target.lack()) is not None:
                    missing.append(f"not measured: {lack}")
                    continue
                cluster = target.open(ClusterSpec(config=SETTINGS))
            except HostTrouble as trouble:
                missing.append(f"not measured: {trouble}")
                continue
            stack.callback(cluster.close)
            found[name] = Subject(name, cluster)
        yield Subjects(found["reference"], found["kafka"], tuple(missing))
