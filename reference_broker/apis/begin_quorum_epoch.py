"""BeginQuorumEpoch: a new leader of the metadata quorum tells the voters of its epoch (KIP-595).

**Promises** A voter that is answered without error follows the leader of that epoch.
**Refuses** At the top: INCONSISTENT_CLUSTER_ID, INVALID_REQUEST: not the metadata log's partition, or another leader in
the same epoch. Per partition: FENCED_LEADER_EPOCH: an older epoch; INVALID_VOTER_KEY: for another voter.
**Versions** 1 directory ids and the leader's endpoints (KIP-853).
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.begin_quorum_epoch_request import BeginQuorumEpochRequest

API: Final = ApiKey.BEGIN_QUORUM_EPOCH
VERSIONS: Final = range(2)
LISTENERS: Final = ("controller",)


def handle(request: BeginQuorumEpochRequest, ctx: ControllerContext) -> Any:
    """The member of the quorum answers."""
    return ctx.quorum.on_begin_quorum_epoch(request, ctx.api_version, ctx.listener, ctx.now)
