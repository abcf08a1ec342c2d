"""Deletes the offsets of all partitions of a topic.

**Bug** OffsetDelete of one partition forgets the others as well.

**Rejected by**
`checks/groups/test_offset_delete.py::test_an_offset_is_deleted`: {0: -1, 1: -1} == {0: -1, 1: 42}
`checks/groups/test_offset_delete.py::test_an_offset_that_is_not_there`: -1 == 42
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.coordinator.shard import Decision
from reference_broker.groups.offset_requests import OffsetRequests
from reference_broker.groups.records import offset_tombstone
from reference_broker.wire.messages.offset_delete_request import OffsetDeleteRequest


def plant() -> None:
    """Puts it in."""
    decide = OffsetRequests.decide_deletion

    def thorough(offsets: OffsetRequests, request: OffsetDeleteRequest) -> Decision:
        decision = decide(offsets, request)
        group_id = request.group_id
        records = [
            offset_tombstone(group_id, topic.name, index)
            for topic in request.topics
            for index in offsets._offsets.of_topic(group_id, topic.name)
        ]
        return Decision(tuple(records), replace(decision.response))

    OffsetRequests.decide_deletion = thorough
