"""Stops fetching what a throttle names also where it has everything.

**Bug** A throttle concerns replicas in sync, too, so acks=all waits for followers that ask for nothing (KIP-73).

**Rejected by**
`checks/protocol/test_follower_throttles.py::test_a_follower_that_has_everything_asks_beyond_the_limit`:
That the follower fetches
"""

from __future__ import annotations

from reference_broker.replication.fetcher import FetchState


def plant() -> None:
    """Plants it."""
    FetchState.has_all = property(lambda state: False, lambda state, value: None)  # type: ignore[assignment]
