"""FetchSnapshot: a replica of the metadata log that has fallen behind the log's start gets a snapshot, part by part
(KIP-630).

**Promises** The parts from position 0 on, put together, are the snapshot of the leader.
**Refuses** At the top: INCONSISTENT_CLUSTER_ID. Per partition: UNKNOWN_TOPIC_OR_PARTITION: not the metadata log;
SNAPSHOT_NOT_FOUND: there is no such snapshot; POSITION_OUT_OF_RANGE: behind its end; NOT_LEADER_OR_FOLLOWER: this node
does not lead; FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH: another epoch.
**Versions** 1 directory ids and endpoints (KIP-853).
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.fetch_snapshot_request import FetchSnapshotRequest

API: Final = ApiKey.FETCH_SNAPSHOT
VERSIONS: Final = range(2)
LISTENERS: Final = ("controller",)


def handle(request: FetchSnapshotRequest, ctx: ControllerContext) -> Any:
    """The member of the quorum answers."""
    return ctx.quorum.on_fetch_snapshot(request, ctx.api_version, ctx.listener, ctx.now)
