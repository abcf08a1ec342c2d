"""Takes an ISR without the leader.

**Bug** Who is in the ISR of a change is not compared with who leads.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_an_isr_is_changed_for_the_present_state_only`:
answer to an ISR without the leader
`checks/metadata/test_isr_changes.py::test_a_change_that_does_not_fit_is_refused`:
answer to a change of the ISR with an ISR without the leader
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.metadata.topics import PartitionImage
from reference_broker.wire.messages.alter_partition_request import BrokerState
from reference_broker.wire.primitives import BrokerId
from tests.plants.brokers._isr_changes import Asked, judge_instead


def plant() -> None:
    """Plants it."""

    def with_leader(partition: PartitionImage, asked: Asked) -> Asked:
        if partition.leader in [one.broker_id for one in asked.isr]:
            return asked
        return replace(asked, isr=(*asked.isr, BrokerState(broker_id=BrokerId(partition.leader))))

    judge_instead(with_leader)
