"""Heartbeat: a member is alive.

**Promises** The member's session lasts its timeout from now.
**Refuses** INVALID_GROUP_ID; UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID; ILLEGAL_GENERATION; REBALANCE_IN_PROGRESS: join
again (the session is prolonged all the same); NOT_COORDINATOR; COORDINATOR_NOT_AVAILABLE: what was
decided before is not replicated in time. While groups are loaded nobody is refused.
**Versions** 3 group.instance.id.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import BrokerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest

API: Final = ApiKey.HEARTBEAT
VERSIONS: Final = range(5)
LISTENERS: Final = ("broker",)


def handle(request: HeartbeatRequest, ctx: BrokerContext) -> Any:
    """Prolong the session."""
    return ctx.groups.heartbeat(request, ctx)
