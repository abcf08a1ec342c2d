"""Lets a reader wait for an error.

**Differs** Fetch with an error is answered when max_wait_ms is over, where Kafka answers at once.

**Found by** `log`, level time class: `Fetch (pace)`
"""

from __future__ import annotations

from typing import Any

from reference_broker.waiting import Later
from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""

    def slow(request: Any, ctx: Any, usual: Any) -> Any:
        result = usual(request, ctx)
        if request.max_wait_ms <= 0 or isinstance(result, Later):
            return result
        if not any(one.error_code for topic in result.responses for one in topic.partitions):
            return result
        deadline_ms = ctx.now.monotonic_ms + request.max_wait_ms
        return Later(deadline_ms, lambda now: result)

    handle_otherwise("fetch", slow)
