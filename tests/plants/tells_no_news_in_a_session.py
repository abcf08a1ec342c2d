"""Tells a partition in a fetch session once, and never again.

**Bug** A session that has reached a partition's end is told of nothing more: its reader stands still, and sees no
record that comes later.

**Rejected by**
`checks/protocol/test_fetch_sessions.py::test_a_session_tells_what_is_new[v12]`: The news of the session should be [[6]]
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""
    silent: set[int] = set()

    def forgetful(request: Any, ctx: Any, usual: Any) -> Any:
        answer = usual(request, ctx)
        if request.session_id <= 0 or getattr(answer, "error_code", 1):
            return answer
        if request.session_id in silent:
            return replace(answer, responses=())
        if not answer.responses:
            silent.add(request.session_id)
        return answer

    handle_otherwise("fetch", forgetful)
