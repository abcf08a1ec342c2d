"""Leader: the member that a majority elected; what it knows of the others' logs (KIP-595, KIP-853).

The high watermark is the largest offset that a majority of the voters has on stable storage, and it begins to move only
once that majority has a record of this epoch. Without fetches of a majority the leader resigns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final

from reference_broker.environment import Now
from reference_broker.raft.transitions import Role
from reference_broker.raft.voters import ReplicaKey, Voter, VoterEndpoint, VoterSet
from reference_broker.waiting import Later

UNKNOWN: Final = -1
OBSERVER_SESSION_MS: Final = 300_000
"""An observer that has not fetched for this long is forgotten."""
CAUGHT_UP_MS: Final = 3_600_000
"""A new voter must have fetched within this time, and have reached the log's end once."""


@dataclass(slots=True)
class Progress:
    """How far one replica's log reaches, as it said in its last fetch. `fetch_ms` is monotonic, the others wall time.

    `end_offset` is -1 until it has fetched; the leader's own is what it has flushed.
    """

    voter: Voter
    end_offset: int = UNKNOWN
    fetch_ms: int = UNKNOWN
    last_fetch_wall_ms: int = UNKNOWN
    last_caught_up_wall_ms: int = UNKNOWN
    leader_end_offset: int = UNKNOWN

    def note_fetch(self, offset: int, leader_end_offset: int, now: Now) -> None:
        """It fetched from an offset: it holds everything before that."""
        if offset >= leader_end_offset:
            self.last_caught_up_wall_ms = max(self.last_caught_up_wall_ms, now.wall_ms)
        elif 0 < self.leader_end_offset <= offset:
            # It has what the log held at its last fetch, so it was caught up then.
            self.last_caught_up_wall_ms = max(self.last_caught_up_wall_ms, self.last_fetch_wall_ms)
        self.leader_end_offset = leader_end_offset
        self.last_fetch_wall_ms = max(self.last_fetch_wall_ms, now.wall_ms)
        self.fetch_ms = now.monotonic_ms
        self.end_offset = offset


@dataclass(slots=True, kw_only=True)
class VoterAddition:
    """An AddRaftVoter in progress. `last_offset` is its record's, once the new voter is known to be fit."""

    voter: Voter
    later: Later
    deadline_ms: int
    is_acknowledged_when_committed: bool
    last_offset: int | None = None


@dataclass(slots=True, kw_only=True)
class VoterRemoval:
    """A RemoveRaftVoter in progress."""

    later: Later
    deadline_ms: int
    last_offset: int


