"""EndQuorumEpoch: a leader of the metadata quorum that resigns tells the voters, in the order of who should follow it
(KIP-595).

**Promises** A voter that hears it stands for election without waiting for its fetch timeout; the first preferred
successor at once, each other a little later.
**Refuses** At the top: INCONSISTENT_CLUSTER_ID, INVALID_REQUEST: not the metadata log's partition, or another leader in
the same epoch. Per partition: FENCED_LEADER_EPOCH: an older epoch; INVALID_VOTER_KEY: for another voter.
**Versions** 1 successors with directory ids, and the leader's endpoints (KIP-853).
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.end_quorum_epoch_request import EndQuorumEpochRequest

API: Final = ApiKey.END_QUORUM_EPOCH
VERSIONS: Final = range(2)
LISTENERS: Final = ("controller",)


def handle(request: EndQuorumEpochRequest, ctx: ControllerContext) -> Any:
    """The member of the quorum answers."""
    return ctx.quorum.on_end_quorum_epoch(request, ctx.api_version, ctx.listener, ctx.now)
