"""Fetches whatever there is, whatever the limit.

**Bug** A follower knows no throttle: a replica that is moved to it takes all the bandwidth there is (KIP-73).

**Rejected by**
`checks/protocol/test_follower_throttles.py::test_a_follower_does_not_ask_beyond_the_limit`:
Whether the follower asks for more of a partition that is throttled
"""

from __future__ import annotations

from reference_broker.replication.follower import Follower


def plant() -> None:
    """Plants it."""
    Follower.is_throttled = property(lambda follower: False)  # type: ignore[assignment,method-assign]
