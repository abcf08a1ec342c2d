"""This node as a member of the metadata quorum: what it is, its role, and how it comes from one role to another.

A change of epoch, leader or vote is in the quorum-state file before the member acts in its new role, so a restart
cannot make it vote twice or lead an epoch again (KIP-595).
"""

from __future__ import annotations

from collections.abc import Callable

from reference_broker.effects import Peer
from reference_broker.environment import Now, Random
from reference_broker.raft.ballot import Ballot
from reference_broker.raft.candidate import Candidate
from reference_broker.raft.connections import Connections
from reference_broker.raft.follower import Follower
from reference_broker.raft.leader import Leader
from reference_broker.raft.prospective import Prospective
from reference_broker.raft.quorum_state import QuorumState
from reference_broker.raft.resigned import Resigned
from reference_broker.raft.settings import Identity, QuorumSettings
from reference_broker.raft.store import MetadataStore
from reference_broker.raft.transitions import Event, IllegalTransition, Role, next_role
from reference_broker.raft.unattached import Unattached
from reference_broker.raft.voters import ReplicaKey, VoterEndpoint, VoterSet
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.errors import ErrorCode

AnyRole = Unattached | Prospective | Candidate | Leader | Follower | Resigned
CHECK_QUORUM_FACTOR = 1.5


def stored_role(role: AnyRole) -> QuorumState:
    """What of a role must survive a restart."""
    voted = role.voted
    return QuorumState(
        leader_id=-1 if role.leader_id is None else role.leader_id,
        leader_epoch=role.epoch,
        voted_id=-1 if voted is None else voted.node_id,
        voted_directory_id=ReplicaKey(0).directory_id if voted is None else voted.directory_id,
    )


