"""Answers with an error where nothing was committed.

**Bug** OffsetFetch gives UNKNOWN_TOPIC_OR_PARTITION instead of -1: a group that is new cannot begin.

**Rejected by**
`checks/groups/test_offset_fetch.py::test_an_unknown_partition[v1--1]`: [(-1, -1, 3)] == [(-1, -1, 0)]
"""

from __future__ import annotations

from reference_broker.groups import offset_requests
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_fetch_response import OffsetFetchResponsePartitions


def plant() -> None:
    """Puts it in."""

    def no_offset(index: int, code: ErrorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) -> OffsetFetchResponsePartitions:
        return OffsetFetchResponsePartitions(partition_index=index, committed_offset=-1, error_code=code)

    offset_requests.no_offset = no_offset
