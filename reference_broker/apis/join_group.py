"""JoinGroup: become a member of a classic group, or come back for the next generation.

**Promises** The answer comes when the join phase is over: everybody in it has the same generation, protocol and leader,
and the leader knows all members. A static member that comes back to a stable group keeps its place and nobody else
notices (KIP-345).
**Refuses** INVALID_GROUP_ID: an empty id; INVALID_SESSION_TIMEOUT: outside group.min and group.max.session.timeout.ms;
MEMBER_ID_REQUIRED: come back with the id in this answer; UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID: the instance has
another member id by now; INCONSISTENT_GROUP_PROTOCOL: another protocol type, or no protocol that all others speak;
GROUP_MAX_SIZE_REACHED; NOT_COORDINATOR; COORDINATOR_LOAD_IN_PROGRESS.
**Versions** 1 rebalance timeout; 4 member ids are given out first (KIP-394); 5 group.instance.id; 7 protocol type in
the answer, and null for no protocol; 8 a reason, for the log; 9 the leader may be told to skip the assignment
(KIP-814).
**Departs from Kafka** Groups are of the classic type only. Of members that are equal otherwise the one that joined
first leads; Kafka takes the first of a hash map. A protocol that is named twice counts once; Kafka never answers such a
request.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import BrokerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.join_group_request import JoinGroupRequest

API: Final = ApiKey.JOIN_GROUP
VERSIONS: Final = range(10)
LISTENERS: Final = ("broker",)

REFUSAL_VALUES: Final = {"protocol_name": None}


def handle(request: JoinGroupRequest, ctx: BrokerContext) -> Any:
    """Let the coordinator answer when it can."""
    return ctx.groups.join(request, ctx)
