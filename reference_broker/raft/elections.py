"""Who leads: votes asked and given, leaders announced, resignations told and heard (KIP-595, KIP-996, KIP-853)."""

from __future__ import annotations

from typing import Any, Final

from reference_broker.environment import Now
from reference_broker.raft import messages
from reference_broker.raft.candidate import Candidate
from reference_broker.raft.follower import Follower
from reference_broker.raft.leader import Leader
from reference_broker.raft.member import Member
from reference_broker.raft.prospective import Prospective
from reference_broker.raft.resigned import Resigned
from reference_broker.raft.transitions import Event
from reference_broker.raft.unattached import Unattached
from reference_broker.raft.voters import ReplicaKey, Voter, VoterEndpoint
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.begin_quorum_epoch_request import BeginQuorumEpochRequest
from reference_broker.wire.messages.begin_quorum_epoch_response import BeginQuorumEpochResponse
from reference_broker.wire.messages.end_quorum_epoch_request import EndQuorumEpochRequest
from reference_broker.wire.messages.end_quorum_epoch_response import EndQuorumEpochResponse
from reference_broker.wire.messages.vote_request import VoteRequest
from reference_broker.wire.messages.vote_response import VoteResponse

LAST_EPOCH: Final = 2**31 - 1
"""An epoch is an int32 in files and requests."""


