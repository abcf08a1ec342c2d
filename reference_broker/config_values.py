"""What a configuration's text means: its type, its valid values, and Kafka's words when it is wrong.

Source: Kafka documentation, "Configuration"; messages as the 4.3.1 broker gives them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from typing import Final

from reference_broker import config_table
from reference_broker.config_changes import CHANGES
from reference_broker.releases import Release
from reference_broker.releases.behaviours import Behaviour

Value = bool | int | float | str | tuple[str, ...] | None


class ConfigType(IntEnum):
    """A configuration's type; the numbers are those of DescribeConfigs (KIP-569)."""

    BOOLEAN = 1
    STRING = 2
    INT = 3
    SHORT = 4
    LONG = 5
    DOUBLE = 6
    LIST = 7
    CLASS = 8
    PASSWORD = 9


class UpdateMode(StrEnum):
    """How a broker configuration may change while the broker runs (KIP-226)."""

    READ_ONLY = ""
    PER_BROKER = "per-broker"
    CLUSTER_WIDE = "dynamic"


class ConfigInvalid(Exception):
    """A configuration that cannot be: the text names key, value and reason, in Kafka's words."""

    @classmethod
    def value(cls, name: str, value: object, reason: str) -> ConfigInvalid:
        """Of a value that does not fit its key."""
        return cls(f"Invalid value {'null' if value is None else value} for configuration {name}: {reason}")


@dataclass(frozen=True, slots=True)
class Synonym:
    """A broker configuration that gives a topic configuration its default, times `factor` (hours to ms)."""

    name: str
    factor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigKey:
    """One row of the table. `default` is text, None for null; `is_required` where there is none at all."""

    name: str
    type: ConfigType
    default: str | None
    is_required: bool
    valid: str
    mode: UpdateMode
    synonyms: tuple[Synonym, ...]
    is_internal: bool
    is_short_list: bool = True
    """Whether what stands twice in a list counts once, and null and empty elements are refused."""
    refuses_duplicates: bool = False
    """Whether a short list is refused where something stands twice in it."""

    @property
    def lists_replicas(self) -> bool:
        """Whether the value is a list of throttled replicas: those are kept as they were given."""
        return self.valid.startswith("[partitionId]")

    def parse(self, text: str | None) -> Value:
        """The value of a text; ConfigInvalid where it is not of the type or not valid."""
        is_short = self.is_short_list and not self.lists_replicas
        is_cut = is_short and not self.refuses_duplicates
        value = None if text is None else parse_value(self.name, self.type, text, is_short=is_cut)
        check_value(self, value)
        return value


_INT_LIMITS: Final = {ConfigType.INT: 31, ConfigType.SHORT: 15, ConfigType.LONG: 63}
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")


def parse_value(name: str, kind: ConfigType, text: str, *, is_short: bool = True) -> Value:
    """The value of a text; ConfigInvalid where it is not of the type. In a short list nothing stands twice."""
    trimmed = text.strip()
    if kind is ConfigType.BOOLEAN:
        if trimmed.lower() in ("true", "false"):
            return trimmed.lower() == "true"
        raise ConfigInvalid.value(name, text, "Expected value to be either true or false")
    if kind in _INT_LIMITS:
        limit = 1 << _INT_LIMITS[kind]
        if _INTEGER.fullmatch(trimmed) and -limit <= int(trimmed) < limit:
            return int(trimmed)
        raise ConfigInvalid.value(name, text, f"Not a number of type {kind.name}")
    if kind is ConfigType.DOUBLE:
        if not _DOUBLE.fullmatch(trimmed):
            raise ConfigInvalid.value(name, text, "Not a number of type DOUBLE")
        return float(trimmed.rstrip("fFdD"))
    if kind is ConfigType.LIST:
        parts = re.split(r"\s*,\s*", trimmed) if trimmed else []
        return tuple(dict.fromkeys(parts) if is_short else parts)
    if kind is ConfigType.CLASS and trimmed not in _CLASSES:
        raise ConfigInvalid.value(name, text, f"Class {text} could not be found.")
    return trimmed


_CLASSES: Final = frozenset(
    row.split("|")[2]
    for table in (config_table.BROKER, config_table.TOPIC)
    for row in table.splitlines()
    if "|CLASS|" in row
)
"""The classes that a node has here, in name: the defaults."""


