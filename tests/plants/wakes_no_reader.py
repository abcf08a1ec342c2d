"""Does not wake a reader that waits.

**Bug** A fetch is answered when its time is over, though records have come: consumers are as late as they are patient.

**Rejected by**
`checks/protocol/test_fetch.py::test_a_fetch_that_waits_is_woken[v4]`: pace of the answer: waited, expected: at once
`checks/protocol/test_fetch.py::test_a_fetch_waits_for_enough_bytes`: pace of the answer: waited, expected: at once
"""

from __future__ import annotations

from reference_broker.apis.fetch import WaitingFetch


def plant() -> None:
    """Puts it in."""
    WaitingFetch.on_change = lambda fetch, partition, now: None
