"""The finalized feature levels of the cluster (KIP-584)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reference_broker.releases import KRAFT_VERSION, METADATA_VERSION
from reference_broker.wire.messages.feature_level_record import FeatureLevelRecord
from reference_broker.wire.metadata_records import VersionedRecord

Features = Mapping[str, int]
"""Levels by feature, by name; one at level 0 is not listed."""


def records(features: Features) -> Iterator[VersionedRecord]:
    """The records that make these levels, for a snapshot; metadata.version first, which says how to read the rest."""
    for name in sorted(features, key=lambda name: (name != METADATA_VERSION, name)):
        yield FeatureLevelRecord(name=name, feature_level=features[name]), 0


class FeaturesDelta:
    """Changes to feature levels."""

    def __init__(self, before: Features) -> None:
        self.before = before
        self._levels: dict[str, int] = {}

    def changes(self) -> dict[str, tuple[int, int]]:
        """(before, after) of each changed feature, 0 for one that is not there."""
        return {name: (self.before.get(name, 0), level) for name, level in self._levels.items()}

    def after(self) -> Features:
        """The levels with all changes made."""
        if not self._levels:
            return self.before
        levels = {**self.before, **self._levels}
        return {name: levels[name] for name in sorted(levels) if levels[name]}

    def replay(self, record: FeatureLevelRecord) -> None:
        """A feature has another level; 0 takes it away. That of kraft.version is the quorum's own record (KIP-853)."""
        if record.name != KRAFT_VERSION:
            self._levels[record.name] = record.feature_level

    def become(self, target: Features) -> None:
        """All that differs from other levels."""
        names = sorted({**self.before, **target})
        self._levels = {one: target.get(one, 0) for one in names if target.get(one, 0) != self.before.get(one, 0)}
