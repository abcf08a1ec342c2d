"""Serves a follower whose log has gone another way.

**Bug** The epoch of a follower's last record is not compared, so what a deposed leader appended stays in its log
(KIP-101).

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_a_diverging_follower_is_told_where_and_not_counted`:
Where the logs part for a follower
`python -m harness simulate`: no progress: not within
`python -m harness simulate`: in its ISR lacks
`python -m harness simulate`: in its ISR, which lacks what is committed
"""

from __future__ import annotations

from reference_broker.replication import leader


def plant() -> None:
    """Plants it."""
    leader.divergence = lambda log, offset, epoch: None  # type: ignore[attr-defined]
