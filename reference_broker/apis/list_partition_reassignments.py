"""ListPartitionReassignments: the moves of partitions that are in progress (KIP-455).

**Promises** A null list of topics stands for all partitions; a partition that is not moving, or not there, is left out.
**Refuses** Nothing.
**Versions** 0 only.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.reassignment import reassignments
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.list_partition_reassignments_request import ListPartitionReassignmentsRequest
from reference_broker.wire.messages.list_partition_reassignments_response import ListPartitionReassignmentsResponse

API: Final = ApiKey.LIST_PARTITION_REASSIGNMENTS
VERSIONS: Final = range(1)
LISTENERS: Final = ("broker", "controller")


def handle(request: ListPartitionReassignmentsRequest, ctx: ControllerContext) -> ListPartitionReassignmentsResponse:
    """As committed."""
    return reassignments(ctx.image, request)
