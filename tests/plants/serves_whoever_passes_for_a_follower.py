"""Serves whoever fetches in the name of a broker.

**Bug** Fetch does not look whether the follower holds a replica: whoever passes for one makes records count as safe
that are not.

**Rejected by**
`checks/protocol/test_fetch_by_followers.py::test_who_holds_no_replica_is_refused[v18-zero-nobody]`:
served as a follower
`checks/protocol/test_fetch_by_followers.py::test_the_older_form_of_a_followers_name[v12-nobody]`:
NOT_LEADER_OR_FOLLOWER
"""

from __future__ import annotations

from reference_broker.apis import fetch
from reference_broker.replication.partition import Partition
from reference_broker.replication.reading import Read
from reference_broker.wire.messages.fetch_request import FetchPartition


def plant() -> None:
    """Puts it in."""

    def served(reading: fetch._Reading, partition: Partition, ask: FetchPartition, left: int) -> Read:
        return partition.read(ask.fetch_offset, left, epoch=-1, only_leader=False)

    fetch._Reading._read_for_follower = served
