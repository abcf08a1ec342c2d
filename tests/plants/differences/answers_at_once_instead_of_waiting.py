"""Does not wait for records.

**Differs** Fetch is answered at once, whatever max_wait_ms says: an answer that should wait.

**Found by** `log`, level time class: `Fetch (pace)`
"""

from __future__ import annotations

from typing import Any

from reference_broker.apis.fetch import WaitingFetch
from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""

    def impatient(request: Any, ctx: Any, usual: Any) -> Any:
        result = usual(request, ctx)
        if isinstance(result, WaitingFetch):
            result.expire(ctx.now)
        return result

    handle_otherwise("fetch", impatient)