class Elections:
    """The part of a member that elects. `act_…` do what is due and return the next time that they want to be called."""

    def __init__(self, member: Member) -> None:
        self._member, self._is_end_told = member, False

    # -- requests of peers --------------------------------------------------------------------------------------

    def on_vote(self, request: VoteRequest, version: int, listener: str, now: Now) -> VoteResponse:
        """A voter asks for the vote of an epoch, or whether it would get it."""
        member = self._member
        if error := self._refusal(request):
            return VoteResponse(error_code=error)
        asked: Any = messages.only_partition(request)
        granted, error = False, self._refusal_of_vote(asked)
        if not error:
            if asked.replica_epoch > member.epoch:
                member.become_unattached(Event.HIGHER_EPOCH, asked.replica_epoch, now)
            if self._is_for_another(request.voter_id, asked.voter_directory_id):
                error = ErrorCode.INVALID_VOTER_KEY
            else:
                granted = self._grant(asked, now)
        return messages.make_vote_response(member, version, listener, error, granted)

    def _refusal_of_vote(self, asked: Any) -> int:
        is_too_new = (
            asked.last_offset_epoch > asked.replica_epoch
            if asked.pre_vote
            else asked.last_offset_epoch >= asked.replica_epoch
        )
        if asked.last_offset < 0 or asked.last_offset_epoch < 0 or is_too_new:
            return ErrorCode.INVALID_REQUEST
        return self._refusal_of_voter(asked.replica_id, asked.replica_epoch)

    def _grant(self, asked: Any, now: Now) -> bool:
        member, role = self._member, self._member.role
        candidate = ReplicaKey(asked.replica_id, asked.replica_directory_id)
        is_up_to_date = member.is_log_up_to_date(asked.last_offset_epoch, asked.last_offset)
        if candidate.node_id == member.node_id or not role.may_grant(
            candidate, is_log_up_to_date=is_up_to_date, is_pre_vote=asked.pre_vote
        ):
            return False
        if not asked.pre_vote and role.voted is None:
            member.vote_for(candidate, now)
        return True

    def on_begin(
        self, request: BeginQuorumEpochRequest, version: int, listener: str, now: Now
    ) -> BeginQuorumEpochResponse:
        """A leader says that it leads."""
        member = self._member
        if error := self._refusal(request):
            return BeginQuorumEpochResponse(error_code=error)
        asked: Any = messages.only_partition(request)
        error = self._refusal_of_voter(asked.leader_id, asked.leader_epoch)
        if not error and not self._follow(request, asked, now):
            error = ErrorCode.INVALID_REQUEST
        if not error and self._is_for_another(request.voter_id, asked.voter_directory_id):
            error = ErrorCode.INVALID_VOTER_KEY
        return messages.make_begin_response(member, version, listener, error)

    def on_end(self, request: EndQuorumEpochRequest, version: int, listener: str, now: Now) -> EndQuorumEpochResponse:
        """A leader says that it leads no longer, and who should be next: the first may begin at once."""
        member = self._member
        if error := self._refusal(request):
            return EndQuorumEpochResponse(error_code=error)
        asked: Any = messages.only_partition(request)
        error = self._refusal_of_voter(asked.leader_id, asked.leader_epoch)
        if not error and not self._follow(request, asked, now):
            error = ErrorCode.INVALID_REQUEST
        role = member.role
        if not error and isinstance(role, Follower) and role.leader_id == asked.leader_id:
            role.fetch_deadline_ms = now.monotonic_ms + self._backoff_ms(asked)
        return messages.make_end_response(member, version, listener, error)

    def _follow(self, request: Any, asked: Any, now: Now) -> bool:
        endpoints = tuple(VoterEndpoint(one.name, one.host, one.port) for one in request.leader_endpoints)
        return self._member.learn(asked.leader_epoch, asked.leader_id, endpoints, now)

    def _backoff_ms(self, asked: Any) -> int:
        """By the place among the successors: none for the first, then twice as long for each."""
        member, longest_ms = self._member, self._member.settings.election_backoff_max_ms
        keys = [ReplicaKey(one.candidate_id, one.candidate_directory_id) for one in asked.preferred_candidates]
        keys = keys or [ReplicaKey(node_id) for node_id in asked.preferred_successors]
        own = (member.key, ReplicaKey(member.node_id))
        place = next((at for at, key in enumerate(keys) if key in own), len(keys))
        if place == 0 and keys:
            return 0
        if place >= len(keys):
            return longest_ms
        return min(longest_ms, (longest_ms >> (len(keys) - 1)) << (place - 1))

    def _refusal(self, request: Any) -> int:
        if request.cluster_id is not None and request.cluster_id != self._member.identity.cluster_id:
            return ErrorCode.INCONSISTENT_CLUSTER_ID
        return ErrorCode.NONE if messages.only_partition(request) is not None else ErrorCode.INVALID_REQUEST

    def _refusal_of_voter(self, node_id: int, epoch: int) -> int:
        if epoch < self._member.epoch:
            return ErrorCode.FENCED_LEADER_EPOCH
        return ErrorCode.INVALID_REQUEST if node_id < 0 else ErrorCode.NONE

    def _is_for_another(self, node_id: int, directory_id: Any) -> bool:
        """Whether a request names another replica than this one; before version 1 it names none."""
        return node_id >= 0 and ReplicaKey(node_id, directory_id) not in (self._member.key, self._any_folder)

    @property
    def _any_folder(self) -> ReplicaKey:
        return ReplicaKey(self._member.node_id)

    # -- what is due --------------------------------------------------------------------------------------------

    def act_prospective(self, role: Prospective, now: Now) -> int:
        """Win, lose, or ask those who have not answered."""
        member = self._member
        if role.ballot.is_won:
            if not self._may_begin_an_epoch():
                return NEVER_MS
            member.become_candidate(now)
            return now.monotonic_ms
        is_over = now.monotonic_ms >= role.election_deadline_ms and not member.is_shutting_down
        if role.ballot.is_lost or is_over:
            if role.leader_id is not None and role.leader_id != member.node_id and role.leader_endpoints:
                member.become_follower(Event.LEADER_KEPT, role.epoch, role.leader_id, role.leader_endpoints, now)
            else:
                leader_id = None if role.leader_id == member.node_id else role.leader_id
                member.become_unattached(Event.PRE_VOTE_LOST, role.epoch, now, leader_id=leader_id)
            return now.monotonic_ms
        return min(role.election_deadline_ms, self._ask_for_votes(role, now))

    def act_candidate(self, role: Candidate, now: Now) -> int:
        """Ask those who have not answered; without a majority in time ask for pre-votes again."""
        member = self._member
        if now.monotonic_ms >= role.election_deadline_ms and not member.is_shutting_down:
            member.become_prospective(Event.ELECTION_TIMEOUT, now)
            return now.monotonic_ms
        if role.ballot.is_lost:
            return role.election_deadline_ms
        return min(role.election_deadline_ms, self._ask_for_votes(role, now))

    def _may_begin_an_epoch(self) -> bool:
        """Whether there is a next epoch; where there is none, that is said once. Kafka's counter goes on with negative
        epochs, which every voter refuses: no member of either can become leader, and brokers serve what they led."""
        if self._member.epoch < LAST_EPOCH:
            return True
        if not self._is_end_told:
            self._is_end_told = True
            why = "no leader can be elected any more (was a Vote of a foreign program taken?)"
            self._member.log("ERROR", f"the metadata quorum is in epoch {LAST_EPOCH}, the last that there is: {why}")
        return False

    def _ask_for_votes(self, role: Prospective | Candidate, now: Now) -> int:
        member, next_ms = self._member, NEVER_MS
        is_pre_vote = isinstance(role, Prospective)
        for voter in role.ballot.outstanding:
            peer = member.peer(voter.node_id, voter.endpoints)
            if peer is None:
                continue
            ready_ms = member.connections.ready_ms(peer, now)
            if ready_ms == now.monotonic_ms:
                request = messages.make_vote_request(member, voter, is_pre_vote=is_pre_vote)
                handler = self._voted_by(voter)
                member.connections.send(peer, ApiKey.VOTE, request, handler, on_not_served=self._on_vote_not_served)
            elif ready_ms is not None:
                next_ms = min(next_ms, ready_ms)
        return next_ms

    def _voted_by(self, voter: Voter) -> Any:
        return lambda response, now: self._on_vote_response(voter.node_id, response, now)

    def _on_vote_response(self, node_id: int, response: VoteResponse, now: Now) -> bool:
        if response.error_code == ErrorCode.UNSUPPORTED_VERSION:
            self._on_vote_not_served(now)
            return False
        answer = self._answer(response, now)
        if answer is None:
            return False
        role = self._member.role
        if isinstance(role, (Prospective, Candidate)):
            role.ballot.record(node_id, answer.vote_granted)
        return True

    def _on_vote_not_served(self, now: Now) -> None:
        """A voter is from before KIP-996: the election is held without pre-votes."""
        if isinstance(self._member.role, Prospective) and self._may_begin_an_epoch():
            self._member.become_candidate(now)

    def act_leader(self, role: Leader, now: Now) -> int:
        """Announce the epoch to the voters that have not fetched lately."""
        member = self._member
        if now.monotonic_ms < role.begin_epoch_due_ms:
            return role.begin_epoch_due_ms
        period_ms = member.settings.fetch_timeout_ms // 2
        for progress in tuple(role.voters.values()):
            voter = progress.voter
            is_silent = progress.fetch_ms < 0 or now.monotonic_ms - progress.fetch_ms >= period_ms
            peer = member.peer(voter.node_id, voter.endpoints)
            if voter.node_id == member.node_id or not is_silent or peer is None:
                continue
            if member.connections.ready_ms(peer, now) == now.monotonic_ms:
                request = messages.make_begin_request(member, voter)
                member.connections.send(peer, ApiKey.BEGIN_QUORUM_EPOCH, request, self._on_begin_response)
        role.begin_epoch_due_ms = now.monotonic_ms + max(period_ms, 1)
        return role.begin_epoch_due_ms

    def _on_begin_response(self, response: BeginQuorumEpochResponse, now: Now) -> bool:
        return self._answer(response, now) is not None

    def act_unattached(self, role: Unattached, now: Now) -> int:
        """Ask for pre-votes once the election timeout is over. NEVER_MS for an observer."""
        if not self._member.is_voter or self._member.is_shutting_down:
            return NEVER_MS
        if now.monotonic_ms >= role.election_deadline_ms:
            self._member.become_prospective(Event.ELECTION_TIMEOUT, now)
            return now.monotonic_ms
        return role.election_deadline_ms

    def act_resigned(self, role: Resigned, now: Now) -> int:
        """Tell the voters; after an election timeout begin an epoch without a leader, to take part again."""
        member = self._member
        if now.monotonic_ms >= role.election_deadline_ms and not member.is_shutting_down:
            if not self._may_begin_an_epoch():
                return NEVER_MS
            # A higher epoch, since in this one the member itself is known as the leader.
            member.become_unattached(Event.ELECTION_TIMEOUT, role.epoch + 1, now)
            return now.monotonic_ms
        next_ms = NEVER_MS if member.is_shutting_down else role.election_deadline_ms
        for node_id in role.unacknowledged:
            voter = member.voters.get(node_id)
            peer = None if voter is None else member.peer(node_id, voter.endpoints)
            if peer is None:
                continue
            ready_ms = member.connections.ready_ms(peer, now)
            if ready_ms == now.monotonic_ms:
                request = messages.make_end_request(member, role)
                member.connections.send(peer, ApiKey.END_QUORUM_EPOCH, request, self._ended_by(node_id))
            elif ready_ms is not None:
                next_ms = min(next_ms, ready_ms)
        return next_ms

    def _ended_by(self, node_id: int) -> Any:
        return lambda response, now: self._on_end_response(node_id, response, now)

    def _on_end_response(self, node_id: int, response: EndQuorumEpochResponse, now: Now) -> bool:
        if self._answer(response, now) is None:
            return False
        role = self._member.role
        if isinstance(role, Resigned):
            role.acknowledge(node_id)
        return True

    def _answer(self, response: Any, now: Now) -> Any | None:
        """The partition of a response that says yes or no; None where the response was refused or is dealt with."""
        member = self._member
        partition = None if response.error_code else messages.only_partition(response)
        if partition is None:
            return None
        leader_id, endpoints = messages.named_leader(member, partition.leader_id, response.node_endpoints)
        if member.take_common(partition.error_code, partition.leader_epoch, leader_id, endpoints, now):
            return None
        return partition if partition.error_code == ErrorCode.NONE else None
