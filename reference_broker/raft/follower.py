"""Follower: the member knows the epoch's leader and fetches from it (KIP-595). Voters and observers alike.

A voter that gets no answer within the fetch timeout asks for pre-votes; an observer asks the bootstrap servers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from reference_broker.raft.snapshot_files import SnapshotDownload
from reference_broker.raft.transitions import Role
from reference_broker.raft.voters import ReplicaKey, VoterEndpoint


@dataclass(slots=True, kw_only=True)
class Follower:
    """Deadlines in monotonic ms. `download` is the snapshot that is being fetched instead of the log."""

    ROLE: ClassVar[Role] = Role.FOLLOWER
    epoch: int
    leader_id: int
    leader_endpoints: tuple[VoterEndpoint, ...]
    fetch_deadline_ms: int
    voter_update_ms: int
    voted: ReplicaKey | None = None
    has_fetched: bool = False
    has_updated_voter: bool = False
    download: SnapshotDownload | None = None

    def may_grant(self, candidate: ReplicaKey, *, is_log_up_to_date: bool, is_pre_vote: bool) -> bool:
        """Only a pre-vote, and only where the leader does not answer fetches: a leader that answers is to stay."""
        return is_pre_vote and is_log_up_to_date and not self.has_fetched

    def note_fetched(self, fetch_deadline_ms: int) -> None:
        """The leader answered."""
        self.has_fetched = True
        self.fetch_deadline_ms = fetch_deadline_ms
