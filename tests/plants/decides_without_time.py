"""Makes changes of metadata that may not wait.

**Bug** The controller does not look at timeout_ms: a client that has given up finds its topic made, and is refused when
it asks again.

**Rejected by**
`checks/metadata/test_requests_without_time.py::test_a_topic_is_not_created[none]`: REQUEST_TIMED_OUT
"""

from __future__ import annotations

from typing import Any

from reference_broker.controller.controller import Controller


def plant() -> None:
    """Puts it in."""
    controller: Any = Controller
    submit = controller.submit
    controller.submit = lambda self, decide, now, timeout_ms=None: submit(self, decide, now)
