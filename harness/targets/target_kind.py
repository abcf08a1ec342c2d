"""What the clusters of a target are made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class TargetKind(StrEnum):
    """What the clusters of a target are made of."""

    REFERENCE = "reference"
    """Our broker, also with a planted bug."""
    KAFKA = "kafka"
    """Processes of Apache Kafka on this machine."""
    CONTAINERS = "docker"
    ADDRESS = "at"
    """Whatever answers there."""
    MACHINES = "ssh"
    SIMULATED = "simulated"
    """Our broker's nodes in this process, on virtual time."""
    MIXED = "mixed"
    """Processes of several releases, or of Apache Kafka and our broker, in one cluster."""

    @property
    def applies_at_once(self) -> bool:
        """Whether a change of metadata is in force everywhere when it is answered."""
        return self is TargetKind.REFERENCE

    @property
    def is_ours(self) -> bool:
        """Whether its clusters are started for a run, and go with it."""
        return self not in (TargetKind.ADDRESS, TargetKind.MACHINES)


MIXED_PREFIX: Final = f"{TargetKind.MIXED}:"


def parts_of(name: str) -> list[str]:
    """The names of the targets of which a mixed cluster is made; of any other target, its own."""
    return name.removeprefix(MIXED_PREFIX).split(",") if name.startswith(MIXED_PREFIX) else [name]
