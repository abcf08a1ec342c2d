"""Resigned: the member led this epoch and does not any more (KIP-595).

It tells the voters (EndQuorumEpoch) and keeps out of the next election for an election timeout. It stays the leader of
its epoch in name, so nobody else can become it. A leader that restarts begins here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from reference_broker.raft.transitions import Role
from reference_broker.raft.voters import ReplicaKey, VoterEndpoint


@dataclass(slots=True, kw_only=True)
class Resigned:
    """`successors` are the voters by how far their logs reach; `unacknowledged` those that were not told yet."""

    ROLE: ClassVar[Role] = Role.RESIGNED
    epoch: int
    leader_id: int
    leader_endpoints: tuple[VoterEndpoint, ...]
    election_deadline_ms: int
    successors: tuple[ReplicaKey, ...] = ()
    unacknowledged: tuple[int, ...] = ()

    @property
    def voted(self) -> ReplicaKey | None:
        """Nobody: it led."""
        return None

    def may_grant(self, candidate: ReplicaKey, *, is_log_up_to_date: bool, is_pre_vote: bool) -> bool:
        """Only a pre-vote: in its own epoch there is no other leader to elect."""
        return is_pre_vote and is_log_up_to_date

    def acknowledge(self, node_id: int) -> None:
        """A voter knows."""
        self.unacknowledged = tuple(one for one in self.unacknowledged if one != node_id)
