"""Does not wake a reader that waits.

**Bug** A fetch is answered when its time is over, though records have come: consumers are as late as they are patient.

**Rejected by**
`checks/protocol/test_fetch.py::test_a_fetch_that_waits_is_woken[v4]`: pace of the answer: waited, expected: at once
`checks/protocol/test_fetch.py::test_a_fetch_waits_for_enough_bytes`: pace of the answer: waited, expected: at once
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reference_broker.effects import Park
from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""
    handle_otherwise("fetch", _asleep)


def _asleep(request: Any, ctx: Any, usual: Any) -> Any:
    result = usual(request, ctx)
    return replace(result, is_ready=lambda: False) if isinstance(result, Park) else result
