"""Keeps records that its leader has deleted.

**Bug** A follower's log start does not follow its leader's, so deleted records are served again after an election.

**Rejected by**
`checks/protocol/test_leaders_are_followed.py::test_a_log_starts_where_the_leaders_does`:
Where the follower's log starts
`checks/retention/test_deletions_reach_every_replica.py::test_a_deletion_is_on_every_replica_and_stays[leadership:move]`:
The answer to DeleteRecords below 10 should be 'NONE', and is 'REQUEST_TIMED_OUT'
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.replication.follower import Follower
from reference_broker.wire.messages.fetch_response import PartitionData


def plant() -> None:
    """Plants it."""
    plain = Follower.take

    def take(self: Follower, data: PartitionData, now_ms: int) -> int:
        return plain(self, replace(data, log_start_offset=-1), now_ms)

    Follower.take = take  # type: ignore[method-assign]
