"""The target `mixed:TARGET,TARGET,…`: local processes of several releases, or of Apache Kafka and our broker, in one
cluster. Nodes are of the targets in turn. A rolling upgrade stands still in such a cluster, so that it can be checked.

The cluster begins with the features of its oldest release, which all nodes know.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.hosts.lack import Lack, Means
from harness.targets import local_cluster
from harness.targets.kafka_process import KafkaProcessTarget
from harness.targets.local_cluster import LocalCluster, open_local_cluster
from harness.targets.local_node import Software
from harness.targets.reference import ReferenceTarget
from harness.targets.target import ClusterSpec, Target, TargetKind, UnknownTarget

MOST_NODES = 12
Part = ReferenceTarget | KafkaProcessTarget


class MixedTarget:
    """Clusters of nodes that run different software (Target)."""

    def __init__(self, name: str, parts: Sequence[Part]) -> None:
        self._name, self._parts = name, tuple(parts)

    @property
    def name(self) -> str:
        """The name given with `--target`."""
        return self._name

    @property
    def kind(self) -> TargetKind:
        """Processes of several kinds."""
        return TargetKind.MIXED

    @property
    def release(self) -> str | None:
        """None: its nodes are of several."""
        return None

    def lack(self, spec: ClusterSpec | None = None) -> Lack | None:
        """Why it cannot be used here: what its parts lack, or too few nodes for all of them."""
        found = next((lack for part in self._parts if (lack := part.lack()) is not None), None)
        if (found := found or local_cluster.lack_for(spec, most_nodes=MOST_NODES)) is not None:
            return found.of(self.name)
        if spec is not None and spec.nodes + spec.controllers < len(self._parts):
            least = len(self._parts)
            return Lack(Means.NODES, f"{self.name}: at least {least} nodes are needed, one of each: --nodes {least}")
        return None

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected on its clusters; None when they can."""
        is_ours = any(isinstance(part, ReferenceTarget) for part in self._parts)
        found = local_cluster.lack_for_fault(kind, has_link_filters=is_ours)
        return None if found is None else found.of(self.name)

    def open(self, spec: ClusterSpec) -> LocalCluster:
        """Opens a healthy cluster. TargetTrouble, with the end of a log, when it does not start."""
        return open_local_cluster(self.name, self.software(), spec)

    def software(self) -> list[Software]:
        """What runs its nodes, in turn."""
        oldest = min((part.software().version for part in self._parts), key=_numbers)
        # The tools take a line of releases ("4.2"), not a patch of it.
        line = ".".join(oldest.split(".")[:2])
        return [part.software(line) for part in self._parts]


def mixed(name: str, parts: Sequence[Target]) -> MixedTarget:
    """The target of that name. UnknownTarget where a part cannot be a local process, or there is only one."""
    chosen = [part for part in parts if isinstance(part, Part)]
    if len(chosen) != len(parts) or len(parts) < 2:
        raise UnknownTarget(
            f"--target {name}: two or more of kafka@VERSION, reference and reference@PROFILE are needed, "
            f"for instance mixed:kafka@4.2.1,kafka@4.3.1"
        )
    return MixedTarget(name, chosen)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
