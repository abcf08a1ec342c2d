"""Vote: a member of the metadata quorum asks another for its vote, or whether it would get it (KIP-595, KIP-996).

**Promises** A voter gives one vote in an epoch, also after a restart, and only to a candidate whose log is not behind
its own. A pre-vote changes nothing, and is not given while a leader is heard.
**Refuses** At the top: INCONSISTENT_CLUSTER_ID, INVALID_REQUEST: not the metadata log's partition, or an epoch or an
offset that cannot be. Per partition: FENCED_LEADER_EPOCH: an older epoch; INCONSISTENT_VOTER_SET,
INVALID_VOTER_KEY: the request is for another voter or another folder of this one.
**Versions** 1 directory ids (KIP-853); 2 pre-votes.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.vote_request import VoteRequest

API: Final = ApiKey.VOTE
VERSIONS: Final = range(3)
LISTENERS: Final = ("controller",)


def handle(request: VoteRequest, ctx: ControllerContext) -> Any:
    """The member of the quorum answers."""
    return ctx.quorum.on_vote(request, ctx.api_version, ctx.listener, ctx.now)
