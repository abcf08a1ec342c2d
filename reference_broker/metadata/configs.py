"""The dynamic configurations of topics, brokers, groups and client metrics subscriptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from immutables import Map

from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.metadata_records import VersionedRecord

TOPIC: Final = 2
BROKER: Final = 4
CLIENT_METRICS: Final = 16
GROUP: Final = 32

ConfigResource = tuple[int, str]
"""(resource type, name) of a configuration; the name is empty for all brokers."""

Settings = Mapping[str, str]
NO_SETTINGS: Final[Settings] = {}


@dataclass(frozen=True, slots=True)
class ConfigsImage(Mapping[ConfigResource, Settings]):
    """The resources that have settings of their own; iterated by type and name."""

    by_resource: Map[ConfigResource, Settings] = field(default_factory=Map)

    def __getitem__(self, resource: ConfigResource) -> Settings:
        return self.by_resource[resource]

    def __iter__(self) -> Iterator[ConfigResource]:
        return iter(sorted(self.by_resource))

    def __len__(self) -> int:
        return len(self.by_resource)

    def settings(self, resource_type: int, name: str) -> Settings:
        """The settings of a resource; an empty mapping where it has none."""
        return self.by_resource.get((resource_type, name), NO_SETTINGS)

    def records(self) -> Iterator[VersionedRecord]:
        """The records that make these configurations, for a snapshot."""
        for resource_type, resource_name in self:
            for name, value in self.settings(resource_type, resource_name).items():
                yield (
                    ConfigRecord(resource_type=resource_type, resource_name=resource_name, name=name, value=value),
                    0,
                )


class ConfigChange(NamedTuple):
    """The settings of a resource before and after; empty where there were or are none."""

    before: Settings
    after: Settings


class ConfigsDelta:
    """Changes to configurations. A changed resource's settings are copied once."""

    def __init__(self, before: ConfigsImage) -> None:
        self.before = before
        self._settings: dict[ConfigResource, dict[str, str]] = {}

    def changes(self) -> dict[ConfigResource, ConfigChange]:
        """Changed resources, in the order in which they changed first."""
        return {
            resource: ConfigChange(self.before.settings(*resource), settings)
            for resource, settings in self._settings.items()
        }

    def after(self) -> ConfigsImage:
        """The configurations with all changes made; further changes do not touch it."""
        if not self._settings:
            return self.before
        resources = self.before.by_resource.mutate()
        for resource, settings in self._settings.items():
            if settings:
                resources[resource] = dict(settings)
            else:
                resources.pop(resource, None)
        return ConfigsImage(resources.finish())

    def _own(self, resource: ConfigResource) -> dict[str, str]:
        if resource not in self._settings:
            self._settings[resource] = dict(self.before.settings(*resource))
        return self._settings[resource]

    def replay(self, record: ConfigRecord) -> None:
        """A setting is set, or goes where the record has no value."""
        settings = self._own((record.resource_type, record.resource_name))
        if record.value is None:
            settings.pop(record.name, None)
        else:
            settings[record.name] = record.value

    def remove(self, resource: ConfigResource) -> None:
        """A resource goes, and all its settings."""
        if resource in self._settings or resource in self.before.by_resource:
            self._settings[resource] = {}

    def become(self, target: ConfigsImage) -> Iterator[None]:
        """All that differs from a whole other image, resource by resource."""
        for resource in self.before:
            if resource not in target:
                self.remove(resource)
            yield
        for resource in target:
            if target[resource] != self.before.settings(*resource):
                self._settings[resource] = dict(target[resource])
            yield
