"""Finds no error in a topic id that nobody has.

**Bug** OffsetFetch by id answers -1 for a topic that was deleted: a consumer of the old topic begins anew with the one
that took its name.

**Rejected by**
`checks/groups/test_offset_fetch.py::test_an_unknown_id_is_refused[unknown]`:
[(0, -1, 0)] == [(0, -1, <Err...PIC_ID: 100>)]
"""

from __future__ import annotations

from typing import Any

from reference_broker.apis import offset_fetch
from reference_broker.wire.errors import ErrorCode


def plant() -> None:
    """Puts it in."""
    refusal = offset_fetch._refusal
    offset_fetch._refusal = lambda topic, code: refusal(topic, _milder(code))


def _milder(code: Any) -> ErrorCode:
    return ErrorCode.NONE if code is ErrorCode.UNKNOWN_TOPIC_ID else code
