"""Takes a change of the ISR from a follower.

**Bug** AlterPartition may come from any broker.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_an_isr_is_changed_by_the_leader_only`:
answer to a follower that asks for an ISR
`checks/metadata/test_isr_changes.py::test_a_change_that_does_not_fit_is_refused`:
answer to a change of the ISR with a follower's request
"""

from __future__ import annotations

from msgspec.structs import replace

from tests.plants.brokers._isr_changes import judge_instead


def plant() -> None:
    """Plants it."""
    judge_instead(lambda partition, asked: replace(asked, sender=partition.leader))
