"""Prospective: the voter asks whether a majority would vote for it, before it begins an epoch (KIP-996).

So a member that was cut off does not depose a leader that the others can reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from reference_broker.raft.ballot import Ballot, may_vote_for
from reference_broker.raft.transitions import Role
from reference_broker.raft.voters import ReplicaKey, VoterEndpoint


@dataclass(slots=True, kw_only=True)
class Prospective:
    """Still in its old epoch: leader and vote are those of before."""

    ROLE: ClassVar[Role] = Role.PROSPECTIVE
    epoch: int
    election_deadline_ms: int
    ballot: Ballot
    leader_id: int | None = None
    leader_endpoints: tuple[VoterEndpoint, ...] = ()
    voted: ReplicaKey | None = None

    def may_grant(self, candidate: ReplicaKey, *, is_log_up_to_date: bool, is_pre_vote: bool) -> bool:
        """As an unattached member: it has not begun an epoch of its own."""
        if is_pre_vote:
            return is_log_up_to_date
        return may_vote_for(candidate, voted=self.voted, leader_id=self.leader_id, is_log_up_to_date=is_log_up_to_date)
