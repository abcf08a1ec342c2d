"""Counts a follower on what it has to truncate.

**Bug** The leader notes how far a follower is before it looks whether their logs part (KAFKA-13141), so the high
watermark moves over records that the follower has not.

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_a_diverging_follower_is_told_where_and_not_counted`:
What consumers see when only diverging fetches came
`python -m harness simulate`: in its ISR lacks
`python -m harness simulate`: in its ISR, which lacks what is committed
"""

from __future__ import annotations

from reference_broker.environment import Now
from reference_broker.replication.leader import FollowerFetch, Leader
from reference_broker.replication.reading import Read


def plant() -> None:
    """Plants it."""
    plain = Leader.read_for_follower

    def read(self: Leader, fetch: FollowerFetch, now: Now, *, is_first_look: bool = True) -> Read:
        replica = self._replicas.get(fetch.replica_id)
        if replica is not None and is_first_look:
            self._note_fetch(replica, fetch, now)
        return plain(self, fetch, now, is_first_look=is_first_look)

    Leader.read_for_follower = read  # type: ignore[method-assign]
