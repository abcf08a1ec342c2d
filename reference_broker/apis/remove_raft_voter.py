"""RemoveRaftVoter: a voter of the metadata quorum votes no longer; it goes on following the log (KIP-853).

**Promises** After an answer without error the voter has no vote. The quorum's leader may be removed: it resigns once
that is committed. The last voter cannot be removed.
**Refuses** INCONSISTENT_CLUSTER_ID; NOT_LEADER_OR_FOLLOWER: on a controller's listener, this node does not lead the
quorum; INVALID_REQUEST: a negative id, or no directory id; UNSUPPORTED_VERSION: kraft.version is 0, the voters are
static; VOTER_NOT_FOUND: no voter has that id and directory id, or it is the last one; REQUEST_TIMED_OUT: another change
is not committed yet, or this one was not in time.
**Versions** 0 only.
**Departs from Kafka** Every principal may remove one: there is no authorizer yet (ALTER of the cluster).
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.remove_raft_voter_request import RemoveRaftVoterRequest

API: Final = ApiKey.REMOVE_RAFT_VOTER
VERSIONS: Final = range(1)
LISTENERS: Final = ("broker", "controller")


def handle(request: RemoveRaftVoterRequest, ctx: ControllerContext) -> Any:
    """The member of the quorum answers."""
    return ctx.quorum.on_remove_raft_voter(request, ctx.now)
