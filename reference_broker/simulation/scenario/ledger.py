"""What clients were told, and what must be true of it at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Place = tuple[str, int]
"""(topic, partition)."""


@dataclass(slots=True)
class Ledger:
    """Acknowledged values and values that were read, by place and offset; values are unique in a scenario."""

    acknowledged: dict[Place, dict[int, bytes]] = field(default_factory=dict)
    read: dict[Place, dict[int, bytes]] = field(default_factory=dict)
    refused: dict[bytes, None] = field(default_factory=dict)
    """Values that were never appended, as the client was told."""
    wrong: str | None = None

    @property
    def acknowledgements(self) -> int:
        """How many values were acknowledged."""
        return sum(map(len, self.acknowledged.values()))

    def acknowledge(self, place: Place, offset: int, value: bytes) -> None:
        """A producer was told that a value stands at an offset."""
        before = self.acknowledged.setdefault(place, {}).setdefault(offset, value)
        if before != value:
            self._broken(place, offset, f"both {before!r} and {value!r} were acknowledged there")
        self._compare(place, offset)

    def note_read(self, place: Place, offset: int, value: bytes) -> None:
        """A consumer was given a value."""
        before = self.read.setdefault(place, {}).setdefault(offset, value)
        if before != value:
            self._broken(place, offset, f"{before!r} was read there, and then {value!r}")
        self._compare(place, offset)

    def _compare(self, place: Place, offset: int) -> None:
        told, read = self.acknowledged.get(place, {}).get(offset), self.read.get(place, {}).get(offset)
        if told is not None and read is not None and told != read:
            self._broken(place, offset, f"{told!r} was acknowledged there, and {read!r} read")

    def _broken(self, place: Place, offset: int, what: str) -> None:
        if self.wrong is None:
            self.wrong = f"{place[0]}-{place[1]} offset {offset}: {what}"

    def judge(self, final: Mapping[Place, Mapping[int, bytes]]) -> str | None:
        """Compare with the logs at the end, by place and offset; what is broken, or None."""
        for place, values in final.items():
            for kind, told in (("acknowledged", self.acknowledged), ("read", self.read)):
                for offset, value in told.get(place, {}).items():
                    if values.get(offset) != value:
                        self._broken(
                            place, offset, f"{value!r} was {kind}, and in the end there is {values.get(offset)!r}"
                        )
            seen: dict[bytes, int] = {}
            for offset, value in values.items():
                if (first := seen.setdefault(value, offset)) != offset:
                    self._broken(place, offset, f"{value!r} stands there and at {first}, from an idempotent producer")
                if value in self.refused:
                    self._broken(place, offset, f"{value!r} stands there, but its producer was told that it does not")
        return self.wrong
