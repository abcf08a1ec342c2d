"""Does not cut its log where the leader's has gone another way.

**Bug** The answer that says where the logs part is passed over.

**Rejected by**
`checks/protocol/test_leaders_are_followed.py::test_a_follower_cuts_where_the_logs_part`:
offsets from which the follower fetched first
"""

from __future__ import annotations

from reference_broker.replication.follower import Follower


def plant() -> None:
    """Plants it."""
    Follower.truncate_for = lambda self, epoch, end_offset: None  # type: ignore[method-assign]
