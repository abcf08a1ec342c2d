"""Tells members that all is well while their group gathers anew.

**Bug** Heartbeat is answered without REBALANCE_IN_PROGRESS: members do not join again, and are put out when the
rebalance ends.

**Rejected by**
`checks/groups/test_heartbeat.py::test_a_member_learns_that_others_gather`: REBALANCE_IN_PROGRESS
`checks/groups/test_groups_model.py`: The model allows another answer
"""

from __future__ import annotations

from dataclasses import replace

from reference_broker.coordinator.shard import Decision
from reference_broker.groups.membership import Membership
from reference_broker.groups.request import RequestContext
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.heartbeat_response import HeartbeatResponse


def plant() -> None:
    """Puts it in."""
    decide = Membership.decide_heartbeat

    def calm(membership: Membership, request: HeartbeatRequest, ctx: RequestContext) -> Decision:
        return replace(decide(membership, request, ctx), response=HeartbeatResponse())

    Membership.decide_heartbeat = calm
