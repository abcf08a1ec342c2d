"""FindCoordinator: which broker coordinates a group, a transactional id or a share partition.

**Promises** The broker that leads the partition of the internal topic to which the key belongs, with its address on the
listener that was asked on. `__consumer_offsets` is made when somebody first asks for a group.
**Refuses** COORDINATOR_NOT_AVAILABLE: the internal topic was not there (the next question may find it), or the
partition has no leader on this listener; INVALID_REQUEST: a coordinator type that does not exist, or a share
coordinator before version 6 or for a key that is not group:topic id:partition.
**Versions** 1 coordinator types; 4 several keys; 6 share coordinators.
**Departs from Kafka** There are no transaction and share coordinators: COORDINATOR_NOT_AVAILABLE for good, and their
internal topics are not made.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import BrokerContext
from reference_broker.groups.coordinator import TOPIC
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.find_coordinator_response import Coordinator, FindCoordinatorResponse
from reference_broker.wire.primitives import BrokerId, parse_uuid
from reference_broker.wire.refusal import KafkaError
from reference_broker.wire.refusal_response import refusal_response

API: Final = ApiKey.FIND_COORDINATOR
VERSIONS: Final = range(7)
LISTENERS: Final = ("broker",)

GROUP: Final = 0
TRANSACTION: Final = 1
SHARE: Final = 2
SEVERAL_KEYS_SINCE: Final = 4
SHARE_SINCE: Final = 6

NOBODY: Final = (BrokerId(-1), "", -1)
NOWHERE: Final = {"node_id": BrokerId(-1), "port": -1}
STANDARD_TEXTS: Final = {
    ErrorCode.NONE: "NONE",
    ErrorCode.COORDINATOR_NOT_AVAILABLE: "The coordinator is not available.",
    ErrorCode.INVALID_REQUEST: "This most likely occurs because of a request being malformed by the client library or "
    "the message was sent to an incompatible broker. See the broker logs for more details.",
}

Place = tuple[BrokerId, str, int]


def handle(request: FindCoordinatorRequest, ctx: BrokerContext) -> FindCoordinatorResponse:
    """Look the leader up; version 4 and later for each key."""
    if request.key_type not in (GROUP, TRANSACTION, SHARE):
        raise KafkaError(ErrorCode.INVALID_REQUEST, f"Unknown coordinator type received: {request.key_type}")
    if ctx.api_version < SEVERAL_KEYS_SINCE:
        code, (node_id, host, port) = _find(request.key_type, request.key, ctx)
        text = STANDARD_TEXTS[code]
        return FindCoordinatorResponse(error_code=code, error_message=text, node_id=node_id, host=host, port=port)
    coordinators = []
    for key in request.coordinator_keys:
        code, (node_id, host, port) = _find(request.key_type, key, ctx)
        coordinators.append(Coordinator(key=key, error_code=code, node_id=node_id, host=host, port=port))
    return FindCoordinatorResponse(coordinators=tuple(coordinators))


def error_response(
    request: FindCoordinatorRequest, version: int, code: ErrorCode, message: str | None
) -> FindCoordinatorResponse:
    """Unlike others it gives the code's own message, whatever the reason was."""
    text = STANDARD_TEXTS.get(code, message)
    response: FindCoordinatorResponse = refusal_response(request, version, code, text, NOWHERE)
    return response


def _find(key_type: int, key: str, ctx: BrokerContext) -> tuple[ErrorCode, Place]:
    if key_type == SHARE and (ctx.api_version < SHARE_SINCE or not _is_share_key(key)):
        return ErrorCode.INVALID_REQUEST, NOBODY
    if key_type != GROUP:
        return ErrorCode.COORDINATOR_NOT_AVAILABLE, NOBODY
    topic = ctx.image.topics.get(TOPIC)
    if topic is None:
        ctx.broker.topic_creation.ask(TOPIC, ctx.config, ctx.now)
        return ErrorCode.COORDINATOR_NOT_AVAILABLE, NOBODY
    partition = topic.partitions.get(ctx.groups.partition_for(key))
    leader = None if partition is None else ctx.image.brokers.get(partition.leader)
    endpoint = None if leader is None or leader.is_fenced else leader.endpoint(ctx.listener)
    if leader is None or endpoint is None:
        return ErrorCode.COORDINATOR_NOT_AVAILABLE, NOBODY
    host, port = endpoint
    return ErrorCode.NONE, (BrokerId(leader.id), host, port)


def _is_share_key(key: str) -> bool:
    """Whether a key is group:topic id:partition."""
    parts = key.split(":")
    if len(parts) < 3 or not ":".join(parts[:-2]).strip():
        return False
    try:
        int(parts[-1])
        parse_uuid(parts[-2])
    except ValueError:
        return False
    return True
