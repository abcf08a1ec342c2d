"""Takes an ISR without the leader.

**Bug** Who is in the ISR of a change is not compared with who leads.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_an_isr_is_changed_for_the_present_state_only`:
answer to an ISR without the leader
`checks/metadata/test_isr_changes.py::test_a_change_that_does_not_fit_is_refused`:
answer to a change of the ISR with an ISR without the leader
"""

from __future__ import annotations

from reference_broker.controller import alter_partition
from reference_broker.metadata.brokers import BrokersImage
from reference_broker.metadata.topics import PartitionImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_request import BrokerState, PartitionData
from reference_broker.wire.primitives import BrokerId


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
        if partition is not None and partition.leader not in [one.broker_id for one in wanted]:
            wanted = (*wanted, BrokerState(broker_id=BrokerId(partition.leader)))
        return plain(cluster, partition, asked, wanted, sender)

    alter_partition._reason_refused = refused
