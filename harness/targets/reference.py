"""The target `reference`: our broker, one process, on a free port, in a temporary folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from harness.targets.local_cluster import LocalCluster, Software, open_local_cluster
from harness.targets.target import PROCESS_FAULTS, ClusterSpec, UnknownTarget

BASELINE = "4.3.1"
_PROFILES = (BASELINE, "4.3")
_ROOT = Path(__file__).resolve().parents[2]


class ReferenceTarget:
    """Our broker as a process (Target)."""

    def __init__(
        self,
        name: str = "reference",
        profile: str | None = None,
        *,
        entry: tuple[str, ...] = (sys.executable, "-m", "reference_broker"),
    ) -> None:
        """`entry` is the command line before `storage` and `start`; variants of the broker have their own."""
        if profile is not None and profile not in _PROFILES:
            raise UnknownTarget(f"--target {name}: the reference answers as {BASELINE} so far (known: reference)")
        self._name = name
        self._entry = entry

    @property
    def name(self) -> str:
        """As given by `--target`."""
        return self._name

    def missing(self, spec: ClusterSpec | None = None) -> str | None:
        """Why it cannot be used here; it needs nothing but this Python."""
        if spec is not None and spec.nodes != 1:
            return f"{self.name}: clusters of {spec.nodes} nodes are not offered yet"
        return None

    def supports(self, fault: str) -> bool:
        """Whether a fault can be brought about on its clusters."""
        return fault in PROCESS_FAULTS

    def open(self, spec: ClusterSpec) -> LocalCluster:
        """A ready cluster. TargetTrouble when it does not come up, with what its log said."""
        return open_local_cluster(self.name, self._software(), spec)

    def _software(self) -> Software:
        entry = list(self._entry)
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        return Software(
            version=BASELINE,
            format_command=lambda properties, cluster_id: [
                *entry,
                "storage",
                "format",
                "-t",
                cluster_id,
                "-c",
                str(properties),
            ],
            start_command=lambda properties: [*entry, "start", str(properties)],
            environment={"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"},
            ready_timeout_s=20.0,
            stop_timeout_s=10.0,
        )
