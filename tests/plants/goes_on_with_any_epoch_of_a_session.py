"""Goes on with a fetch session whatever epoch the reader tells.

**Bug** Answers of a session that were lost on the way are not noticed: a reader goes on as if it knew what it was told
in them, and passes over a partition's news.

**Rejected by**
`checks/protocol/test_fetch_sessions.py::test_a_sessions_epochs_follow_each_other[v12-7]`: INVALID_FETCH_SESSION_EPOCH
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""
    epochs: dict[int, int] = {}

    def trusting(request: Any, ctx: Any, usual: Any) -> Any:
        if request.session_id > 0 and request.session_epoch > 0:
            epochs[request.session_id] = epochs.get(request.session_id, 0) + 1
            return usual(replace(request, session_epoch=epochs[request.session_id]), ctx)
        return usual(request, ctx)

    handle_otherwise("fetch", trusting)
