"""Takes for committed all that it has fetched.

**Bug** A follower's high watermark is its own log end, so it publishes metadata that is never committed.

**Rejected by**
`python -m harness simulate`: below what is committed
`python -m harness simulate`: was committed as
"""

from __future__ import annotations

from reference_broker.raft.fetching import Fetching


def plant() -> None:
    """Plants it."""

    def raise_it(self: Fetching, leaders: int) -> None:
        self._member.high_watermark = self._member.store.end_offset

    Fetching._raise_high_watermark = raise_it  # type: ignore[method-assign]
