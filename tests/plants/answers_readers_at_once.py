"""Does not wait for records.

**Bug** Fetch is answered at once, whatever max_wait_ms and min_bytes say: consumers at the end of a log ask
without end.

**Rejected by**
`checks/protocol/test_fetch.py::test_a_fetch_waits_for_records[v12]`: pace of the answer: at once, expected: waited
`checks/protocol/test_fetch.py::test_a_fetch_with_too_little_waits_and_gives_it`: pace of the answer: at once
`checks/protocol/test_fetch.py::test_a_fetch_that_waits_is_woken[v4]`: True = is_answered
`checks/protocol/test_fetch.py::test_a_fetch_waits_for_enough_bytes`: True = is_answered
`checks/protocol/test_fetch_by_followers.py::test_a_readers_high_watermark_has_no_meaning[none]`: pace of the answer
`checks/protocol/test_pipelining.py::test_an_answer_that_waits_holds_the_others_back`: the fetch did not wait
"""

from __future__ import annotations

from typing import Any

from reference_broker.apis.fetch import WaitingFetch
from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""
    handle_otherwise("fetch", _impatient)


def _impatient(request: Any, ctx: Any, usual: Any) -> Any:
    result = usual(request, ctx)
    if isinstance(result, WaitingFetch):
        result.expire(ctx.now)
    return result
