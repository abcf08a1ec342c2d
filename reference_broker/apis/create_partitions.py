"""CreatePartitions: more partitions for topics that are there.

**Promises** The new partitions have a leader when the answer says so; validate_only writes nothing.
**Refuses** Per topic: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS: not more than it has,
INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR: more than there are brokers, INVALID_REQUEST: named twice.
POLICY_VIOLATION for all: more than 10,000 partitions asked for (KAFKA-19673). REQUEST_TIMED_OUT for all: timeout_ms is
not above 0.
**Versions** 2 flexible; 3 may answer THROTTLING_QUOTA_EXCEEDED.
**Departs from Kafka** There are no quotas yet. Before 4.4 Kafka answers too many partitions with UNKNOWN_SERVER_ERROR,
by accident. Kafka gives a new partition as many replicas as the first partition has in the order of a hash map, also by
accident; here it is partition 0. They differ only where a reassignment has changed the number for some partitions.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import ControllerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest
from reference_broker.wire.messages.create_partitions_response import (
    CreatePartitionsResponse,
)

API: Final = ApiKey.CREATE_PARTITIONS
VERSIONS: Final = range(4)
LISTENERS: Final = ("broker", "controller")


def handle(request: CreatePartitionsRequest, ctx: ControllerContext) -> CreatePartitionsResponse:
    """Decide and commit."""
    controller = ctx.controller
    response: CreatePartitionsResponse = controller.submit(
        lambda image: controller.topics(image).decide_growth(request),
        ctx.now,
        timeout_ms=request.timeout_ms if request.topics else None,
    )
    return response
