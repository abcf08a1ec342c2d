"""Tells for ever how far the quorum was when it was first asked.

**Bug** DescribeQuorum answers from what it knew at first: an operator who waits for a controller to catch up waits for
ever, or takes one away too soon.

**Rejected by**
`checks/metadata/test_describe_quorum.py::test_the_high_watermark_grows_with_what_is_remembered[v2]`:
the metadata log's high watermark grew by 0
"""

from __future__ import annotations

from typing import Any

from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""
    first: dict[int, Any] = {}

    def remembered(request: Any, ctx: Any, usual: Any) -> Any:
        if ctx.api_version not in first:
            first[ctx.api_version] = usual(request, ctx)
        return first[ctx.api_version]

    handle_otherwise("describe_quorum", remembered)
