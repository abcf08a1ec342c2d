"""What a setting is: its name, type, default, the rule for its values, and how it may change.

Source: Kafka documentation, "Configuration"; messages as the 4.3.1 broker gives them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from reference_broker.settings.validators import (
    ANYTHING,
    THROTTLED_REPLICAS,
    ConfigInvalid,
    Validator,
    Value,
)


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


@dataclass(frozen=True, slots=True)
class Synonym:
    """A broker configuration that gives a topic configuration its default, times `factor` (hours to ms)."""

    name: str
    factor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigKey:
    """A setting as Kafka defines it. `default` is text, None for null; `is_required` where there is none at all."""

    name: str
    type: ConfigType
    default: str | None
    valid: Validator = ANYTHING
    is_required: bool = False
    mode: UpdateMode = UpdateMode.READ_ONLY
    synonyms: tuple[Synonym, ...] = ()
    is_internal: bool = False
    is_short_list: bool = False
    """Whether what stands twice in a list counts once, and null and empty elements are refused (KIP-1161)."""
    refuses_duplicates: bool = False
    """Whether a short list is refused where something stands twice in it (KAFKA-19875)."""
    refuses_empty: bool = False
    """Whether a list is refused where nothing stands in it (KIP-1161)."""

    def parse(self, text: str | None) -> Value:
        """The value of a text; ConfigInvalid where it is not of the type or not valid."""
        # A list of throttled replicas is kept as it was given.
        is_cut = self.is_short_list and not self.refuses_duplicates and self.valid is not THROTTLED_REPLICAS
        value = None if text is None else parse_value(self.name, self.type, text, is_short=is_cut)
        if self.type is ConfigType.LIST:
            self._check_list(value)
        else:
            # A class that cannot be loaded is named as it was written.
            self.valid.check(self.name, text if self.type is ConfigType.CLASS else value)
        return value

    def _check_list(self, value: Value) -> None:
        if value is None:
            if self.default is None or not self.is_short_list:
                return
            raise ConfigInvalid(f"Configuration '{self.name}' values must not be null.")
        values = value if isinstance(value, tuple) else (str(value),)
        if self.refuses_empty and not values:
            allowed = "[broker, controller]" if self.name == "process.roles" else "any non-empty value"
            raise ConfigInvalid(f"Configuration '{self.name}' must not be empty. Valid values include: {allowed}")
        if self.valid is THROTTLED_REPLICAS:
            self.valid.check(self.name, values)
            return
        if self.is_short_list and self.refuses_duplicates and len(dict.fromkeys(values)) < len(values):
            raise ConfigInvalid(f"Configuration '{self.name}' values must not be duplicated.")
        for one in values:
            if not one and self.is_short_list:
                raise ConfigInvalid(f"Configuration '{self.name}' values must not be empty.")
            self.valid.check(self.name, one)


_INT_LIMITS: Final = {ConfigType.INT: 31, ConfigType.SHORT: 15, ConfigType.LONG: 63}
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_DOUBLE: Final = re.compile(r"[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?)", re.ASCII)
"""A decimal number as Java reads it."""


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
    return trimmed
