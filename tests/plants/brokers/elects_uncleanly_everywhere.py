"""Holds unclean elections where the topic does not allow them.

**Bug** unclean.leader.election.enable counts as true.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_who_was_not_in_sync_does_not_lead`:
leader when nobody in sync is alive
`python -m harness simulate`: is elected uncleanly in epoch
"""

from __future__ import annotations

from reference_broker.controller.leadership import PartitionChanges


def plant() -> None:
    """Plants it."""
    PartitionChanges.allows_unclean_elections = lambda self, topic: True  # type: ignore[method-assign]
