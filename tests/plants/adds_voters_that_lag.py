"""Adds a voter to the quorum without looking whether it has caught up with the metadata log, and says so at once.

**Bug** AddRaftVoter writes the new voter as soon as it answers, although it has never fetched: until it has caught up,
or for ever, a vote is missing for every commit.

**Rejected by**
`checks/metadata/test_add_raft_voter.py::test_a_controller_that_has_not_caught_up_is_not_added[v1]`: REQUEST_TIMED_OUT
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.raft.leader import Leader
from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""
    leader: Any = Leader
    leader.is_caught_up = lambda self, key, now: True
    at_once = {"ack_when_committed": False}
    handle_otherwise("add_raft_voter", lambda request, ctx, usual: usual(replace(request, **at_once), ctx))
