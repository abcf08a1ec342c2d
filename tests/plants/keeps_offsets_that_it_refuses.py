"""Keeps offsets although it refuses them.

**Bug** OffsetCommit is answered with an error, and written all the same: a consumer that was told to stop has moved its
group.

**Rejected by**
`checks/groups/test_offset_commit.py::test_before_its_assignment_a_member_waits[v2]`: 1 == -1
`checks/groups/test_offset_commit.py::test_metadata_that_are_too_long_are_refused[v2]`: 1 == -1
`checks/groups/test_old_generations_are_fenced.py::test_who_is_no_member_cannot_commit[v2]`: 5 == -1
"""

from __future__ import annotations

from reference_broker.coordinator.shard import Decision
from reference_broker.groups import offset_requests
from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.offset_requests import OffsetRequests
from reference_broker.groups.records import offset_record
from reference_broker.groups.request import RequestContext
from reference_broker.wire.messages.offset_commit_request import OffsetCommitRequest
from reference_broker.wire.refusal import KafkaError
from reference_broker.wire.refusal_response import refusal_response


def plant() -> None:
    """Puts it in."""
    decide = OffsetRequests.decide_commit

    def careless(offsets: OffsetRequests, request: OffsetCommitRequest, ctx: RequestContext) -> Decision:
        records = tuple(
            offset_record(
                request.group_id,
                topic.name,
                one.partition_index,
                offset_requests._commit_value(one, topic.topic_id, ctx.now.wall_ms, -1),
            )
            for topic in request.topics
            for one in topic.partitions
        )
        try:
            return Decision(records, decide(offsets, request, ctx).response)
        except KafkaError as error:
            offsets._groups.setdefault(request.group_id, ClassicGroup(request.group_id, ctx.now.wall_ms))
            return Decision(records, refusal_response(request, ctx.api_version, error.code))

    OffsetRequests.decide_commit = careless
