"""Serves a follower whose metadata log has gone another way.

**Bug** The epoch of a fetch is not compared with the leader's log.

**Rejected by**
`python -m harness simulate`: was committed as
`python -m harness simulate`: no progress: not within
"""

from __future__ import annotations

from reference_broker.raft.serving import Serving


def plant() -> None:
    """Plants it."""
    Serving._elsewhere = lambda self, offset, epoch: (None, None)  # type: ignore[method-assign]
