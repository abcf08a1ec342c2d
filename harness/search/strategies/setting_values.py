"""Values for every setting that Kafka has, from its own table: legal, at the borders, beyond them, of no type. Pure."""

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
"""Type of resource → its table."""
LARGEST: Final[Mapping[str, int]] = {"SHORT": 2**15 - 1, "INT": 2**31 - 1, "LONG": 2**63 - 1}
NOTHING: Final = "~"
NO_NUMBERS: Final = ("", "x", "1.5", "5e3", " 1 ")
NO_TRUTHS: Final = ("TRUE", "yes", "1", "", " true ")
DECIMALS: Final = ("0", "1", "0.5", "-0.1", "1.1", "1e-1", ".5", "0.5f", "NaN", "x", "")
_RANGE: Final = re.compile(r"\[(-?[\d.]+),\.\.\.(?:,(-?[\d.]+))?\]")
_WORDS: Final = re.compile(r"\[([A-Za-z][^\[\]]*)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A setting. `kind` is the name of Kafka's type; `default` None where there is none."""

    name: str
    kind: str
    default: str | None
    valid: str
    is_changeable: bool
    """Of a node's: whether all nodes of a cluster take a change of it while they run."""
    is_per_node: bool
    """Of a node's: whether each node takes a change of its own while it runs."""
    is_internal: bool

    @property
    def limits(self) -> tuple[int, int] | None:
        """(smallest, largest) of a whole number; None for what is none."""
        if self.kind not in LARGEST:
            return None
        largest = LARGEST[self.kind]
        found = _RANGE.match(self.valid)
        low, high = found.groups() if found else (None, None)
        return -largest - 1 if low is None else int(low), largest if high is None else int(high)

    @property
    def words(self) -> tuple[str, ...]:
        """The only texts that are valid; none where any is."""
        found = _WORDS.fullmatch(self.valid)
        return tuple(found.group(1).split(", ")) if found and self.kind in ("STRING", "LIST") else ()


@cache
def rows(resource_type: int) -> Mapping[str, Row]:
    """The settings of a type of resource, by name."""
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
    """What to try: the default, what is just valid, what just is not, and what is no value of the type."""
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
    """Several elements, one of them twice, one empty, one unknown."""
    if row.kind != "LIST":
        return ()
    first, last = (words[0], words[-1]) if words else ("a", "b")
    return (f"{first},{last}", f"{last}, {first}", f"{first},{first}", f"{first},,{last}", f"{first},other")
