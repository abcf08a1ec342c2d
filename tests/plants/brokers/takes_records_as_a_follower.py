"""Appends a producer's records although another broker leads.

**Bug** A follower appends as a leader would; its log is no prefix of the leader's then.

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_a_pending_write_is_refused_when_the_leader_resigns`:
answer of a follower to a write
"""

from __future__ import annotations

from reference_broker.log.partition_log import Appended
from reference_broker.replication.follower import Follower
from reference_broker.replication.partition import Partition
from reference_broker.wire.records import Batch


def plant() -> None:
    """Plants it."""
    plain = Partition.append_from_client

    def append(self: Partition, batch: Batch, acks: int, now_ms: int) -> Appended:
        if isinstance(self.role, Follower):
            return self.log.append_batch(batch, self.leader_epoch, now_ms)
        return plain(self, batch, acks, now_ms)

    Partition.append_from_client = append  # type: ignore[method-assign]
