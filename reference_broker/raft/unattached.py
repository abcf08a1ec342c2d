"""Unattached: the member knows an epoch but not its leader (KIP-595).

A voter waits for the election timeout, then asks for pre-votes. Until then, and an observer always, it looks for the
leader by fetching from the bootstrap servers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from reference_broker.raft.ballot import may_vote_for
from reference_broker.raft.transitions import Role
from reference_broker.raft.voters import ReplicaKey, VoterEndpoint


@dataclass(slots=True, kw_only=True)
class Unattached:
    """`leader_id` is set where the leader is known by name only. An observer's deadline never comes."""

    ROLE: ClassVar[Role] = Role.UNATTACHED
    epoch: int
    election_deadline_ms: int
    leader_id: int | None = None
    voted: ReplicaKey | None = None

    @property
    def leader_endpoints(self) -> tuple[VoterEndpoint, ...]:
        """Not known."""
        return ()

    def may_grant(self, candidate: ReplicaKey, *, is_log_up_to_date: bool, is_pre_vote: bool) -> bool:
        """A pre-vote for any log that is not behind; the vote once per epoch."""
        if is_pre_vote:
            return is_log_up_to_date
        return may_vote_for(candidate, voted=self.voted, leader_id=self.leader_id, is_log_up_to_date=is_log_up_to_date)
