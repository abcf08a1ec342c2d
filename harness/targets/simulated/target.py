"""The target `simulated`, or `simulated@4.1` for another release's answers: whole reference nodes on virtual time."""

from __future__ import annotations

from typing import Final

from harness.hosts.lack import Lack, Means
from harness.targets.simulated.cluster import SimulatedCluster, lack_for_fault, open_simulated_cluster
from harness.targets.target import ClusterSpec, TargetKind, UnknownTarget
from reference_broker import releases
from reference_broker.releases import RELEASES, find_release

MOST_NODES: Final = 12


class SimulatedTarget:
    """Clusters in this process (Target)."""

    def __init__(self, name: str = "simulated", profile: str | None = None) -> None:
        release = releases.BASELINE if profile is None else find_release(profile)
        if release is None:
            known = ", ".join(f"simulated@{one}" for one in RELEASES)
            raise UnknownTarget(f"--target {name}: unknown profile {profile!r} (known: {known})")
        self._name, self._release = name, release
        self._profile = profile

    @property
    def name(self) -> str:
        """The name given with `--target`."""
        return self._name

    @property
    def kind(self) -> TargetKind:
        """Simulated nodes."""
        return TargetKind.SIMULATED

    @property
    def release(self) -> str:
        """Whose answers it gives: "4.3.1"; of another profile its line, "4.1"."""
        return self._profile or releases.BASELINE.name

    def lack(self, spec: ClusterSpec | None = None) -> Lack | None:
        """Why it cannot be used here; it needs nothing but this Python."""
        if spec is None:
            return None
        wanted = spec.nodes + spec.controllers
        if wanted > MOST_NODES:
            return Lack(Means.NODES, f"{self._name}: {wanted} nodes are needed; it offers at most {MOST_NODES}")
        if spec.small_disk_mb:
            return Lack(Means.FAULTS, f"{self._name}: its nodes have no small disk of their own")
        return None

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected on its clusters; None when they can."""
        found = lack_for_fault(kind)
        return None if found is None else found.of(self._name)

    def open(self, spec: ClusterSpec) -> SimulatedCluster:
        """Opens a healthy cluster. TargetTrouble, with the end of its log, when it does not start."""
        return open_simulated_cluster(self._name, spec, self._release)
