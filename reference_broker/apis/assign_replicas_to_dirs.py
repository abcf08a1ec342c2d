"""AssignReplicasToDirs: a broker says into which of its folders it has put replicas (KIP-858).

**Promises** The metadata names the folder of each replica; a replica in a folder that is not online leads nothing.
**Refuses** STALE_BROKER_EPOCH: the sender is not the registered broker; UNSUPPORTED_VERSION: metadata.version is below
3.7-IV2. Per partition: UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER: the broker is no replica.
**Versions** 0 only.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.log_dirs import decide_assignments
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.assign_replicas_to_dirs_request import AssignReplicasToDirsRequest

API: Final = ApiKey.ASSIGN_REPLICAS_TO_DIRS
VERSIONS: Final = range(1)
LISTENERS: Final = ("controller",)


def handle(request: AssignReplicasToDirsRequest, ctx: ControllerContext) -> Any:
    """Decide and commit."""
    return ctx.controller.submit(lambda image: decide_assignments(image, ctx.config, request), ctx.now)
