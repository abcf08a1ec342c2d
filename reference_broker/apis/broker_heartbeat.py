"""BrokerHeartbeat: a registered broker lives, and says what it wants: to serve, to be fenced, to stop (KIP-631).

**Promises** A broker that has read its own registration and wants to serve is unfenced. One that wants to stop is told
so once it leads nothing and all others have read that. One that is silent for broker.session.timeout.ms is fenced.
**Refuses** STALE_BROKER_EPOCH: the broker is not registered, or under another epoch.
**Versions** 1 offline folders (KIP-858); 2 cordoned folders (KIP-1066).
**Departs from Kafka** A broker that is fenced already is not fenced again in the metadata log.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.heartbeat import decide_heartbeat
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.broker_heartbeat_request import BrokerHeartbeatRequest

API: Final = ApiKey.BROKER_HEARTBEAT
VERSIONS: Final = range(3)
LISTENERS: Final = ("controller",)


def handle(request: BrokerHeartbeatRequest, ctx: ControllerContext) -> Any:
    """Decide and commit."""
    controller = ctx.controller
    return controller.submit(
        lambda image: decide_heartbeat(
            image,
            ctx.config,
            request,
            sessions=controller.sessions,
            next_offset=controller.log.end_offset,
            now=ctx.now,
        ),
        ctx.now,
    )
