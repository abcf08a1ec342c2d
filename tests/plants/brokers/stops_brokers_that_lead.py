"""Tells a broker to stop while it leads partitions.

**Bug** A controlled shutdown does not move leaderships first.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_a_broker_stops_when_it_leads_nothing`:
a broker is told to stop while it leads a partition
"""

from __future__ import annotations

from reference_broker.controller.leadership import PartitionChanges


def plant() -> None:
    """Plants it."""
    PartitionChanges.is_leader = lambda self, broker_id: False  # type: ignore[method-assign]
