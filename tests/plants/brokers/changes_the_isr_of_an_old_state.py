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

from reference_broker.controller import alter_partition
from reference_broker.metadata.brokers import BrokersImage
from reference_broker.metadata.topics import PartitionImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_request import BrokerState, PartitionData


def plant() -> None:
    """Plants it."""
    plain = alter_partition._reason_refused

    def refused(
        cluster: BrokersImage,
        partition: PartitionImage | None,
        asked: PartitionData,
        wanted: tuple[BrokerState, ...],
        sender: int,
    ) -> ErrorCode:
        if partition is not None:
            asked = replace(asked, partition_epoch=partition.partition_epoch)
        return plain(cluster, partition, asked, wanted, sender)

    alter_partition._reason_refused = refused
