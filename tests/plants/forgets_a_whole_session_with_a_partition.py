"""Takes every partition out of a fetch session when its reader takes out one.

**Bug** A reader that gives one of its partitions away is told nothing more of the others.

**Rejected by**
`checks/protocol/test_fetch_sessions.py::test_a_session_tells_what_it_has_not_forgotten`:
The news of the session (topic, offsets) should be [(
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
        if request.forgotten_topics_data:
            silent.add(request.session_id)
        return replace(answer, responses=()) if request.session_id in silent else answer

    handle_otherwise("fetch", forgetful)
