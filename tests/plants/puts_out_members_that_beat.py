"""Puts members out although they beat.

**Bug** A heartbeat is answered, and prolongs no session: every member is put out in turn.

**Rejected by**
`checks/groups/test_heartbeat.py::test_a_silent_member_is_put_out_and_one_that_beats_stays`: 25 == <ErrorCode.NONE: 0>
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.coordinator.shard import Decision
from reference_broker.groups.membership import Membership
from reference_broker.groups.rebalance import Rebalance
from reference_broker.groups.request import RequestContext
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest


def plant() -> None:
    """Puts it in."""
    decide = Membership.decide_heartbeat

    def deaf(membership: Membership, request: HeartbeatRequest, ctx: RequestContext) -> Decision:
        renew, Rebalance.renew_session = Rebalance.renew_session, lambda *arguments: None
        try:
            return decide(membership, replace(request), ctx)
        finally:
            Rebalance.renew_session = renew

    Membership.decide_heartbeat = deaf
