"""What a release of Kafka supports, turns on, and does differently from others (KIP-584, KIP-1022).

Source: recorded from live, freshly formatted nodes of each release (release_table.py); behaviours by their KIP or
KAFKA number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from reference_broker.releases import release_table
from reference_broker.releases.behaviours import Behaviour

METADATA_VERSION: Final = "metadata.version"
KRAFT_VERSION: Final = "kraft.version"

METADATA_VERSIONS: Final[Mapping[str, int]] = {
    name: int(level) for level, _, name in (word.partition(":") for word in release_table.METADATA_VERSIONS.split())
}
"""Name of a metadata version -> its feature level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release. `profile` names its line, "4.3"; `name` the patch release whose answers it gives, "4.3.1"."""

    profile: str
    name: str

    @property
    def number(self) -> tuple[int, ...]:
        """(major, minor)."""
        return tuple(int(part) for part in self.profile.split("."))

    def does(self, behaviour: Behaviour) -> bool:
        """Whether the release behaves so."""
        return self.number >= behaviour.value.first

    def supported_features(self) -> dict[str, tuple[int, int]]:
        """Feature -> (smallest, largest level), kraft.version and metadata.version among them."""
        return _ranges(release_table.SUPPORTED_FEATURES[self.profile])

    @property
    def known_features(self) -> tuple[str, ...]:
        """The features beside metadata.version that the release's tools know, sorted."""
        return tuple(release_table.KNOWN_FEATURES[self.profile].split())

    @property
    def newest_metadata_version(self) -> str:
        """The newest metadata version that the release knows, though it may not use it yet."""
        return release_table.NEWEST_METADATA_VERSION[self.profile]

    @property
    def metadata_version(self) -> int:
        """The newest metadata version, which a new cluster gets."""
        return self.supported_features()[METADATA_VERSION][1]

    def advertised(self, kind: str) -> dict[int, range]:
        """API key -> versions that the release advertises on a kind of listener, "broker" or "controller"."""
        table = release_table.BROKER_APIS if kind == "broker" else release_table.CONTROLLER_APIS
        return {int(key): range(first, last + 1) for key, (first, last) in _ranges(table[self.profile]).items()}

    def default_features(self, metadata_version: int) -> dict[str, int]:
        """What a new cluster of a metadata version finalizes besides it, by name."""
        supported = self.supported_features()
        levels = {
            name: min(sum(first <= metadata_version for first in firsts), supported.get(name, (0, 0))[1])
            for name, firsts in release_table.FIRST_METADATA_VERSION.items()
        }
        return {name: level for name, level in sorted(levels.items()) if level}

    def metadata_version_of(self, text: str) -> int | None:
        """The level that a release version names: `4.3-IV0`, `4.3` or `4.3.1` (its newest); None where unknown."""
        if text in METADATA_VERSIONS:
            level = METADATA_VERSIONS[text]
        else:
            prefix = ".".join(text.split(".")[:2]) + "-IV"
            level = max((level for name, level in METADATA_VERSIONS.items() if name.startswith(prefix)), default=0)
        least, most = self.supported_features()[METADATA_VERSION]
        return level if least <= level <= most else None


@cache
def _ranges(words: str) -> dict[str, tuple[int, int]]:
    """name:first-last of each word."""
    found = {}
    for word in words.split():
        name, _, span = word.rpartition(":")
        first, _, last = span.partition("-")
        found[name] = (int(first), int(last))
    return found


def metadata_version_name(level: int) -> str:
    """The name of a metadata version's level, e.g. 4.3-IV0."""
    return next((name for name, number in METADATA_VERSIONS.items() if number == level), str(level))


RELEASES: Final[Mapping[str, Release]] = {
    profile: Release(profile=profile, name=name) for profile, name in release_table.RECORDED.items()
}
"""Profile -> the release, oldest first."""

BASELINE: Final = RELEASES["4.3"]
"""The release that is served where none is asked for."""


def find_release(text: str) -> Release | None:
    """The release that "4.3" or "4.3.1" names; None for one that is not known."""
    return next((one for one in RELEASES.values() if text in (one.profile, one.name)), None)
