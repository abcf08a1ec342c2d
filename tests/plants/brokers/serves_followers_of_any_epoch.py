"""Serves a follower whatever leader epoch it names.

**Bug** A fetch of a follower is not fenced by leader epoch, so one that follows an earlier leader counts (KIP-320).

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_a_follower_of_another_epoch_is_refused`:
answer to a follower of epoch
"""

from __future__ import annotations

from reference_broker.environment import Now
from reference_broker.replication.leader import FollowerFetch
from reference_broker.replication.partition import Partition
from reference_broker.replication.reading import Read


def plant() -> None:
    """Plants it."""

    def read(self: Partition, fetch: FollowerFetch, now: Now, *, is_first_look: bool = True) -> Read:
        return self.led.read_for_follower(fetch, now, is_first_look=is_first_look)

    Partition.read_for_follower = read  # type: ignore[method-assign]
