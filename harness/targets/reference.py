"""The target `reference`, or `reference@4.1` for another release's answers: our broker, one process a node."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.hosts.lack import Lack
from harness.targets import local_cluster
from harness.targets.local_cluster import LocalCluster, open_local_cluster
from harness.targets.local_node import Software
from harness.targets.target import ClusterSpec, TargetKind, UnknownTarget
from reference_broker import releases
from reference_broker.releases import RELEASES, find_release
from reference_broker.wire.api_keys import APIS

BASELINE = releases.BASELINE.name
"""The release whose answers `reference` gives."""
_MOST_NODES = 12
_ROOT = Path(__file__).resolve().parents[2]


class ReferenceTarget:
    """Our broker, one process a node (Target)."""

    def __init__(
        self,
        name: str = "reference",
        profile: str | None = None,
        *,
        entry: tuple[str, ...] = (sys.executable, "-m", "reference_broker"),
    ) -> None:
        """`entry` is the command line before `storage` and `start`; variants of the broker have their own."""
        release = releases.BASELINE if profile is None else find_release(profile)
        if release is None:
            known = ", ".join(f"reference@{one}" for one in RELEASES)
            raise UnknownTarget(f"--target {name}: unknown profile {profile!r} (known: {known})")
        self._name = name
        self._profile = profile
        self._release = release
        self._entry = entry

    @property
    def name(self) -> str:
        """The name given with `--target`."""
        return self._name

    @property
    def kind(self) -> TargetKind:
        """Our broker."""
        return TargetKind.REFERENCE

    @property
    def release(self) -> str:
        """Whose answers it gives: "4.3.1"; of another profile its line, "4.1"."""
        return self._profile or BASELINE

    def lack(self, spec: ClusterSpec | None = None) -> Lack | None:
        """Why it cannot be used here; it needs nothing but this Python."""
        found = local_cluster.lack_for(spec, most_nodes=_MOST_NODES)
        return None if found is None else found.of(self.name)

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected on its clusters; None when they can."""
        found = local_cluster.lack_for_fault(kind, has_link_filters=True)
        return None if found is None else found.of(self.name)

    def open(self, spec: ClusterSpec) -> LocalCluster:
        """Opens a healthy cluster. TargetTrouble, with the end of its log, when it does not start."""
        return open_local_cluster(self.name, (self.software(),), spec)

    def software(self, metadata_release: str | None = None) -> Software:
        """What runs its nodes; a new cluster begins with the features of `metadata_release`, if that is given."""
        features = [] if metadata_release is None else ["--release-version", metadata_release]
        entry = list(self._entry)
        profile = [] if self._release.name == BASELINE else ["--profile", self._release.profile]
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        return Software(
            version=self._release.name,
            format_command=lambda properties, cluster_id: [
                *entry,
                "storage",
                "format",
                "-t",
                cluster_id,
                "-c",
                str(properties),
                *profile,
                *features,
            ],
            start_command=lambda properties: [*entry, "start", str(properties), *profile],
            link_filter_option="--link-filter",
            environment={"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"},
            ready_timeout_s=20.0,
            stop_timeout_s=10.0,
        )


def refusals() -> dict[str, list[tuple[int, str]]]:
    """Name of an API -> (error code, when) of each refusal that its file in the reference lists in its header."""
    # Imported when asked for: a run that compares nothing needs no broker in this process.
    from reference_broker.apis import catalogue
    from reference_broker.apis.registry import handler_modules

    # Fetch has a file for each kind of listener: clients meet the broker's.
    files = sorted(handler_modules(), key=lambda module: "broker" in module.LISTENERS)
    return {APIS[int(module.API)].name: catalogue.refusals(module) for module in files}


def advertised(release: str) -> dict[int, tuple[int, int]]:
    """API key -> (first, last version) that a release of Kafka lists for clients; empty for one that is not known.

    Patch releases of a line ("4.3.0") list the same. Source: recorded from live nodes of each release.
    """
    found = find_release(release) or find_release(".".join(release.split(".")[:2]))
    if found is None:
        return {}
    return {key: (versions[0], versions[-1]) for key, versions in found.advertised("broker").items()}


def line_that_lists(apis: Mapping[int, tuple[int, int]], features: Mapping[str, tuple[int, int]]) -> str | None:
    """The line of releases, "4.3", that lists exactly these versions of APIs for clients and supports exactly these
    levels of features, both as (first, last); None where none does, or several do. The patch release is not told by it.
    """
    found = [
        release.profile
        for release in RELEASES.values()
        if advertised(release.profile) == apis and release.supported_features() == features
    ]
    return found[0] if len(found) == 1 else None