class Member:
    """The state that all parts of the quorum share. Methods `become_…` may raise OSError: nothing has changed then."""

    def __init__(
        self,
        *,
        store: MetadataStore,
        identity: Identity,
        settings: QuorumSettings,
        random: Random,
        connections: Connections,
        log: Callable[[str, str], None],
        now: Now,
    ) -> None:
        self.store, self.identity, self.settings = store, identity, settings
        self.connections, self.log = connections, log
        self._random = random
        self.key, self.node_id = identity.key, identity.node_id
        self.high_watermark = -1
        """The offset behind the last committed record that this member knows of; -1 where it has not been told."""
        self.is_shutting_down = False
        self._voters_seen: VoterSet | None = None
        self._was_voter = False
        self.on_role_left: Callable[[AnyRole, Now], None] = lambda role, now: None
        self._stored = store.read_quorum_state()
        self.role = self._role_at_start(now)
        self._store(self.role)

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def epoch(self) -> int:
        """The epoch this member is in."""
        return self.role.epoch

    @property
    def voters(self) -> VoterSet:
        """The voters that count now: of the last set in the log, committed or not."""
        return self.store.voters.latest

    @property
    def is_voter(self) -> bool:
        """Whether this member votes; else it is an observer."""
        latest = self.store.voters.latest
        if latest is not self._voters_seen:
            self._voters_seen, self._was_voter = latest, latest.is_voter(self.key)
        return self._was_voter

    def is_log_up_to_date(self, epoch: int, end_offset: int) -> bool:
        """Whether a log that ends so is not behind the own one."""
        return (epoch, end_offset) >= (self.store.last_epoch, self.store.end_offset)

    def peer(self, node_id: int, endpoints: tuple[VoterEndpoint, ...]) -> Peer | None:
        """Where another member listens for requests of this kind; None where it has no such endpoint."""
        for one in endpoints:
            if one.listener == self.identity.listener:
                return Peer(node_id, one.host, one.port)
        return None

    # -- at the start -------------------------------------------------------------------------------------------

    def _role_at_start(self, now: Now) -> AnyRole:
        stored, voters = self._stored, self.voters
        voted = None if stored.voted_id < 0 else ReplicaKey(stored.voted_id, stored.voted_directory_id)
        deadline_ms = self.election_deadline_ms(now)
        if stored.leader_epoch < self.store.last_epoch:
            self.log("WARN", f"quorum-state has epoch {stored.leader_epoch}, the log epoch {self.store.last_epoch}")
            return Unattached(epoch=self.store.last_epoch, election_deadline_ms=deadline_ms)
        if stored.leader_id == self.node_id:
            return self._resigned(stored.leader_epoch, (), deadline_ms)
        if voted in (self.key, ReplicaKey(self.node_id)) and stored.leader_id < 0 and self.is_voter:
            ballot = Ballot(voters, self.node_id)
            return Candidate(epoch=stored.leader_epoch, election_deadline_ms=deadline_ms, ballot=ballot, voted=self.key)
        leader = voters.get(stored.leader_id) if stored.leader_id >= 0 else None
        if leader is not None and leader.endpoints:
            return self._follower(stored.leader_epoch, leader.node_id, leader.endpoints, voted, now)
        return Unattached(
            epoch=stored.leader_epoch,
            election_deadline_ms=deadline_ms,
            leader_id=None if stored.leader_id < 0 else stored.leader_id,
            voted=voted,
        )

    # -- from one role to another -------------------------------------------------------------------------------

    def become_unattached(self, event: Event, epoch: int, now: Now, *, leader_id: int | None = None) -> None:
        """Take over an epoch without knowing its leader; an election timeout that runs goes on."""
        role = self.role
        is_same_epoch = epoch == role.epoch
        if not self.is_voter:
            deadline_ms = NEVER_MS
        elif isinstance(role, (Candidate, Unattached, Resigned)) or (
            isinstance(role, Prospective) and not role.ballot.is_lost
        ):
            deadline_ms = role.election_deadline_ms
        else:
            deadline_ms = self.election_deadline_ms(now)
        voted = role.voted if is_same_epoch else None
        self._become(
            event,
            Unattached(epoch=epoch, election_deadline_ms=deadline_ms, leader_id=leader_id, voted=voted),
            now,
        )

    def become_follower(
        self, event: Event, epoch: int, leader_id: int, endpoints: tuple[VoterEndpoint, ...], now: Now
    ) -> None:
        """Follow the leader of an epoch."""
        role = self.role
        if leader_id == self.node_id or (isinstance(role, Leader) and epoch == role.epoch):
            raise IllegalTransition(
                f"{role.ROLE.value}: node {self.node_id} cannot follow {leader_id} in epoch {epoch}"
            )
        voted = role.voted if epoch == role.epoch else None
        self._become(event, self._follower(epoch, leader_id, endpoints, voted, now), now)

    def become_prospective(self, event: Event, now: Now) -> None:
        """Ask for pre-votes, in the present epoch."""
        role = self.role
        self._become(
            event,
            Prospective(
                epoch=role.epoch,
                election_deadline_ms=self.election_deadline_ms(now),
                ballot=Ballot(self.voters, self.node_id),
                leader_id=role.leader_id,
                leader_endpoints=role.leader_endpoints,
                voted=role.voted,
            ),
            now,
        )

    def become_candidate(self, now: Now) -> None:
        """Begin an epoch, and vote for oneself in it."""
        self._become(
            Event.PRE_VOTE_WON,
            Candidate(
                epoch=self.role.epoch + 1,
                election_deadline_ms=self.election_deadline_ms(now),
                ballot=Ballot(self.voters, self.node_id),
                voted=self.key,
            ),
            now,
        )

    def vote_for(self, candidate: ReplicaKey, now: Now) -> None:
        """Give the vote of the present epoch away."""
        role, deadline_ms = self.role, self.election_deadline_ms(now)
        if isinstance(role, Prospective):
            voted: AnyRole = Prospective(
                epoch=role.epoch,
                election_deadline_ms=deadline_ms,
                ballot=Ballot(self.voters, self.node_id),
                leader_id=role.leader_id,
                leader_endpoints=role.leader_endpoints,
                voted=candidate,
            )
        else:
            voted = Unattached(
                epoch=role.epoch, election_deadline_ms=deadline_ms, leader_id=role.leader_id, voted=candidate
            )
        self._become(Event.VOTED, voted, now)

    def become_leader(self, now: Now) -> Leader:
        """Lead the epoch of one's candidacy."""
        role, voters = self.role, self.voters
        timeout_ms = int(self.settings.fetch_timeout_ms * CHECK_QUORUM_FACTOR)
        own = self.identity.voter
        leader = Leader(
            own=own,
            epoch=role.epoch,
            epoch_start_offset=self.store.end_offset,
            granting=role.ballot.granting if isinstance(role, Candidate) else (),
            check_quorum_timeout_ms=timeout_ms,
            check_quorum_deadline_ms=now.monotonic_ms + timeout_ms,
            begin_epoch_due_ms=now.monotonic_ms,
            reported_voters=voters.with_updated_node(own) if self.store.voters.kraft_version == 0 else None,
        )
        leader.follow_voters(voters)
        self._become(Event.ELECTION_WON, leader, now)
        return leader

    def become_resigned(self, event: Event, leader: Leader, now: Now) -> None:
        """Lead no longer."""
        self._become(event, self._resigned(leader.epoch, leader.successors(), self.election_deadline_ms(now)), now)

    def _become(self, event: Event, after: AnyRole, now: Now) -> None:
        before = self.role
        if next_role(before.ROLE, event) is not after.ROLE or after.epoch < before.epoch:
            raise IllegalTransition(f"{before.ROLE.value} in epoch {before.epoch} to {after.ROLE.value}: {event.value}")
        if after.ROLE in (Role.PROSPECTIVE, Role.CANDIDATE, Role.LEADER) and not self.is_voter:
            raise IllegalTransition(f"{after.ROLE.value}: node {self.node_id} is an observer")
        self._store(after)
        self.role = after
        self.connections.reset()
        self.log("INFO", f"{before.ROLE.value} to {after.ROLE.value} in epoch {after.epoch}: {event.value}")
        self.on_role_left(before, now)

    def _store(self, role: AnyRole) -> None:
        state = stored_role(role)
        if state != self._stored:
            self.store.write_quorum_state(state)
            self._stored = state

    def _resigned(self, epoch: int, successors: tuple[ReplicaKey, ...], deadline_ms: int) -> Resigned:
        return Resigned(
            epoch=epoch,
            leader_id=self.node_id,
            leader_endpoints=self.identity.endpoints,
            election_deadline_ms=deadline_ms,
            successors=successors,
            unacknowledged=tuple(one for one in self.voters.ids if one != self.node_id),
        )

    def _follower(
        self, epoch: int, leader_id: int, endpoints: tuple[VoterEndpoint, ...], voted: ReplicaKey | None, now: Now
    ) -> Follower:
        deadline_ms = now.monotonic_ms + self.settings.fetch_timeout_ms
        return Follower(
            epoch=epoch,
            leader_id=leader_id,
            leader_endpoints=endpoints,
            fetch_deadline_ms=deadline_ms,
            voter_update_ms=deadline_ms,
            voted=voted,
        )

    def election_deadline_ms(self, now: Now) -> int:
        """When a random election timeout that begins now is over."""
        timeout_ms = self.settings.election_timeout_ms
        return now.monotonic_ms + timeout_ms + (self._random.randrange(0, timeout_ms) if timeout_ms else 0)

    # -- what peers say of leaders and epochs -------------------------------------------------------------------

    def learn(self, epoch: int, leader_id: int | None, endpoints: tuple[VoterEndpoint, ...], now: Now) -> bool:
        """A request or response names an epoch and perhaps its leader: follow where that is news.

        False where it contradicts what this member knows of its own epoch, so the message is to be refused.
        """
        role = self.role
        if epoch < role.epoch:
            return True
        if leader_id == self.node_id:
            return isinstance(role, Leader) and epoch == role.epoch
        if epoch == role.epoch and leader_id is not None and role.leader_id not in (None, leader_id):
            return False
        if leader_id is not None and not endpoints:
            known = self.voters.get(leader_id)
            endpoints = () if known is None else known.endpoints
        if leader_id is not None and endpoints and self.peer(leader_id, endpoints) is not None:
            is_news = epoch > role.epoch or role.leader_id is None or len(endpoints) > len(role.leader_endpoints)
            if is_news:
                self.become_follower(Event.LEADER_FOUND, epoch, leader_id, endpoints, now)
        elif epoch > role.epoch:
            self.become_unattached(Event.HIGHER_EPOCH, epoch, now, leader_id=leader_id)
        return True

    def take_common(
        self, error: int, epoch: int, leader_id: int | None, endpoints: tuple[VoterEndpoint, ...], now: Now
    ) -> bool:
        """What every response from a peer may say: other epochs, other leaders, refusals that concern all requests.

        True where the response is dealt with by that. Kafka asks again at once then; this member pauses unless its
        role has changed, since it would get the same answer.
        """
        role = self.role
        if epoch < role.epoch or error == ErrorCode.UNKNOWN_LEADER_EPOCH:
            return True
        if epoch > role.epoch or error in (ErrorCode.FENCED_LEADER_EPOCH, ErrorCode.NOT_LEADER_OR_FOLLOWER):
            self.learn(epoch, leader_id, endpoints, now)
            return True
        if leader_id is not None and not role.leader_endpoints:
            # News also where the leader was known by its id only: now this member can fetch from it.
            return not self.learn(epoch, leader_id, endpoints, now) or error != ErrorCode.NONE
        return error in (ErrorCode.BROKER_NOT_AVAILABLE, ErrorCode.INVALID_VOTER_KEY, ErrorCode.INVALID_REQUEST)
