"""What DescribeConfigs tells of a resource: each setting, where it comes from, and what would count without it.

Source: KIP-133, KIP-226 (sources, synonyms), KIP-569 (types), KIP-714 and KIP-932 (client metrics, groups).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

from reference_broker.metadata.image import BROKER, CLIENT_METRICS, GROUP, MetadataImage
from reference_broker.metadata.node_config import NodeConfig
from reference_broker.releases.behaviours import Behaviour
from reference_broker.settings.broker_config import text_of
from reference_broker.settings.config_key import ConfigKey, ConfigType, UpdateMode
from reference_broker.settings.config_keys import ConfigKeys, broker_synonyms


class Source(IntEnum):
    """Where a value comes from, as DescribeConfigs numbers it."""

    TOPIC = 1
    DYNAMIC_BROKER = 2
    DYNAMIC_DEFAULT_BROKER = 3
    STATIC_BROKER = 4
    DEFAULT = 5
    DYNAMIC_BROKER_LOGGER = 6
    CLIENT_METRICS = 7
    GROUP = 8


@dataclass(frozen=True, slots=True)
class Synonym:
    """A value that counts, or would if those before it were gone."""

    name: str
    value: str | None
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One setting. `type` 0 is a configuration that Kafka does not know."""

    name: str
    value: str | None
    source: Source
    is_read_only: bool
    is_sensitive: bool
    synonyms: tuple[Synonym, ...]
    type: int


