"""Fetches without saying of which epoch its last record is.

**Bug** The leader cannot see that the logs part, so a deposed leader's records stay (KIP-101).

**Rejected by**
`checks/protocol/test_leaders_are_followed.py::test_a_follower_says_who_it_is_and_what_it_has`:
(leader epoch, last epoch) then
"""

from __future__ import annotations

from reference_broker.replication.follower import Follower


def plant() -> None:
    """Plants it."""
    Follower.last_fetched_epoch = property(lambda self: -1)  # type: ignore[assignment,method-assign]
