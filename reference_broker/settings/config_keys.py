"""Every setting that a release knows, by what it is a setting of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from reference_broker.releases import Release
from reference_broker.releases.behaviours import Behaviour
from reference_broker.settings import config_table
from reference_broker.settings.config_key import ConfigKey, ConfigType
from reference_broker.settings.release_changes import CHANGES


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigKeys:
    """Every configuration that a release knows, by name."""

    broker: Mapping[str, ConfigKey]
    topic: Mapping[str, ConfigKey]
    group: Mapping[str, ConfigKey]
    client_metrics: Mapping[str, ConfigKey]

    def plain_name(self, name: str) -> str:
        """A broker configuration's name without its prefix (`listener.name.internal.ssl.keystore.location`)."""
        if not name.startswith("listener.name."):
            return name
        rest = name[len("listener.name.") :].partition(".")[2]
        for suffix in (rest, rest.partition(".")[2]):
            if suffix in self.broker:
                return suffix
        return rest


@cache
def config_keys(release: Release) -> ConfigKeys:
    """The configurations of a release."""
    return ConfigKeys(
        broker=_keys_of(release, "broker", config_table.BROKER),
        topic=_keys_of(release, "topic", config_table.TOPIC),
        group=_keys_of(release, "group", config_table.GROUP),
        client_metrics=_keys_of(release, "client-metrics", config_table.CLIENT_METRICS),
    )


_UNCHECKED_LISTS: Final = ("config.providers",)
_NEVER_EMPTY: Final = ("controller.listener.names", "listeners", "log.dir", "log.dirs", "process.roles")


def _keys_of(release: Release, scope: str, table: Sequence[ConfigKey]) -> Mapping[str, ConfigKey]:
    """The baseline's keys with a release's changes, by name."""
    keys = {key.name: key for key in table}
    removed, changed = CHANGES.get(release.profile, {}).get(scope, ((), ()))
    for name in removed:
        del keys[name]
    keys |= {key.name: key for key in changed}
    is_short = release.does(Behaviour.KIP_1161_SHORT_LISTS)
    refuses = scope == "broker" and release.does(Behaviour.KAFKA_19875_DUPLICATES_REFUSED)
    return {name: _with_list_rules(keys[name], is_short=is_short, refuses=refuses) for name in sorted(keys)}


def _with_list_rules(key: ConfigKey, *, is_short: bool, refuses: bool) -> ConfigKey:
    if key.type is not ConfigType.LIST or key.name in _UNCHECKED_LISTS or not is_short:
        return key
    never_empty = key.name in _NEVER_EMPTY
    return replace(key, is_short_list=True, refuses_duplicates=refuses, refuses_empty=never_empty)


# Pairs of one broker setting in two units, the first to be asked first.
BROKER_SYNONYMS: Final = (
    ("log.roll.ms", "log.roll.hours"),
    ("log.roll.jitter.ms", "log.roll.jitter.hours"),
    ("log.flush.interval.ms", "log.flush.scheduler.interval.ms"),
    ("log.retention.ms", "log.retention.minutes", "log.retention.hours"),
)


def broker_synonyms(name: str) -> tuple[str, ...]:
    """The broker configurations that answer for one, in the order in which they are asked."""
    for names in BROKER_SYNONYMS:
        if name in names:
            is_one_sided = name == "log.flush.scheduler.interval.ms"
            return (name,) if is_one_sided else names
    return (name,)
