"""Keeps the producer's timestamps where the topic wants the broker's.

**Bug** message.timestamp.type=LogAppendTime is described and answered, but batches are stored with the times that the
producer gave them.

**Rejected by**
`checks/ordering/test_log_append_time.py::test_log_append_time[confluent]`: 1000000000000 is not the time of the append
"""

from __future__ import annotations

from reference_broker.log import validation


def plant() -> None:
    """Puts it in."""
    validation._stamped = lambda header, scan, config, now_ms: header
