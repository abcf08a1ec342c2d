"""Refuses to tell the offsets of a group that it does not know.

**Bug** OffsetFetch answers GROUP_ID_NOT_FOUND: a group that is new cannot begin.

**Rejected by**
`checks/groups/test_offset_fetch.py::test_a_member_and_epoch_of_an_unknown_group`:
(69, []) == (<ErrorCode.N... [(0, -1, 0)])
`checks/groups/test_offset_fetch.py::test_all_offsets_of_an_unknown_group[v10]`: (69, []) == (<ErrorCode.NONE: 0>, [])
`checks/groups/test_offset_fetch.py::test_an_unknown_group_has_no_offsets[v10]`: [] == [(0, -1, 0)]
`checks/groups/test_offset_fetch.py::test_an_unknown_topic[v1]`: [] == [(0, -1, 0)]
`checks/groups/test_offset_fetch.py::test_the_empty_name[v1]`: [] == [(0, -1, 0)]
"""

from __future__ import annotations

from typing import Any

from reference_broker.groups.offset_requests import OffsetRequests
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_fetch_response import OffsetFetchResponseGroup


def plant() -> None:
    """Puts it in."""
    fetch = OffsetRequests.fetch

    def strict(offsets: OffsetRequests, request: Any, *, require_stable: bool) -> OffsetFetchResponseGroup:
        if request.group_id not in offsets._groups and not request.group_id.startswith("probe-"):
            return OffsetFetchResponseGroup(group_id=request.group_id, error_code=ErrorCode.GROUP_ID_NOT_FOUND)
        return fetch(offsets, request, require_stable=require_stable)

    OffsetRequests.fetch = strict
