"""CreatePartitions: more partitions for topics that are there.

**Promises** The new partitions have a leader when the answer says so; validate_only writes nothing.
**Refuses** Per topic: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS: not more than it has,
INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR: more than there are brokers, INVALID_REQUEST: named twice,
UNKNOWN_SERVER_ERROR: more than 10,000 partitions asked for.
**Versions** 2 flexible; 3 may answer THROTTLING_QUOTA_EXCEEDED. Kafka 4.4 refuses too many with POLICY_VIOLATION.
**Departs from Kafka** There are no quotas yet.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import Context
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest
from reference_broker.wire.messages.create_partitions_response import (
    CreatePartitionsResponse,
)

API: Final = ApiKey.CREATE_PARTITIONS
VERSIONS: Final = range(4)
LISTENERS: Final = ("broker", "controller")


def handle(request: CreatePartitionsRequest, ctx: Context) -> CreatePartitionsResponse:
    """Decide and commit."""
    controller = ctx.controller
    response: CreatePartitionsResponse = controller.submit(
        lambda image: controller.topics(image).decide_growth(request), ctx.now
    )
    return response
