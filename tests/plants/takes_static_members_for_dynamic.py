"""Takes static members for dynamic ones.

**Bug** The instance id of a member is dropped when it joins: every restart of a consumer is a rebalance for all
(KIP-345).

**Rejected by**
`checks/groups/test_describe_groups.py::test_instances_are_told[v4]`: [] == ['i1']
`checks/groups/test_join_group.py::test_a_static_member_joins_at_once[v5]`: (79, -1) == (<ErrorCode.NONE: 0>, 1)
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.coordinator.shard import Decision
from reference_broker.groups.joining import Joining
from reference_broker.groups.request import RequestContext
from reference_broker.wire.messages.join_group_request import JoinGroupRequest


def plant() -> None:
    """Puts it in."""
    decide = Joining.decide

    def blind(joining: Joining, request: JoinGroupRequest, ctx: RequestContext) -> Decision:
        return decide(joining, replace(request, group_instance_id=None), ctx)

    Joining.decide = blind
