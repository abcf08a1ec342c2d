"""Tells no producers for a partition that it does not have.

**Bug** DescribeProducers answers as for an empty partition.

**Rejected by**
`checks/protocol/test_refusals_among_brokers.py::test_producers_of_a_partition_elsewhere`:
answer of a broker that has no replica
"""

from __future__ import annotations

from reference_broker.apis import describe_producers
from reference_broker.apis.context import BrokerContext
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_producers_response import PartitionResponse


def plant() -> None:
    """Plants it."""
    plain = describe_producers._described

    def described(topic: str, index: int, ctx: BrokerContext) -> PartitionResponse:
        found = plain(topic, index, ctx)
        is_elsewhere = found.error_code == ErrorCode.NOT_LEADER_OR_FOLLOWER
        return PartitionResponse(partition_index=index) if is_elsewhere else found

    describe_producers._described = described
