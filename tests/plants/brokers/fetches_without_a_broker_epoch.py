"""Fetches without naming its broker's epoch.

**Bug** The leader cannot see that a broker has been registered anew since (KIP-903).

**Rejected by**
`checks/protocol/test_leaders_are_followed.py::test_a_follower_says_who_it_is_and_what_it_has`:
the follower names a broker epoch
"""

from __future__ import annotations

from reference_broker.replication import fetcher
from reference_broker.wire.primitives import BrokerId


def plant() -> None:
    """Plants it."""
    plain = fetcher.ReplicaState

    def without_epoch(*, replica_id: BrokerId, replica_epoch: int) -> fetcher.ReplicaState:
        return plain(replica_id=replica_id)

    fetcher.ReplicaState = without_epoch  # type: ignore[assignment,misc]
