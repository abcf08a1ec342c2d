"""Says that a leader epoch ended one record before it did.

**Bug** OffsetForLeaderEpoch answers an end that is one too low, so that whoever asks cuts off a record that was
committed. Like KIP-279, where a wrong end let logs part.

**Rejected by**
`checks/protocol/test_leader_epochs.py::test_epochs_after_a_restart`: 1 == 2
`checks/protocol/test_offset_for_leader_epoch.py::test_the_present_epoch_ends_at_the_end`:
(0, 0, 1) == (<ErrorCode.NONE: 0>, 0, 2)
"""

from __future__ import annotations

from reference_broker.replication.partition import Partition


def plant() -> None:
    """Puts it in."""
    end_of_epoch = Partition.end_of_epoch

    def early(partition: Partition, current_epoch: int, epoch: int) -> tuple[int, int]:
        found, end = end_of_epoch(partition, current_epoch, epoch)
        return found, end - 1 if end > 0 else end

    Partition.end_of_epoch = early
