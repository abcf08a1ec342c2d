"""Candidate: the voter began an epoch, voted for itself and asks the others for their votes (KIP-595)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from reference_broker.raft.ballot import Ballot
from reference_broker.raft.transitions import Role
from reference_broker.raft.voters import ReplicaKey, VoterEndpoint


@dataclass(slots=True, kw_only=True)
class Candidate:
    """Its vote is its own. Where it loses it waits for the election timeout, then asks for pre-votes again."""

    ROLE: ClassVar[Role] = Role.CANDIDATE
    epoch: int
    election_deadline_ms: int
    ballot: Ballot
    voted: ReplicaKey

    @property
    def leader_id(self) -> int | None:
        """There is none yet."""
        return None

    @property
    def leader_endpoints(self) -> tuple[VoterEndpoint, ...]:
        """There is no leader yet."""
        return ()

    def may_grant(self, candidate: ReplicaKey, *, is_log_up_to_date: bool, is_pre_vote: bool) -> bool:
        """Its vote is given; a pre-vote says only that it would follow."""
        return is_pre_vote and is_log_up_to_date
