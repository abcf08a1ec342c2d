"""Takes a change of the ISR under an earlier broker epoch.

**Bug** The broker epoch of AlterPartition is not looked at.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_an_isr_is_changed_for_the_present_state_only`:
answer to an ISR with an old broker epoch
`checks/metadata/test_isr_changes.py::test_a_change_that_does_not_fit_is_refused`:
answer to a change of the ISR with an old broker epoch
"""

from __future__ import annotations

from reference_broker.controller import alter_partition


def plant() -> None:
    """Plants it."""
    alter_partition.check_broker_epoch = lambda image, broker_id, epoch: image.cluster.get(broker_id)  # type: ignore[attr-defined]
