"""Flushes no log, whatever flush.messages says.

**Bug** What flush.messages=1 promises is not kept: a loss of power takes records that were acknowledged.

**Rejected by**
`python -m harness simulate`: after a start, before it up to
"""

from __future__ import annotations

from reference_broker.log.flushing import SegmentFlush


def plant() -> None:
    """Puts it in."""
    SegmentFlush.flush = lambda self: None  # type: ignore[method-assign]
