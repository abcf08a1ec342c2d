"""Votes for a candidate whose log is behind its own.

**Bug** A leader may lack records that are committed.

**Rejected by**
`python -m harness simulate`: below what is committed
"""

from __future__ import annotations

from reference_broker.raft.member import Member


def plant() -> None:
    """Plants it."""
    Member.is_log_up_to_date = lambda self, epoch, end_offset: True  # type: ignore[method-assign]
