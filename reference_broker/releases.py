"""What a release of Kafka supports and turns on: metadata versions and features (KIP-584, KIP-1022).

Source: recorded from a live, freshly formatted node of each release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

METADATA_VERSION: Final = "metadata.version"
KRAFT_VERSION: Final = "kraft.version"

METADATA_VERSIONS: Final[Mapping[str, int]] = {
    name: 7 + place
    for place, name in enumerate(
        (
            *("3.3-IV3", "3.4-IV0", "3.5-IV0", "3.5-IV1", "3.5-IV2", "3.6-IV0", "3.6-IV1", "3.6-IV2", "3.7-IV0"),
            *("3.7-IV1", "3.7-IV2", "3.7-IV3", "3.7-IV4", "3.8-IV0", "3.9-IV0", "4.0-IV0", "4.0-IV1", "4.0-IV2"),
            *("4.0-IV3", "4.1-IV0", "4.1-IV1", "4.2-IV0", "4.2-IV1", "4.3-IV0", "4.4-IV0", "4.4-IV1", "4.4-IV2"),
        )
    )
}
"""Name of a metadata version -> its feature level."""

FIRST_METADATA_VERSION: Final[Mapping[str, tuple[int, ...]]] = {
    "eligible.leader.replicas.version": (26,),
    "group.version": (22,),
    "share.version": (28,),
    "streams.version": (29,),
    "transaction.version": (24, 24),
}
"""Feature -> the metadata version from which each of its levels 1, 2 ... is on by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release: its metadata version, and the largest level of each other feature it supports (smallest is 0)."""

    name: str
    metadata_version: int
    features: Mapping[str, int]
    apis: Mapping[str, str]
    least_metadata_version: int = 7
    kraft_version: int = 1

    def supported_features(self) -> dict[str, tuple[int, int]]:
        """Feature -> (smallest, largest level), kraft.version and metadata.version among them."""
        levels = {name: (0, level) for name, level in self.features.items()}
        levels[KRAFT_VERSION] = (0, self.kraft_version)
        levels[METADATA_VERSION] = (self.least_metadata_version, self.metadata_version)
        return dict(sorted(levels.items()))

    def advertised(self, kind: str) -> dict[int, range]:
        """API key -> versions that the release advertises on a kind of listener, "broker" or "controller"."""
        rows = (row.replace("-", ":").split(":") for row in self.apis[kind].split())
        return {int(key): range(int(first), int(last) + 1) for key, first, last in rows}

    def default_features(self, metadata_version: int) -> dict[str, int]:
        """What a new cluster of a metadata version finalizes besides it, by name."""
        levels = {
            name: min(sum(first <= metadata_version for first in firsts), self.features.get(name, 0))
            for name, firsts in FIRST_METADATA_VERSION.items()
        }
        return {name: level for name, level in sorted(levels.items()) if level}

    def metadata_version_of(self, text: str) -> int | None:
        """The level that a release version names: `4.3-IV0`, `4.3` or `4.3.1` (its newest); None where unknown."""
        if text in METADATA_VERSIONS:
            level = METADATA_VERSIONS[text]
        else:
            prefix = ".".join(text.split(".")[:2]) + "-IV"
            level = max((level for name, level in METADATA_VERSIONS.items() if name.startswith(prefix)), default=0)
        return level if self.least_metadata_version <= level <= self.metadata_version else None


def metadata_version_name(level: int) -> str:
    """The name of a metadata version's level, e.g. 4.3-IV0."""
    return next((name for name, number in METADATA_VERSIONS.items() if number == level), str(level))


_BASELINE_APIS: Final = {
    "broker": (
        "0:0-13 1:4-18 2:1-11 3:0-13 8:2-10 9:1-10 10:0-6 11:0-9 12:0-4 13:0-5 14:0-5 15:0-6 16:0-5 17:0-1 "
        "18:0-4 19:2-7 20:1-6 21:0-2 22:0-5 23:2-4 24:0-5 25:0-4 26:0-5 27:1-2 28:0-5 29:1-3 30:1-3 31:1-3 "
        "32:1-4 33:0-2 34:1-2 35:1-5 36:0-2 37:0-3 38:1-3 39:1-2 40:1-2 41:1-3 42:0-2 43:0-2 44:0-1 45:0-1 "
        "46:0-0 47:0-0 48:0-1 49:0-1 50:0-0 51:0-0 55:0-2 57:0-2 60:0-2 61:0-0 64:0-0 65:0-0 66:0-2 68:0-1 "
        "69:0-1 74:0-1 75:0-0 76:1-1 77:1-1 78:1-2 79:1-2 80:0-1 81:0-0 83:0-0 84:0-0 85:0-1 86:0-0 87:0-1 "
        "88:0-0 89:0-0 90:0-1 91:0-0 92:0-0"
    ),
    "controller": (
        "1:4-18 17:0-1 18:0-4 19:2-7 20:1-6 29:1-3 30:1-3 31:1-3 32:1-4 33:0-2 36:0-2 37:0-3 38:1-3 39:1-2 "
        "40:1-2 41:1-3 43:0-2 44:0-1 45:0-1 46:0-0 49:0-1 50:0-0 51:0-0 52:0-2 53:0-1 54:0-1 55:0-2 56:2-3 "
        "57:0-2 58:0-0 59:0-1 60:0-2 62:0-4 63:0-2 64:0-0 67:0-0 70:0-0 73:0-0 80:0-1 81:0-0 82:0-0"
    ),
}
"""Kind of listener -> key:first-last version of each API that a 4.3.1 node advertises there."""

BASELINE: Final = Release(
    name="4.3.1",
    metadata_version=METADATA_VERSIONS["4.3-IV0"],
    features={
        "eligible.leader.replicas.version": 1,
        "group.version": 1,
        "share.version": 1,
        "streams.version": 1,
        "transaction.version": 2,
    },
    apis=_BASELINE_APIS,
)

RELEASES: Final[Mapping[str, Release]] = {BASELINE.name: BASELINE}