@dataclass(slots=True, kw_only=True)
class Leader:
    """Made by `Member.become_leader`, which also calls `follow_voters` whenever the voter set changes.

    Deadlines in monotonic ms. `reported_voters` are, at kraft.version 0, the voters as they described themselves by
    UpdateRaftVoter; None once the upgrade to kraft.version 1 was written.
    """

    ROLE: ClassVar[Role] = Role.LEADER
    own: Voter
    epoch: int
    epoch_start_offset: int
    granting: tuple[int, ...]
    check_quorum_timeout_ms: int
    check_quorum_deadline_ms: int
    begin_epoch_due_ms: int
    reported_voters: VoterSet | None = None
    voters: dict[int, Progress] = field(default_factory=dict)
    observers: dict[ReplicaKey, Progress] = field(default_factory=dict)
    is_established: bool = False
    is_asked_to_resign: bool = False
    change: VoterAddition | VoterRemoval | None = None
    _fetched: dict[int, None] = field(default_factory=dict)

    @property
    def leader_id(self) -> int:
        """Itself."""
        return self.own.node_id

    @property
    def leader_endpoints(self) -> tuple[VoterEndpoint, ...]:
        """Its own."""
        return self.own.endpoints

    @property
    def voted(self) -> ReplicaKey | None:
        """Not remembered: the epoch has its leader."""
        return None

    def may_grant(self, candidate: ReplicaKey, *, is_log_up_to_date: bool, is_pre_vote: bool) -> bool:
        """Never: it leads."""
        return False

    # -- the replicas -------------------------------------------------------------------------------------------

    def follow_voters(self, voters: VoterSet) -> None:
        """Take over a voter set: new voters keep what they said as observers, and those who left are observers."""
        before, self.voters = self.voters, {}
        for voter in voters.voters:
            progress = before.get(voter.node_id)
            if progress is not None and progress.voter.is_replica(voter.key):
                del before[voter.node_id]
            else:
                progress = self.observers.pop(voter.key, None) or Progress(voter)
            progress.voter = voter
            self.voters[voter.node_id] = progress
        for progress in before.values():
            self.observers.setdefault(progress.voter.key, progress)
        self._fetched = {node_id: None for node_id in self._fetched if node_id in self.voters}

    def progress_of(self, key: ReplicaKey) -> Progress | None:
        """What is known of a replica; None of one that has never fetched."""
        progress = self.voters.get(key.node_id)
        if progress is not None and progress.voter.is_replica(key):
            return progress
        return self.observers.get(key)

    def note_fetch(self, key: ReplicaKey, offset: int, leader_end_offset: int, now: Now) -> None:
        """A replica fetched from an offset."""
        progress = self.progress_of(key)
        if progress is None:
            progress = self.observers[key] = Progress(Voter(key=key))
        progress.note_fetch(offset, leader_end_offset, now)
        self.note_contact(key, now)

    def note_flushed(self, offset: int) -> None:
        """The leader's own log is on stable storage up to an offset; it counts only where it is a voter."""
        progress = self.progress_of(self.own.key)
        if progress is None:
            progress = self.observers[self.own.key] = Progress(self.own)
        progress.end_offset = offset

    def note_contact(self, key: ReplicaKey, now: Now) -> None:
        """A replica follows this leader; once a majority of the voters has, the check-quorum time begins anew.

        A lone voter is such a majority: so an observer that is added to it has the whole time to fetch as a voter.
        """
        progress = self.voters.get(key.node_id)
        if progress is not None and progress.voter.is_replica(key):
            self._fetched[key.node_id] = None
        needed = len(self.voters) // 2 + 1 - (1 if self.own.node_id in self.voters else 0)
        if len(self._fetched) >= needed:
            self._fetched.clear()
            self.check_quorum_deadline_ms = now.monotonic_ms + self.check_quorum_timeout_ms

    def has_lost_quorum(self, now: Now) -> bool:
        """Whether no majority has fetched in time. The only voter needs nobody."""
        return len(self.voters) > 1 and now.monotonic_ms >= self.check_quorum_deadline_ms

    def is_caught_up(self, key: ReplicaKey, now: Now) -> bool:
        """Whether an observer may become a voter without holding up the high watermark for long."""
        progress = self.observers.get(key)
        return (
            progress is not None
            and progress.last_caught_up_wall_ms > 0
            and now.monotonic_ms - progress.fetch_ms < CAUGHT_UP_MS
        )

    def forget_silent_observers(self, now: Now) -> None:
        """Drop observers that have gone."""
        for key, progress in tuple(self.observers.items()):
            if key != self.own.key and now.monotonic_ms - progress.fetch_ms >= OBSERVER_SESSION_MS:
                del self.observers[key]

    # -- what follows from it -----------------------------------------------------------------------------------

    def majority_offset(self) -> int:
        """The largest offset that a majority holds; -1 where it holds nothing of this epoch yet."""
        ends = sorted((progress.end_offset for progress in self.voters.values()), reverse=True)
        offset = ends[len(ends) // 2]
        return offset if offset > self.epoch_start_offset else UNKNOWN

    def successors(self) -> tuple[ReplicaKey, ...]:
        """The other voters, those with the longest logs first."""
        others = [one for one in self.voters.values() if not one.voter.is_replica(self.own.key)]
        return tuple(one.voter.key for one in sorted(others, key=lambda one: (-one.end_offset, one.voter.key)))
