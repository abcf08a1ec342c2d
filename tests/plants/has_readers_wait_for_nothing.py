"""Has a reader wait although nothing can come that it waits for.

**Bug** A fetch with an error, of no partitions, or that asks for no bytes is answered when max_wait_ms is over.

**Rejected by**
`checks/protocol/test_fetch.py::test_an_error_is_answered_at_once`: pace of the answer: waited, expected: at once
`checks/protocol/test_fetch.py::test_no_partitions`: pace of the answer: waited, expected: at once
`checks/protocol/test_fetch.py::test_no_least_is_answered_at_once[0]`: pace of the answer: waited, expected: at once
"""

from __future__ import annotations

from typing import Any

from reference_broker.waiting import Later
from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""
    handle_otherwise("fetch", _slow)


def _slow(request: Any, ctx: Any, usual: Any) -> Any:
    result = usual(request, ctx)
    if request.max_wait_ms <= 0 or isinstance(result, Later):
        return result
    deadline_ms = ctx.now.monotonic_ms + request.max_wait_ms
    return Later(deadline_ms, lambda now: result)
