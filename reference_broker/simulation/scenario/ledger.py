"""What clients were told, and what must be true of it at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

Place = tuple[str, int]
"""(topic, partition)."""
Told = dict[Place, dict[int, dict[bytes, int]]]
"""Values by place and offset, each with the leader epoch that committed it. Nearly always there is one at an offset."""
AT_THE_END: Final = 1 << 31
"""A leader epoch above all others."""


def _never(place: Place, offset: int, older: int, newer: int) -> bool:
    return False


@dataclass(slots=True)
class Ledger:
    """Acknowledged values and values that were read, by place and offset; values are unique in a scenario.

    `may_lose` says of a place and an offset whether what a leader epoch had there may be gone in a later one: only
    where an unclean election between the two has cut the log at that offset or below.
    """

    may_lose: Callable[[Place, int, int, int], bool] = _never
    acknowledged: Told = field(default_factory=dict)
    read: Told = field(default_factory=dict)
    refused: dict[bytes, None] = field(default_factory=dict)
    """Values that were never appended, as the client was told."""
    ends: dict[Place, int] = field(default_factory=dict)
    """The end of what was acknowledged, by place."""
    acknowledgements: int = 0
    """How many values were acknowledged."""
    wrong: str | None = None

    def acknowledge(self, place: Place, offset: int, value: bytes, epoch: int) -> None:
        """A producer was told that a value stands at an offset, which was committed in a leader epoch."""
        self.acknowledgements += 1
        self.ends[place] = max(self.ends.get(place, 0), offset + 1)
        self._note(self.acknowledged, place, offset, value, epoch, "both {!r} and {!r} were acknowledged there")
        self._compare(place, offset)

    def note_read(self, place: Place, offset: int, value: bytes, epoch: int) -> None:
        """A consumer was given a value, which was committed in a leader epoch."""
        self._note(self.read, place, offset, value, epoch, "{!r} was read there, and then {!r}")
        self._compare(place, offset)

    def _note(self, told: Told, place: Place, offset: int, value: bytes, epoch: int, words: str) -> None:
        at_offset = told.setdefault(place, {}).setdefault(offset, {})
        for before, its_epoch in at_offset.items():
            if before != value and not self._may_both_be(place, offset, its_epoch, epoch):
                self.broken(place, offset, words.format(before, value))
        at_offset[value] = epoch

    def _may_both_be(self, place: Place, offset: int, one: int, other: int) -> bool:
        return self.may_lose(place, offset, min(one, other), max(one, other))

    def _compare(self, place: Place, offset: int) -> None:
        for value, epoch in self.acknowledged.get(place, {}).get(offset, {}).items():
            for read, its_epoch in self.read.get(place, {}).get(offset, {}).items():
                if value != read and not self._may_both_be(place, offset, epoch, its_epoch):
                    self.broken(place, offset, f"{value!r} was acknowledged there, and {read!r} read")

    def broken(self, place: Place, offset: int, what: str) -> None:
        """Something is not as clients were told."""
        self.note_wrong(f"{place[0]}-{place[1]} offset {offset}: {what}")

    def note_wrong(self, what: str) -> None:
        """Only the first that is wrong is kept."""
        if self.wrong is None:
            self.wrong = what

    def judge(self, final: Mapping[Place, Mapping[int, bytes]]) -> str | None:
        """Compare with the logs at the end, by place and offset; what is broken, or None.

        Of values with a '/', what is before it names the producer, and a number after it their order.
        """
        for place, values in final.items():
            for kind, told in (("acknowledged", self.acknowledged), ("read", self.read)):
                for offset, at_offset in told.get(place, {}).items():
                    for value, epoch in at_offset.items():
                        there = values.get(offset)
                        if there != value and not self.may_lose(place, offset, epoch, AT_THE_END):
                            self.broken(place, offset, f"{value!r} was {kind}, and in the end there is {there!r}")
            seen: dict[bytes, int] = {}
            last: dict[bytes, int] = {}
            for offset, value in values.items():
                if (first := seen.setdefault(value, offset)) != offset:
                    self.broken(place, offset, f"{value!r} stands there and at {first}, from an idempotent producer")
                producer, _, number = value.rpartition(b"/")
                if producer:
                    if int(number) < last.get(producer, 0):
                        self.broken(place, offset, f"{value!r} stands there, behind a later one of the same producer")
                    last[producer] = int(number)
                if value in self.refused:
                    self.broken(place, offset, f"{value!r} stands there, but its producer was told that it does not")
        return self.wrong
