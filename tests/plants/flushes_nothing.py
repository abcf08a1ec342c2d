"""Flushes no log, whatever flush.messages says.

**Bug** What flush.messages=1 promises is not kept: a loss of power takes records that were acknowledged.

**Rejected by**
`checks/durability/test_logs_after_power_loss.py::test_a_log_is_whole_after_losses_of_power[flushed]`:
The values in the log, in order,
`python -m harness simulate`: after a start, before it up to
"""

from __future__ import annotations

from reference_broker.log.flushing import SegmentFlush


def plant() -> None:
    """Puts it in."""
    SegmentFlush.flush = lambda self: None  # type: ignore[method-assign]
