"""What each release of Kafka advertises and does differently."""

from __future__ import annotations

from reference_broker.releases.release import (
    BASELINE,
    KRAFT_VERSION,
    METADATA_VERSION,
    METADATA_VERSIONS,
    RELEASES,
    Release,
    find_release,
    metadata_version_name,
)

__all__ = [
    "BASELINE",
    "KRAFT_VERSION",
    "METADATA_VERSION",
    "METADATA_VERSIONS",
    "RELEASES",
    "Release",
    "find_release",
    "metadata_version_name",
]
