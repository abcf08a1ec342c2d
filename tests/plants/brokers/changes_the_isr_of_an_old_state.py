"""Takes a change of the ISR for an earlier state of the partition.

**Bug** The partition epoch of AlterPartition is not looked at.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_an_isr_is_changed_for_the_present_state_only`:
answer to an ISR with an old partition epoch
`checks/metadata/test_isr_changes.py::test_a_change_that_does_not_fit_is_refused`:
answer to a change of the ISR with an old partition epoch
"""

from __future__ import annotations

from msgspec.structs import replace

from tests.plants.brokers._isr_changes import judge_instead


def plant() -> None:
    """Plants it."""
    judge_instead(
        lambda partition, asked: replace(asked, change=replace(asked.change, partition_epoch=partition.partition_epoch))
    )
