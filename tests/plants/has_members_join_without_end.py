"""Tells every member to join again.

**Bug** Heartbeat is always answered with REBALANCE_IN_PROGRESS: consumers join again and again, and read nothing.

**Rejected by**
`checks/groups/test_heartbeat.py::test_a_member_before_its_assignment[v0]`: 27 == <ErrorCode.NONE: 0>
`checks/groups/test_heartbeat.py::test_a_stable_member_is_well[v0]`: 27 == <ErrorCode.NONE: 0>
`checks/groups/test_heartbeat.py::test_an_instance_with_another_member_id_is_fenced[v3]`: 27 == <ErrorCode.NONE: 0>
"""

from __future__ import annotations

from dataclasses import replace

from reference_broker.coordinator.shard import Decision
from reference_broker.groups.membership import Membership
from reference_broker.groups.request import RequestContext
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.heartbeat_response import HeartbeatResponse


def plant() -> None:
    """Puts it in."""
    decide = Membership.decide_heartbeat

    def restless(membership: Membership, request: HeartbeatRequest, ctx: RequestContext) -> Decision:
        again = HeartbeatResponse(error_code=ErrorCode.REBALANCE_IN_PROGRESS)
        return replace(decide(membership, request, ctx), response=again)

    Membership.decide_heartbeat = restless
