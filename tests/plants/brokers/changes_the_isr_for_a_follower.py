"""Takes a change of the ISR from a follower.

**Bug** AlterPartition may come from any broker.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_an_isr_is_changed_by_the_leader_only`:
answer to a follower that asks for an ISR
`checks/metadata/test_isr_changes.py::test_a_change_that_does_not_fit_is_refused`:
answer to a change of the ISR with a follower's request
"""

from __future__ import annotations

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
        return plain(cluster, partition, asked, wanted, sender if partition is None else partition.leader)

    alter_partition._reason_refused = refused
