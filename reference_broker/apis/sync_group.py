"""SyncGroup: the leader gives the assignment of a generation, every member gets its own part.

**Promises** Members wait until the leader's assignment is written; then each gets its part, empty where the leader
named none for it. In a stable group the answer comes at once.
**Refuses** INVALID_GROUP_ID; UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID; ILLEGAL_GENERATION; REBALANCE_IN_PROGRESS: join
again; INCONSISTENT_GROUP_PROTOCOL: not the group's protocol type or name, or none given from version 5 on;
NOT_COORDINATOR; COORDINATOR_LOAD_IN_PROGRESS; COORDINATOR_NOT_AVAILABLE: not replicated in time.
**Versions** 3 group.instance.id; 5 protocol type and name, both ways.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import BrokerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.SYNC_GROUP
VERSIONS: Final = range(6)
LISTENERS: Final = ("broker",)

PROTOCOL_SINCE: Final = 5


def handle(request: SyncGroupRequest, ctx: BrokerContext) -> Any:
    """Let the coordinator answer when it can."""
    if ctx.api_version >= PROTOCOL_SINCE and None in (request.protocol_type, request.protocol_name):
        raise KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    return ctx.groups.sync(request, ctx)
