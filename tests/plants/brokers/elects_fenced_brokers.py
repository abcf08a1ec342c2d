"""Elects a broker that is fenced.

**Bug** Whether a broker is alive is not looked at when leaders are elected.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_who_is_fenced_is_not_elected`:
answer to an election when no replica is alive
`python -m harness simulate`: which is neither in the ISR
`python -m harness simulate`: which is fenced or stops
"""

from __future__ import annotations

from collections.abc import Callable

from reference_broker.controller.leadership import PartitionChanges
from reference_broker.metadata.topics import PartitionImage


def plant() -> None:
    """Plants it."""

    def acceptance(
        self: PartitionChanges, partition: PartitionImage, arriving: int, departing: int
    ) -> Callable[[int], bool]:
        return lambda replica: replica in partition.replicas

    PartitionChanges._acceptance = acceptance  # type: ignore[method-assign]
