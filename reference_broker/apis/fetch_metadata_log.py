"""Fetch, on a controller's listener: replicas of the metadata log follow its leader (KIP-595).

**Promises** A replica gets batches from its fetch offset on, or learns where its log and the leader's part, or which
snapshot it must fetch first; the answer waits for records or a new high watermark up to the request's maximum wait.
**Refuses** At the top: INCONSISTENT_CLUSTER_ID, INVALID_REQUEST: not the metadata log's partition. Per partition:
NOT_LEADER_OR_FOLLOWER: this node does not lead; FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH: another epoch.
**Versions** 12 epochs of what was fetched last; 13 topic ids; 15 the replica's state in a field of its own; 17
directory ids (KIP-853); 18 the replica's high watermark (KIP-1166).
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.fetch_request import FetchRequest

API: Final = ApiKey.FETCH
VERSIONS: Final = range(4, 19)
LISTENERS: Final = ("controller",)


def handle(request: FetchRequest, ctx: ControllerContext) -> Any:
    """The member of the quorum answers."""
    return ctx.quorum.on_fetch(request, ctx.api_version, ctx.listener, ctx.now)
