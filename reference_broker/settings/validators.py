"""What a setting's value must be: each kind of rule as an object, with Kafka's words for its refusal.

Source: Kafka documentation, "Configuration", valid values; messages as the 4.3.1 broker gives them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol

Value = bool | int | float | str | tuple[str, ...] | None

_THROTTLED: Final = re.compile(r"\*|(\d+:\d+)(,\d+:\d+)*|")
_DURATION: Final = re.compile(r"by_duration:-?P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")


class ConfigInvalid(Exception):
    """A configuration that cannot be: the text names key, value and reason, in Kafka's words."""

    @classmethod
    def value(cls, name: str, value: object, reason: str) -> ConfigInvalid:
        """Of a value that does not fit its key."""
        return cls(f"Invalid value {'null' if value is None else value} for configuration {name}: {reason}")


class Validator(Protocol):
    """A rule for a value of the right type."""

    def check(self, name: str, value: Value) -> None:
        """ConfigInvalid where the setting `name` cannot have the value."""


@dataclass(frozen=True, slots=True)
class Anything:
    """No rule."""

    def check(self, name: str, value: Value) -> None:
        """Every value is valid."""


@dataclass(frozen=True, slots=True)
class Range:
    """A number within limits, both included; None is no limit. `or_minus_one` also allows -1."""

    low: float
    high: float | None = None
    or_minus_one: bool = False

    def check(self, name: str, value: Value) -> None:
        """ConfigInvalid outside the range."""
        if value is None:
            raise ConfigInvalid.value(name, None, "Value must be non-null")
        if not isinstance(value, (int, float)) or (self.or_minus_one and value == -1):
            return
        is_too_large = self.high is not None and value > self.high
        if self.or_minus_one and (value < self.low or is_too_large):
            text = f"Value must be between {self.low} and {self.high} or equal to -1"
            raise ConfigInvalid.value(name, value, text)
        if value < self.low:
            raise ConfigInvalid.value(name, value, f"Value must be at least {self.low}")
        if is_too_large:
            raise ConfigInvalid.value(name, value, f"Value must be no more than {self.high}")


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words; of a list, each of its elements."""

    words: tuple[str, ...]

    def check(self, name: str, value: Value) -> None:
        """ConfigInvalid for another word."""
        for one in value if isinstance(value, tuple) else (value,):
            if one not in self.words:
                raise ConfigInvalid.value(name, one, f"String must be one of: {', '.join(self.words)}")


@dataclass(frozen=True, slots=True)
class OneOfAnyCase:
    """One of some words, in capital or small letters. Not checked here: who uses the setting checks it."""

    words: tuple[str, ...]

    def check(self, name: str, value: Value) -> None:
        """Every value is valid."""


@dataclass(frozen=True, slots=True)
class NonEmpty:
    """A text that is not empty; null is allowed."""

    def check(self, name: str, value: Value) -> None:
        """ConfigInvalid for the empty text."""
        if not value and value is not None:
            raise ConfigInvalid.value(name, value, "String must be non-empty")


@dataclass(frozen=True, slots=True)
class OffsetReset:
    """Where a share group begins (KIP-932): earliest, latest, or `by_duration:` and an ISO 8601 duration.

    `form` is the duration's form as the release describes it.
    """

    form: str = "<PnDTnHnMn.nS>"

    def check(self, name: str, value: Value) -> None:
        """ConfigInvalid for anything else."""
        if value not in ("latest", "earliest") and not _DURATION.fullmatch(str(value)):
            raise ConfigInvalid.value(
                name,
                value,
                f"Invalid value `{value}` for configuration {name}. The value must be either 'earliest', 'latest' "
                f"or of the format 'by_duration:{self.form}'.",
            )


@dataclass(frozen=True, slots=True)
class ThrottledReplicas:
    """All replicas (`*`), or a list of partition:broker (KIP-73)."""

    def check(self, name: str, value: Value) -> None:
        """ConfigInvalid for anything else."""
        if value is None:
            return
        values = value if isinstance(value, tuple) else (str(value),)
        if not _THROTTLED.fullmatch(",".join(values)):
            raise ConfigInvalid.value(
                name,
                "[" + ", ".join(values) + "]",
                f"{name} must be the literal '*' or a list of replicas in the following format: "
                "[partitionId]:[brokerId],[partitionId]:[brokerId],...",
            )


@dataclass(frozen=True, slots=True)
class LoadableClass:
    """The name of a class that a node has here, in name: the defaults."""

    names: tuple[str, ...]

    def check(self, name: str, value: Value) -> None:
        """ConfigInvalid for another class."""
        if value is not None and str(value).strip() not in self.names:
            raise ConfigInvalid.value(name, value, f"Class {value} could not be found.")


ANYTHING: Final = Anything()
NON_EMPTY: Final = NonEmpty()
THROTTLED_REPLICAS: Final = ThrottledReplicas()
