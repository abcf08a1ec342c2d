"""Takes null for no topics.

**Bug** OffsetFetch without a list of topics, which asks for all, is answered with none: tools show groups without
offsets.

**Rejected by**
`checks/groups/test_offset_fetch.py::test_all_offsets_are_told[v10]`: [] == [(0, 42, 0)]
`checks/groups/test_offset_fetch.py::test_several_groups[v8]`: readers', <ErrorCode.NONE: 0>, [(0, 42, 0)])
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.groups.offset_requests import OffsetRequests


def plant() -> None:
    """Puts it in."""
    fetch = OffsetRequests.fetch

    def narrow(offsets: OffsetRequests, request: Any, *, require_stable: bool) -> Any:
        asked = replace(request, topics=()) if request.topics is None else request
        return fetch(offsets, asked, require_stable=require_stable)

    OffsetRequests.fetch = narrow
