"""Deletes offsets of topics that members read.

**Bug** OffsetDelete does not look who is subscribed: the consumers of the topic begin anew at their next rebalance.

**Rejected by**
`checks/groups/test_offset_delete.py::test_a_group_of_another_type_with_members_is_refused`:
0 == <ErrorCode.NON_EMPTY_GROUP: 68>
`checks/groups/test_offset_delete.py::test_a_topic_that_is_read_keeps_its_offsets`:
0 == <ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC: 86>
"""

from __future__ import annotations

from reference_broker.coordinator.shard import Decision
from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.offset_requests import OffsetRequests
from reference_broker.wire.messages.offset_delete_request import OffsetDeleteRequest


def plant() -> None:
    """Puts it in."""
    decide = OffsetRequests.decide_deletion

    def reckless(offsets: OffsetRequests, request: OffsetDeleteRequest) -> Decision:
        is_subscribed, speaks = ClassicGroup.is_subscribed_to, ClassicGroup.speaks_consumer
        ClassicGroup.is_subscribed_to, ClassicGroup.speaks_consumer = lambda group, topic: False, property(bool)
        try:
            return decide(offsets, request)
        finally:
            ClassicGroup.is_subscribed_to, ClassicGroup.speaks_consumer = is_subscribed, speaks

    OffsetRequests.decide_deletion = reckless
