"""Takes the offsets of a member whose generation is over.

**Bug** OffsetCommit does not look at the generation: a consumer that was away during a rebalance sets the offsets of
partitions that another one reads now.

**Rejected by**
`checks/groups/test_old_generations_are_fenced.py::test_an_old_generation_cannot_commit[v2]`:
a commit of an old generation was answered with error 0
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.offset_requests import OffsetRequests
from reference_broker.groups.request import RequestContext
from reference_broker.wire.messages.offset_commit_request import OffsetCommitRequest


def plant() -> None:
    """Puts it in."""
    require = OffsetRequests._require_may_commit

    def lenient(requests: OffsetRequests, request: OffsetCommitRequest, ctx: RequestContext) -> ClassicGroup:
        group = requests._groups.get(request.group_id)
        if group is not None and request.generation_id_or_member_epoch >= 0:
            request = replace(request, generation_id_or_member_epoch=group.generation)
        return require(requests, request, ctx)

    OffsetRequests._require_may_commit = lenient
