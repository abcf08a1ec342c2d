"""Maps the unique names of values to the rows of their sends."""

from __future__ import annotations

from array import array

_SPARSE = 4_096
"""Most numbers that a producer may skip at once for its names to be stored compactly."""


class Names:
    """Name of a value → row. Names like "3.1417" (producer, count) take eight bytes each."""

    def __init__(self) -> None:
        self._counted: dict[str, array[int]] = {}
        self._others: dict[str, int] = {}

    def add(self, name: str, row: int) -> bool:
        """Stores the row of a name; returns False if the name already has another one."""
        producer, number = _split(name)
        if number < 0:
            return self._others.setdefault(name, row) == row
        rows = self._counted.get(producer)
        if rows is None:
            rows = self._counted[producer] = array("q")
        missing = number - len(rows)
        if missing > _SPARSE + len(rows):
            return self._others.setdefault(name, row) == row
        if missing < 0:
            if rows[number] >= 0 or name in self._others:
                return False
            rows[number] = row
            return True
        if missing:
            rows.extend(array("q", (-1,)) * missing)
        rows.append(row)
        return True

    def row(self, name: str) -> int:
        """The row of a name; -1 if there is none."""
        producer, number = _split(name)
        if number >= 0:
            rows = self._counted.get(producer)
            if rows is not None and number < len(rows) and rows[number] >= 0:
                return rows[number]
        return self._others.get(name, -1)


def _split(name: str) -> tuple[str, int]:
    """(producer, number) of a counted name; number -1 for any other."""
    producer, _, number = name.partition(".")
    if number.isdigit() and number.isascii() and (number[0] != "0" or number == "0") and len(number) < 12:
        return producer, int(number)
    return name, -1
