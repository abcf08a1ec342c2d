"""Values for every Kafka config, from its config tables: valid, at and beyond the limits, of the wrong type. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from reference_broker.settings import config_table
from reference_broker.settings.config_key import ConfigKey, ConfigType, UpdateMode
from reference_broker.settings.validators import OffsetReset, OneOf, Range

TOPIC: Final = 2
BROKER: Final = 4
CLIENT_METRICS: Final = 16
GROUP: Final = 32

TABLES: Final[Mapping[int, Sequence[ConfigKey]]] = {
    TOPIC: config_table.TOPIC,
    BROKER: config_table.BROKER,
    CLIENT_METRICS: config_table.CLIENT_METRICS,
    GROUP: config_table.GROUP,
}
"""Resource type → its config table."""
LARGEST: Final[Mapping[str, int]] = {"SHORT": 2**15 - 1, "INT": 2**31 - 1, "LONG": 2**63 - 1}
NO_NUMBERS: Final = ("", "x", "1.5", "5e3", " 1 ")
NO_TRUTHS: Final = ("TRUE", "yes", "1", "", " true ")
DECIMALS: Final = ("0", "1", "0.5", "-0.1", "1.1", "1e-1", ".5", "0.5f", "NaN", "x", "")


@dataclass(frozen=True, slots=True)
class Row:
    """A config of the table, as a generator of values sees it."""

    key: ConfigKey

    @property
    def name(self) -> str:
        """Its name."""
        return self.key.name

    @property
    def kind(self) -> str:
        """The name of its ConfigDef type."""
        return self.key.type.name

    @property
    def default(self) -> str | None:
        """Its default; None if there is none."""
        return self.key.default

    @property
    def is_changeable(self) -> bool:
        """For a broker config: whether it is dynamic and can be changed cluster-wide."""
        return self.key.mode is UpdateMode.CLUSTER_WIDE

    @property
    def is_per_node(self) -> bool:
        """For a broker config: whether it is dynamic, but only per broker."""
        return self.key.mode is UpdateMode.PER_BROKER

    @property
    def is_internal(self) -> bool:
        """Whether Kafka's documentation leaves it out."""
        return self.key.is_internal

    @property
    def limits(self) -> tuple[int, int] | None:
        """(smallest, largest) valid value of an integer config; None for other types."""
        if self.kind not in LARGEST:
            return None
        largest, valid = LARGEST[self.kind], self.key.valid
        low, high = (valid.low, valid.high) if isinstance(valid, Range) else (None, None)
        return -largest - 1 if low is None else int(low), largest if high is None else int(high)

    @property
    def may_be_minus_one(self) -> bool:
        """Whether -1 is valid beside the limits."""
        return isinstance(self.key.valid, Range) and self.key.valid.or_minus_one

    @property
    def words(self) -> tuple[str, ...]:
        """The valid values of a string or list config; empty if any value is valid."""
        valid = self.key.valid
        if isinstance(valid, OffsetReset):
            return ("latest", "earliest", "by_duration:PnDTnHnMn.nS")
        return valid.words if isinstance(valid, OneOf) and self.key.type in (ConfigType.STRING, ConfigType.LIST) else ()


@cache
def rows(resource_type: int) -> Mapping[str, Row]:
    """The configs of a resource type, by name."""
    return {key.name: Row(key) for key in TABLES[resource_type]}


def values_of(row: Row) -> tuple[str | None, ...]:
    """Values to try: the default, values at and just beyond the limits, and values of the wrong type."""
    limits, largest = row.limits, LARGEST.get(row.kind, 0)
    if limits is not None:
        low, high = limits
        numbers = (low, low - 1, low + 1, high, high + 1, largest, largest + 1, 0, -1, -2)
        texts = (*map(str, dict.fromkeys(numbers)), *NO_NUMBERS)
    elif row.kind == "DOUBLE":
        texts = DECIMALS
    elif row.kind == "BOOLEAN":
        texts = ("true", "false", *NO_TRUTHS)
    else:
        words = row.words
        texts = (*words, *(word.swapcase() for word in words[:1]), "", " ", "other", *_lists(row, words))
    return (row.default, *texts)


def _lists(row: Row, words: tuple[str, ...]) -> tuple[str, ...]:
    """List values with several elements: valid ones, and with a duplicate, empty or unknown element."""
    if row.kind != "LIST":
        return ()
    first, last = (words[0], words[-1]) if words else ("a", "b")
    return (f"{first},{last}", f"{last}, {first}", f"{first},{first}", f"{first},,{last}", f"{first},other")
