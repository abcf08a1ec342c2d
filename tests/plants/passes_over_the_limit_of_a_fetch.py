"""Gives more in one answer than was asked for.

**Bug** max_bytes counts for nothing: an answer may be as large as all partitions together (KIP-74).

**Rejected by**
`checks/protocol/test_fetch.py::test_a_requests_limit[v4-1]`: 2: [0]} == {0: [], 1: [0], 2: []}
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.plants.differences._answers import handle_otherwise

LIMIT = 50_000_000


def plant() -> None:
    """Puts it in."""
    handle_otherwise("fetch", _generous)


def _generous(request: Any, ctx: Any, usual: Any) -> Any:
    return usual(replace(request, max_bytes=LIMIT), ctx)
