"""AlterPartitionReassignments: move partitions to other replicas, or cancel a move (KIP-455).

**Promises** New replicas are added at once and old ones removed once the new are in sync; until then a move can be
cancelled (null replicas) and be replaced by another. One that needs no new replicas in sync is done at once.
**Refuses** REQUEST_TIMED_OUT: timeout_ms is not above 0. Per partition: UNKNOWN_TOPIC_OR_PARTITION,
INVALID_REPLICA_ASSIGNMENT: no replicas, the same one twice, an unknown broker, or a cancel that would need an unclean
election where the topic allows none, INVALID_REPLICATION_FACTOR: another factor where the request allows none,
NO_REASSIGNMENT_IN_PROGRESS: nothing to cancel.
**Versions** 1 whether the replication factor may change (KIP-860).
**Departs from Kafka** A move that names no new replicas forgets what an earlier one was adding or removing and this one
is not; Kafka keeps waiting for it. A removed replica is never eligible to lead; Kafka keeps it eligible while the ISR
is smaller than min.insync.replicas.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.reassignment import decide_reassignments
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_reassignments_request import AlterPartitionReassignmentsRequest
from reference_broker.wire.refusal_response import refusal_response

API: Final = ApiKey.ALTER_PARTITION_REASSIGNMENTS
VERSIONS: Final = range(2)
LISTENERS: Final = ("broker", "controller")


def handle(request: AlterPartitionReassignmentsRequest, ctx: ControllerContext) -> Any:
    """Decide and commit."""
    return ctx.controller.submit(
        lambda image: decide_reassignments(image, ctx.config, request),
        ctx.now,
        timeout_ms=request.timeout_ms if request.topics else None,
    )


def error_response(
    request: AlterPartitionReassignmentsRequest, version: int, code: ErrorCode, message: str | None
) -> Any:
    """The error of the whole stands beside every partition, too."""
    return refusal_response(request, version, code, message, with_rows=True)
