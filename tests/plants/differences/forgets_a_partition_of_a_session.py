"""Forgets a partition of a fetch session.

**Differs** A session that begins does not remember the last of the partitions that were asked for, so that the next
fetch must name it again.

**Found by** `log`, level fields: `Fetch *`
"""

from __future__ import annotations

from typing import Any

from reference_broker.replication.fetch_session import FetchSessions


def plant() -> None:
    """Puts it in."""
    begin = FetchSessions.begin

    def forgetful(sessions: FetchSessions, found: Any, **circumstances: Any) -> int:
        return begin(sessions, found[:-1], **circumstances)

    FetchSessions.begin = forgetful