@dataclass(frozen=True, slots=True)
class ConfigDescriptions:
    """Describes the resources of an image, as a node with these settings sees them."""

    image: MetadataImage
    settings: NodeConfig

    @property
    def _keys(self) -> ConfigKeys:
        return self.settings.static.keys

    def topic_entries(self, overrides: Mapping[str, str], *, is_literal: bool = False) -> list[Entry]:
        """A topic's settings, by name; overrides as they were written where `is_literal`."""
        config = self.settings.current
        entries = []
        for key in self._keys.topic.values():
            if key.is_internal:
                continue
            text = overrides.get(key.name)
            value = (
                text
                if is_literal and text is not None
                else normal(key, config.topic_default(key) if text is None else text)
            )
            synonyms = self._broker_chain(key.synonyms[0].name) if key.synonyms else ()
            if text is not None:
                synonyms = (Synonym(key.name, value, Source.TOPIC), *synonyms)
            entries.append(_entry(key, value, synonyms, is_read_only=False))
        return entries

    def broker_entries(self) -> list[Entry]:
        """All of this broker's settings, by name."""
        config = self.settings.current
        # Internal ones are told where the file sets them.
        names = [key.name for key in self._keys.broker.values() if not key.is_internal or key.name in config.originals]
        names += [name for name in config.originals if name not in self._keys.broker]
        dynamic = self.image.config(BROKER, str(config.node_id))
        names += [name for name in dynamic if name not in names]
        return [self._broker_entry(name) for name in names]

    def _broker_entry(self, name: str) -> Entry:
        config = self.settings.current
        key = self._keys.broker.get(self._keys.plain_name(name))
        if name in config.values and key is not None:
            value = text_of(key, config.values[name])
        else:
            layer = self.image.config(BROKER, str(config.node_id))
            value = layer.get(name, config.originals.get(name))
        is_read_only = key is None or key.mode is UpdateMode.READ_ONLY
        return _entry(key, value, self._broker_chain(name), is_read_only=is_read_only, name=name)

    def default_broker_entries(self) -> list[Entry]:
        """The dynamic settings of all brokers."""
        entries = []
        for name, text in self.image.config(BROKER, "").items():
            key = self._keys.broker.get(self._keys.plain_name(name))
            chain = tuple(one for one in self._broker_chain(name) if one.source is Source.DYNAMIC_DEFAULT_BROKER)
            is_read_only = key is None or key.mode is UpdateMode.READ_ONLY
            entries.append(_entry(key, text, chain, is_read_only=is_read_only, name=name))
        return entries

    def group_entries(self, group: str) -> list[Entry]:
        """A group's settings; those that a broker setting stands for begin as that."""
        overrides = self.image.config(GROUP, group)
        is_brokers = self.settings.static.release.does(Behaviour.KAFKA_20289_GROUP_SYNONYMS)
        entries = []
        for key in self._keys.group.values():
            text = overrides.get(key.name)
            if key.is_internal and text is None:
                continue
            default = self._group_default(key)
            chain: tuple[Synonym, ...] = ()
            if is_brokers and key.synonyms:
                chain = self._broker_chain(key.synonyms[0].name)
            elif is_brokers or text is None:
                chain = (Synonym(key.name, default, Source.DEFAULT),)
            if text is not None:
                chain = (Synonym(key.name, text, Source.GROUP), *chain)
            entries.append(_entry(key, default if text is None else text, chain, is_read_only=False))
        return entries

    def _group_default(self, key: ConfigKey) -> str | None:
        """What a group without the setting has: the broker's, the first of a list of the broker's, or the default."""
        name = key.synonyms[0].name if key.synonyms else f"group.{key.name}"
        known = self._keys.broker.get(name)
        if known is None:
            return key.default
        value = self.settings.current.values[name]
        if isinstance(value, tuple) and key.type is not ConfigType.LIST:
            return value[0] if value else None
        return text_of(known, value)

    def client_metrics_entries(self, subscription: str) -> list[Entry]:
        """A client metrics subscription's settings (KIP-714)."""
        overrides = self.image.config(CLIENT_METRICS, subscription)
        is_whole = self.settings.static.release.does(Behaviour.KAFKA_17516_METRICS_DEFAULTS)
        entries = []
        for key in self._keys.client_metrics.values():
            text = overrides.get(key.name)
            value = key.default or "" if text is None else normal(key, text) or ""
            chain = () if text is None else (Synonym(key.name, value, Source.CLIENT_METRICS),)
            entry = _entry(key, value, chain, is_read_only=False)
            if is_whole:
                entries.append(entry)
            elif text is not None:
                entries.append(replace(entry, type=0, synonyms=()))
        return entries

    def _broker_chain(self, name: str) -> tuple[Synonym, ...]:
        """A broker setting's values by precedence: own dynamic, cluster's dynamic, file, default."""
        static = self.settings.static
        names = (
            broker_synonyms(name)
            if name in self._keys.broker
            else tuple(dict.fromkeys((name, self._keys.plain_name(name))))
        )
        defaults = {
            key.name: text
            for key in (self._keys.broker.get(one) for one in names)
            if key is not None and (text := key.default) is not None
        }
        layers: Iterable[tuple[Mapping[str, str], Source]] = (
            (self.image.config(BROKER, str(static.node_id)), Source.DYNAMIC_BROKER),
            (self.image.config(BROKER, ""), Source.DYNAMIC_DEFAULT_BROKER),
            (static.originals, Source.STATIC_BROKER),
            (defaults, Source.DEFAULT),
        )
        known = self._keys.broker.get(self._keys.plain_name(name))
        is_sensitive = known is None or known.type is ConfigType.PASSWORD
        found = [
            Synonym(one, None if is_sensitive else layer[one], source)
            for layer, source in layers
            for one in names
            if one in layer
        ]
        while found and found[0].name != name:
            found.pop(0)
        return tuple(found)


def normal(key: ConfigKey, text: str) -> str | None:
    """A text as Kafka prints the value it stands for."""
    return text_of(key, key.parse(text))


def _entry(
    key: ConfigKey | None, value: str | None, synonyms: tuple[Synonym, ...], *, is_read_only: bool, name: str = ""
) -> Entry:
    is_sensitive = key is None or key.type is ConfigType.PASSWORD
    return Entry(
        name=name or (key.name if key is not None else ""),
        value=None if is_sensitive else value,
        source=synonyms[0].source if synonyms else Source.DEFAULT,
        is_read_only=is_read_only,
        is_sensitive=is_sensitive,
        synonyms=synonyms,
        type=0 if key is None else int(key.type),
    )
