"""Answers DeleteRecords before the followers have deleted.

**Bug** No follower's log start is waited for, so the next leader may serve the records again.

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_records_are_deleted_when_the_follower_knows`:
answer before the follower has deleted
`checks/retention/test_deletions_reach_every_replica.py::test_a_deletion_is_on_every_replica_and_stays[leadership:move]`:
The low watermark, and where each node's log starts
"""

from __future__ import annotations

from reference_broker.replication.leader import Leader


def plant() -> None:
    """Plants it."""
    Leader.followers_log_start = property(lambda self: None)  # type: ignore[assignment,method-assign]
