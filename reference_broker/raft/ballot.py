"""The votes of one election, and the rule by which a member without a role in it gives its own (KIP-595, KIP-996)."""

from __future__ import annotations

from reference_broker.raft.voters import ReplicaKey, Voter, VoterSet


class Ballot:
    """Who granted and who rejected. The member that asks has granted its own vote."""

    __slots__ = ("_votes", "voters")

    def __init__(self, voters: VoterSet, own_id: int) -> None:
        self.voters = voters
        self._votes: dict[int, bool] = {own_id: True}

    def record(self, node_id: int, is_granted: bool) -> None:
        """Count the answer of a voter; its last one stands."""
        if self.voters.get(node_id) is not None:
            self._votes[node_id] = is_granted

    @property
    def is_won(self) -> bool:
        """Whether a majority granted."""
        return sum(self._votes.values()) >= self.voters.majority

    @property
    def is_lost(self) -> bool:
        """Whether a majority cannot grant any more."""
        rejected = len(self._votes) - sum(self._votes.values())
        return len(self.voters) - rejected < self.voters.majority

    @property
    def granting(self) -> tuple[int, ...]:
        """The node ids of those who granted, ascending."""
        return tuple(sorted(node_id for node_id, is_granted in self._votes.items() if is_granted))

    @property
    def outstanding(self) -> tuple[Voter, ...]:
        """The voters that have not answered."""
        return tuple(voter for voter in self.voters.voters if voter.node_id not in self._votes)


def may_vote_for(
    candidate: ReplicaKey, *, voted: ReplicaKey | None, leader_id: int | None, is_log_up_to_date: bool
) -> bool:
    """Whether a member that is neither leading, following nor a candidate grants its vote of this epoch.

    It votes once per epoch, never where it knows the epoch's leader, and only for a log that is not behind its own.
    """
    if voted is not None:
        return voted.node_id == candidate.node_id and voted.directory_id in (NO_DIRECTORY, candidate.directory_id)
    return leader_id is None and is_log_up_to_date


NO_DIRECTORY = ReplicaKey(0).directory_id
"""A vote that was stored while kraft.version was 0 does not name the candidate's folder."""
