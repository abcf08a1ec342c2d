"""Exempts the first batch of each partition from the limits of a fetch.

**Bug** Only the first batch of the whole answer is given whatever the limits are (KIP-74): with a thousand partitions
an answer of at most one kilobyte may have a gigabyte.

**Rejected by**
`checks/protocol/test_fetch.py::test_a_requests_limit[v4-1]`: 2: [0]} == {0: [], 1: [0], 2: []}
"""

from __future__ import annotations

from reference_broker.apis.fetch import _Reading


def plant() -> None:
    """Puts it in."""
    read_one = _Reading._read_one

    def as_the_first(reading: _Reading, *asked: object) -> object:
        reading.size, so_far = 0, reading.size
        found = read_one(reading, *asked)  # type: ignore[arg-type]
        reading.size = so_far
        return found

    _Reading._read_one = as_the_first  # type: ignore[method-assign, assignment]
