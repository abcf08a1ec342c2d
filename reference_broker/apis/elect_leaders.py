"""ElectLeaders: elect the preferred replicas, or any replica where there is no leader (KIP-183, KIP-460).

**Promises** A partition answered without an error is led by its preferred replica, or after an unclean election by some
replica that is alive. A null list of topics stands for all partitions; those that need no election are left out then.
**Refuses** INVALID_REQUEST: an unknown election type. REQUEST_TIMED_OUT: timeout_ms is not above 0. Per
partition: UNKNOWN_TOPIC_OR_PARTITION, ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE: the preferred replica is not
in sync or not alive, ELIGIBLE_LEADERS_NOT_AVAILABLE: no replica is alive.
**Versions** 1 unclean elections; 2 flexible.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.elections import decide_elections
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest
from reference_broker.wire.messages.elect_leaders_response import (
    ElectLeadersResponse,
    PartitionResult,
    ReplicaElectionResult,
)

API: Final = ApiKey.ELECT_LEADERS
VERSIONS: Final = range(3)
LISTENERS: Final = ("broker", "controller")


def handle(request: ElectLeadersRequest, ctx: ControllerContext) -> Any:
    """Decide and commit."""
    is_nothing = request.topic_partitions is not None and not request.topic_partitions
    return ctx.controller.submit(
        lambda image: decide_elections(image, ctx.config, request),
        ctx.now,
        timeout_ms=None if is_nothing else request.timeout_ms,
    )


def error_response(
    request: ElectLeadersRequest, version: int, code: ErrorCode, message: str | None
) -> ElectLeadersResponse:
    """The error of the whole stands at every partition, too: version 0 has no other place for it."""
    results = tuple(
        ReplicaElectionResult(
            topic=topic.topic,
            partition_result=tuple(
                PartitionResult(partition_id=index, error_code=code, error_message=message)
                for index in topic.partitions
            ),
        )
        for topic in request.topic_partitions or ()
    )
    return ElectLeadersResponse(error_code=code if version >= 1 else 0, replica_election_results=results)