_DOUBLE: Final = re.compile(r"[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?)", re.ASCII)
"""A decimal number as Java reads it."""
_RANGE: Final = re.compile(r"\[(-?[\d.]+),\.\.\.(?:,(-?[\d.]+))?\]( or -1)?")
_THROTTLED: Final = re.compile(r"\*|(\d+:\d+)(,\d+:\d+)*|")
_DURATION: Final = re.compile(r"by_duration:-?P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_UNCHECKED_LISTS: Final = ("config.providers",)
_NULLABLE_LISTS: Final = ("advertised.listeners", "early.start.listeners", "log.dirs")


def check_value(key: ConfigKey, value: Value) -> None:
    """ConfigInvalid where a value of the right type is outside what its key takes."""
    limits = _RANGE.fullmatch(key.valid)
    if key.type is ConfigType.LIST:
        _check_list(key, value)
    elif limits is not None:
        _check_range(key.name, value, limits)
    elif key.valid == "non-empty string":
        if not value and value is not None:
            raise ConfigInvalid.value(key.name, value, "String must be non-empty")
    elif key.name == "share.auto.offset.reset":
        dot = "." if key.valid.startswith("[earliest") else ""  # 4.0 names it first, and has a dot too many
        if value not in ("latest", "earliest") and not _DURATION.fullmatch(str(value)):
            raise ConfigInvalid.value(
                key.name,
                value,
                f"Invalid value `{value}` for configuration {key.name}. The value must be either 'earliest', 'latest' "
                f"or of the format 'by_duration:<PnDTnHnMn.nS{dot}>'.",
            )
    elif key.valid.startswith("["):
        allowed = key.valid[1:-1].split(", ")
        if value not in allowed:
            raise ConfigInvalid.value(key.name, value, f"String must be one of: {', '.join(allowed)}")


def _check_range(name: str, value: Value, limits: re.Match[str]) -> None:
    low, high, or_minus_one = limits.groups()
    if value is None:
        raise ConfigInvalid.value(name, None, "Value must be non-null")
    if not isinstance(value, (int, float)) or (or_minus_one and value == -1):
        return
    if or_minus_one and not float(low) <= value <= float(high):
        raise ConfigInvalid.value(name, value, f"Value must be between {low} and {high} or equal to -1")
    if value < float(low):
        raise ConfigInvalid.value(name, value, f"Value must be at least {low}")
    if high is not None and value > float(high):
        raise ConfigInvalid.value(name, value, f"Value must be no more than {high}")


def _check_list(key: ConfigKey, value: Value) -> None:
    if value is None:
        if key.name in _NULLABLE_LISTS or key.default is None or not key.is_short_list:
            return
        raise ConfigInvalid(f"Configuration '{key.name}' values must not be null.")
    values = value if isinstance(value, tuple) else (str(value),)
    if key.lists_replicas:
        if not _THROTTLED.fullmatch(",".join(values)):
            raise ConfigInvalid.value(
                key.name,
                "[" + ", ".join(values) + "]",
                f"{key.name} must be the literal '*' or a list of replicas in the following format: "
                "[partitionId]:[brokerId],[partitionId]:[brokerId],...",
            )
        return
    allowed = key.valid[1:-1].split(", ") if key.valid.startswith("[") else []
    if key.is_short_list and key.refuses_duplicates and len(set(values)) < len(values):
        raise ConfigInvalid(f"Configuration '{key.name}' values must not be duplicated.")
    for one in values:
        if not one and key.is_short_list:
            raise ConfigInvalid(f"Configuration '{key.name}' values must not be empty.")
        if allowed and one not in allowed:
            raise ConfigInvalid.value(key.name, one, f"String must be one of: {', '.join(allowed)}")


def _read(row: str, *, is_short_list: bool, refuses_duplicates: bool) -> ConfigKey:
    name, kind, default, valid, extra, internal, *_ = [*row.split("|"), "", "", "", "", ""]
    is_mode = extra in ("", "per-broker", "dynamic")
    synonyms = () if is_mode else tuple(one.split("*") for one in extra.split(","))
    return ConfigKey(
        name=name,
        type=ConfigType[kind],
        default=None if default in ("~", "!") else default,
        is_required=default == "!",
        valid=valid,
        mode=UpdateMode(extra) if is_mode else UpdateMode.READ_ONLY,
        synonyms=tuple(Synonym(synonym, int(factor)) for synonym, factor in synonyms),
        is_internal=internal == "internal",
        is_short_list=is_short_list,
        refuses_duplicates=refuses_duplicates,
    )


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


def _keys_of(release: Release, scope: str, table: str) -> Mapping[str, ConfigKey]:
    """The baseline's rows with a release's changes, by name."""
    changes = CHANGES.get(release.profile, {}).get(scope, "")
    rows = {row.partition("|")[0]: row for row in table.splitlines()}
    for row in changes.splitlines():
        if row.startswith("-"):
            del rows[row[1:]]
        else:
            rows[row.partition("|")[0]] = row
    is_short = release.does(Behaviour.KIP_1161_SHORT_LISTS)
    refuses = scope == "broker" and release.does(Behaviour.KAFKA_19875_DUPLICATES_REFUSED)
    return {
        name: _read(rows[name], is_short_list=is_short and name not in _UNCHECKED_LISTS, refuses_duplicates=refuses)
        for name in sorted(rows)
    }


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
