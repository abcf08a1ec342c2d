"""AddRaftVoter: a controller that follows the metadata log becomes a voter of its quorum (KIP-853).

**Promises** After an answer without error the controller votes, and votes for good once the answer waits for the
commit, as it does unless version 1 asks otherwise. The voters change by one at a time.
**Refuses** INCONSISTENT_CLUSTER_ID; NOT_LEADER_OR_FOLLOWER: on a controller's listener, this node does not lead the
quorum; INVALID_REQUEST: a negative id, no directory id, no endpoint on the listener of controllers, or the controller
does not support the quorum's kraft.version; UNSUPPORTED_VERSION: kraft.version is 0, the voters are static;
DUPLICATE_VOTER: a voter has that id; REQUEST_TIMED_OUT: another change is not committed yet, or the controller does not
answer, or it has not caught up with the log, or the change was not committed in time.
**Versions** 1 whether to wait for the commit.
**Departs from Kafka** Every principal may add one: there is no authorizer yet (ALTER of the cluster).
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.add_raft_voter_request import AddRaftVoterRequest

API: Final = ApiKey.ADD_RAFT_VOTER
VERSIONS: Final = range(2)
LISTENERS: Final = ("broker", "controller")


def handle(request: AddRaftVoterRequest, ctx: ControllerContext) -> Any:
    """The member of the quorum answers."""
    return ctx.quorum.on_add_raft_voter(request, ctx.now)
