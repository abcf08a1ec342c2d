"""Answers the deletion of what is not there as done.

**Bug** OffsetDelete, DeleteRecords and DeleteGroups give no error for topics, partitions and groups that do not exist:
a typing error looks like success.

**Rejected by**
`checks/groups/test_offset_delete.py::test_an_unknown_group_is_refused`: 0 == <ErrorCode.GROUP_ID_NOT_FOUND: 69>
`checks/groups/test_offset_delete.py::test_an_unknown_partition_is_refused`:
0 == <ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: 3>
`checks/groups/test_offset_delete.py::test_an_unknown_topic_is_refused`: 0 == <ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: 3>
`checks/retention/test_delete_records.py::test_an_unknown_partition_is_refused[v0--1]`:
0 == <ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: 3>
`checks/retention/test_delete_records.py::test_an_unknown_topic_is_refused[v0]`:
0 == <ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: 3>
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from reference_broker.apis import delete_records, offset_delete
from reference_broker.coordinator.shard import Decision
from reference_broker.groups.offset_requests import OffsetRequests
from reference_broker.groups.shard import GroupShard
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_delete_response import (
    OffsetDeleteResponse,
    OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
)
from reference_broker.wire.refusal import KafkaError


def plant() -> None:
    """Puts it in."""
    refused, decide, forget = delete_records._refused, GroupShard.decide_deletion, OffsetRequests.decide_deletion

    def pretended(index: int, code: ErrorCode) -> Any:
        return refused(index, ErrorCode.NONE if code is ErrorCode.UNKNOWN_TOPIC_OR_PARTITION else code)

    def done(topic: Any, indexes: Iterable[int]) -> OffsetDeleteResponseTopic:
        parts = tuple(OffsetDeleteResponsePartition(partition_index=index) for index in indexes)
        return OffsetDeleteResponseTopic(name=topic.name, partitions=parts)

    def decided(shard: GroupShard, group_ids: Iterable[Any]) -> Decision:
        decision = decide(shard, group_ids)
        kept = (one for one in decision.response)
        results = [
            replace(one, error_code=0) if one.error_code == ErrorCode.GROUP_ID_NOT_FOUND else one for one in kept
        ]
        return Decision(decision.records, results)

    def forgiving(offsets: OffsetRequests, request: Any) -> Decision:
        try:
            return forget(offsets, request)
        except KafkaError:
            return Decision(response=OffsetDeleteResponse())

    delete_records._refused, offset_delete._refusal, GroupShard.decide_deletion = pretended, done, decided
    OffsetRequests.decide_deletion = forgiving
