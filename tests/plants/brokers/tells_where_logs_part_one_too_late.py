"""Says that a leader epoch ended one offset later than it did.

**Bug** A follower keeps a record of the epoch that the leader never had (KIP-279).

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_a_diverging_follower_is_told_where_and_not_counted`:
Where the logs part for a follower
`python -m harness simulate`: no progress: not within
`python -m harness simulate`: in its ISR lacks
"""

from __future__ import annotations

from reference_broker.log.partition_log import PartitionLog
from reference_broker.replication import leader


def plant() -> None:
    """Plants it."""
    plain = leader.divergence

    def one_later(log: PartitionLog, offset: int, last_fetched_epoch: int) -> tuple[int, int] | None:
        found = plain(log, offset, last_fetched_epoch)
        return None if found is None else (found[0], found[1] + 1)

    leader.divergence = one_later
