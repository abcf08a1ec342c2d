"""Values for every Kafka config, from its config tables: valid, at and beyond the limits, of the wrong type. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from reference_broker import config_table

TOPIC: Final = 2
BROKER: Final = 4
CLIENT_METRICS: Final = 16
GROUP: Final = 32

TABLES: Final[Mapping[int, str]] = {
    TOPIC: config_table.TOPIC,
    BROKER: config_table.BROKER,
    CLIENT_METRICS: config_table.CLIENT_METRICS,
    GROUP: config_table.GROUP,
}
"""Resource type → its config table."""
LARGEST: Final[Mapping[str, int]] = {"SHORT": 2**15 - 1, "INT": 2**31 - 1, "LONG": 2**63 - 1}
NOTHING: Final = "~"
NO_NUMBERS: Final = ("", "x", "1.5", "5e3", " 1 ")
NO_TRUTHS: Final = ("TRUE", "yes", "1", "", " true ")
DECIMALS: Final = ("0", "1", "0.5", "-0.1", "1.1", "1e-1", ".5", "0.5f", "NaN", "x", "")
_RANGE: Final = re.compile(r"\[(-?[\d.]+),\.\.\.(?:,(-?[\d.]+))?\]")
_WORDS: Final = re.compile(r"\[([A-Za-z][^\[\]]*)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A config. `kind` is the name of its ConfigDef type; `default` is None if there is none."""

    name: str
    kind: str
    default: str | None
    valid: str
    is_changeable: bool
    """For a broker config: whether it is dynamic and can be changed cluster-wide."""
    is_per_node: bool
    """For a broker config: whether it is dynamic, but only per broker."""
    is_internal: bool

    @property
    def limits(self) -> tuple[int, int] | None:
        """(smallest, largest) valid value of an integer config; None for other types."""
        if self.kind not in LARGEST:
            return None
        largest = LARGEST[self.kind]
        found = _RANGE.match(self.valid)
        low, high = found.groups() if found else (None, None)
        return -largest - 1 if low is None else int(low), largest if high is None else int(high)

    @property
    def words(self) -> tuple[str, ...]:
        """The valid values of a string or list config; empty if any value is valid."""
        found = _WORDS.fullmatch(self.valid)
        return tuple(found.group(1).split(", ")) if found and self.kind in ("STRING", "LIST") else ()


@cache
def rows(resource_type: int) -> Mapping[str, Row]:
    """The configs of a resource type, by name."""
    return {row.name: row for row in map(_read, TABLES[resource_type].splitlines())}


def _read(line: str) -> Row:
    name, kind, default, valid, mode, internal, *_ = [*line.split("|"), "", "", "", "", ""]
    return Row(
        name=name,
        kind=kind,
        default=None if default in (NOTHING, "!") else default,
        valid=valid,
        is_changeable=mode == "dynamic",
        is_per_node=mode == "per-broker",
        is_internal=internal == "internal",
    )


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
