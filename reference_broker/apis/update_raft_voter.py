"""UpdateRaftVoter: a voter of the metadata quorum tells the leader its endpoints and versions (KIP-853).

**Promises** After the answer without error the voter set in the log names them.
**Refuses** INCONSISTENT_CLUSTER_ID, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH; VOTER_NOT_FOUND;
INVALID_REQUEST: no endpoint on the listener of controllers, or versions that do not include the present one;
REQUEST_TIMED_OUT: another change of the voters is not committed yet.
**Versions** 0 only.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.update_raft_voter_request import UpdateRaftVoterRequest

API: Final = ApiKey.UPDATE_RAFT_VOTER
VERSIONS: Final = range(1)
LISTENERS: Final = ("controller",)


def handle(request: UpdateRaftVoterRequest, ctx: ControllerContext) -> Any:
    """The member of the quorum answers."""
    return ctx.quorum.on_update_raft_voter(request, ctx.listener, ctx.now)
