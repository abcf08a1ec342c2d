"""How the leader changes the voter set, one voter at a time: AddRaftVoter, RemoveRaftVoter, UpdateRaftVoter (KIP-853).

Two voter sets that differ by one voter share a member in any two majorities. So a change is begun only when the one
before it is committed, and a record of this epoch is: that fences the changes of earlier leaders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference_broker.effects import Outbox, Peer, PeerLost
from reference_broker.environment import Now
from reference_broker.raft import messages
from reference_broker.raft.frames import ControlType
from reference_broker.raft.leader import Leader, VoterAddition, VoterRemoval
from reference_broker.raft.leading import Leading
from reference_broker.raft.member import Member
from reference_broker.raft.serving import Serving
from reference_broker.raft.voters import ReplicaKey, Voter, VoterEndpoint, VoterSet
from reference_broker.waiting import NEVER_MS, Later
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.add_raft_voter_request import AddRaftVoterRequest
from reference_broker.wire.messages.add_raft_voter_response import AddRaftVoterResponse
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.remove_raft_voter_request import RemoveRaftVoterRequest
from reference_broker.wire.messages.remove_raft_voter_response import RemoveRaftVoterResponse
from reference_broker.wire.messages.update_raft_voter_request import UpdateRaftVoterRequest
from reference_broker.wire.messages.update_raft_voter_response import CurrentLeader, UpdateRaftVoterResponse
from reference_broker.wire.primitives import ZERO_UUID
from reference_broker.wire.refusal import KafkaError

KRAFT_VERSION_FEATURE = "kraft.version"
SOFTWARE_NAME = "apache-kafka-java"


class VoterChanges:
    """The part of a leader that changes the voter set. Refusals are raised as KafkaError and answered by `on_…`."""

    def __init__(self, member: Member, leading: Leading, serving: Serving, outbox: Outbox) -> None:
        self._member, self._leading, self._serving, self._outbox = member, leading, serving, outbox
        self.after: Callable[[Now], None] = lambda now: None
        """Called after the new voter's answer: it may have made something due."""

    # -- AddRaftVoter -------------------------------------------------------------------------------------------

    def on_add(self, request: AddRaftVoterRequest, now: Now) -> AddRaftVoterResponse | Later:
        """Add a voter that has caught up with the log."""
        try:
            leader = self._leader(request.cluster_id)
            key = self._key(request.voter_id, request.voter_directory_id)
            endpoints = tuple(VoterEndpoint(one.name, one.host, one.port) for one in request.listeners)
            peer = self._peer(key, endpoints)
            voters = self._committed_voters(leader)
            if voters.get(key.node_id) is not None:
                raise KafkaError(ErrorCode.DUPLICATE_VOTER, f"node {key.node_id} is a voter already: {voters.ids}")
        except KafkaError as refused:
            return AddRaftVoterResponse(error_code=refused.code, error_message=refused.detail)
        later = Later()

        def take(response: Any, now: Now) -> None:
            self._on_api_versions(leader, addition, response, now)
            self.after(now)

        addition = VoterAddition(
            voter=Voter(key=key, endpoints=endpoints),
            later=later,
            deadline_ms=now.monotonic_ms + self._member.settings.request_timeout_ms,
            is_acknowledged_when_committed=request.ack_when_committed,
        )
        leader.change = addition
        self._outbox.send(
            peer,
            ApiKey.API_VERSIONS,
            ApiVersionsRequest(client_software_name=SOFTWARE_NAME, client_software_version="4.3.1"),
            channel="raft",
            timeout_ms=self._member.settings.request_timeout_ms,
            then=take,
        )
        return later

    def _on_api_versions(self, leader: Leader, addition: VoterAddition, response: Any, now: Now) -> None:
        """The new voter has said which levels of kraft.version it supports."""
        if leader.change is not addition or self._member.role is not leader:
            return
        node_id, kraft_version = addition.voter.node_id, self._member.store.voters.kraft_version
        if isinstance(response, PeerLost) or response.error_code != ErrorCode.NONE:
            self._end(leader, ErrorCode.REQUEST_TIMED_OUT, f"node {node_id} did not answer ApiVersions")
            return
        levels = next((one for one in response.supported_features if one.name == KRAFT_VERSION_FEATURE), None)
        lowest, highest = (0, 0) if levels is None else (levels.min_version, levels.max_version)
        if not lowest <= kraft_version <= highest:
            text = f"node {node_id} supports kraft.version {lowest} to {highest}, not {kraft_version}"
            self._end(leader, ErrorCode.INVALID_REQUEST, text)
            return
        if not leader.is_caught_up(addition.voter.key, now):
            text = f"node {node_id} has not caught up with the metadata log of the leader"
            self._end(leader, ErrorCode.REQUEST_TIMED_OUT, text)
            return
        voter = Voter(
            key=addition.voter.key,
            endpoints=addition.voter.endpoints,
            min_kraft_version=lowest,
            max_kraft_version=highest,
        )
        voters = self._member.voters.with_added(voter)
        assert voters is not None, "the voters do not change while a change is pending"
        addition.last_offset = self._write(leader, voters, now)
        if not addition.is_acknowledged_when_committed:
            addition.later.complete(AddRaftVoterResponse(error_message=None))

    # -- RemoveRaftVoter ----------------------------------------------------------------------------------------

    def on_remove(self, request: RemoveRaftVoterRequest, now: Now) -> RemoveRaftVoterResponse | Later:
        """Remove a voter; a leader that is removed resigns once that is committed."""
        try:
            leader = self._leader(request.cluster_id)
            key = self._key(request.voter_id, request.voter_directory_id)
            before = self._committed_voters(leader)
            voters = before.with_removed(key)
            if voters is None:
                text = f"node {key.node_id} with that directory id is not a voter, or it is the last one: {before.ids}"
                raise KafkaError(ErrorCode.VOTER_NOT_FOUND, text)
        except KafkaError as refused:
            return RemoveRaftVoterResponse(error_code=refused.code, error_message=refused.detail)
        later = Later()
        leader.change = VoterRemoval(
            later=later,
            deadline_ms=now.monotonic_ms + self._member.settings.request_timeout_ms,
            last_offset=self._write(leader, voters, now),
        )
        return later

    # -- UpdateRaftVoter ----------------------------------------------------------------------------------------

    def on_update(self, request: UpdateRaftVoterRequest, listener: str, now: Now) -> UpdateRaftVoterResponse:
        """A voter says where it listens and which levels of kraft.version it supports.

        At kraft.version 0 the leader keeps that in memory, for the upgrade to 1.
        """
        try:
            self._update(request, now)
            error = ErrorCode.NONE
        except KafkaError as refused:
            error = refused.code
        member, endpoint = self._member, messages.leader_endpoint(self._member, listener)
        current = CurrentLeader(
            leader_id=messages.leader_id_of(member),
            leader_epoch=member.epoch,
            host="" if endpoint is None else endpoint.host,
            port=0 if endpoint is None else endpoint.port,
        )
        return UpdateRaftVoterResponse(error_code=error, current_leader=current)

    def _update(self, request: UpdateRaftVoterRequest, now: Now) -> None:
        leader = self._leader(request.cluster_id, request.current_leader_epoch)
        key = self._key(request.voter_id, request.voter_directory_id)
        endpoints = tuple(VoterEndpoint(one.name, one.host, one.port) for one in request.listeners)
        self._peer(key, endpoints)
        levels = request.k_raft_version_feature
        lowest, highest = levels.min_supported_version, levels.max_supported_version
        kraft_version = self._member.store.voters.kraft_version
        self._check_idle(leader)
        if not (0 <= lowest <= highest and lowest <= kraft_version <= highest):
            raise KafkaError(ErrorCode.INVALID_REQUEST, f"kraft.version {kraft_version} is not in the voter's range")
        voter = Voter(key=key, endpoints=endpoints, min_kraft_version=lowest, max_kraft_version=highest)
        if kraft_version > 0:
            voters = self._committed_voters(leader).with_updated(voter)
        elif leader.reported_voters is None:
            raise KafkaError(ErrorCode.REQUEST_TIMED_OUT, "kraft.version is being upgraded")
        else:
            voters = leader.reported_voters.with_updated_node(voter)
        if voters is None:
            raise KafkaError(ErrorCode.VOTER_NOT_FOUND, f"node {key.node_id} is not a voter")
        if kraft_version > 0:
            self._write(leader, voters, now)
        else:
            leader.reported_voters = voters
        leader.note_contact(key, now)

    # -- kraft.version ------------------------------------------------------------------------------------------

    def upgrade(self, epoch: int, kraft_version: int, *, is_dry_run: bool, now: Now) -> bool:
        """Raise kraft.version from 0 to 1, for UpdateFeatures; false where it has that level already.

        NOT_CONTROLLER where this member does not lead `epoch`; INVALID_UPDATE_VERSION where the level cannot be had.
        """
        member, leader = self._member, self._member.role
        if not isinstance(leader, Leader) or leader.epoch != epoch:
            raise KafkaError(ErrorCode.NOT_CONTROLLER, f"node {member.node_id} does not lead epoch {epoch}")
        before = member.store.voters.kraft_version
        if kraft_version == before:
            return False
        voters = leader.reported_voters
        if kraft_version < before or kraft_version != 1 or voters is None:
            text = f"kraft.version cannot go from {before} to {kraft_version}"
            raise KafkaError(ErrorCode.INVALID_UPDATE_VERSION, text)
        silent = [voter.node_id for voter in voters.voters if voter.key.directory_id == ZERO_UUID]
        if silent or not voters.supports(kraft_version):
            text = f"not all voters support kraft.version {kraft_version}: {silent or voters.ids}"
            raise KafkaError(ErrorCode.INVALID_UPDATE_VERSION, text)
        if not is_dry_run:
            self._leading.upgrade_kraft_version(leader, voters, now)
        return True

    # -- what is due --------------------------------------------------------------------------------------------

    def act(self, leader: Leader, now: Now) -> int:
        """End a change whose time is over: its record stays, and may still be committed."""
        if leader.change is None:
            return NEVER_MS
        if now.monotonic_ms >= leader.change.deadline_ms:
            self._end(leader, ErrorCode.REQUEST_TIMED_OUT, "the change of the voters was not committed in time")
            return NEVER_MS
        return leader.change.deadline_ms

    def on_high_watermark(self, leader: Leader, now: Now) -> None:
        """A pending change may be committed now, and with it the leader's own removal."""
        change = leader.change
        if change is not None and change.last_offset is not None and change.last_offset < self._member.high_watermark:
            self._end(leader, ErrorCode.NONE, None)
        offset = self._member.store.voters.latest_offset
        is_committed = offset is not None and offset < self._member.high_watermark
        if is_committed and not self._member.is_voter:
            leader.is_asked_to_resign = True

    def on_role_left(self, leader: Leader) -> None:
        """The member leads no longer; nobody knows here what becomes of a pending change."""
        self._end(leader, ErrorCode.NOT_LEADER_OR_FOLLOWER, "the leader has changed")

    def _end(self, leader: Leader, error: ErrorCode, message: str | None) -> None:
        change, leader.change = leader.change, None
        if change is None:
            return
        kind = AddRaftVoterResponse if isinstance(change, VoterAddition) else RemoveRaftVoterResponse
        change.later.complete(kind(error_code=error, error_message=message))

    # -- what all have in common --------------------------------------------------------------------------------

    def _leader(self, cluster_id: str | None, epoch: int | None = None) -> Leader:
        member = self._member
        if cluster_id is not None and cluster_id != member.identity.cluster_id:
            text = f"the cluster id is {member.identity.cluster_id}, not {cluster_id}"
            raise KafkaError(ErrorCode.INCONSISTENT_CLUSTER_ID, text)
        if error := self._serving.refusal(member.epoch if epoch is None else epoch):
            raise KafkaError(ErrorCode(error), f"node {member.node_id} does not lead the metadata quorum")
        assert isinstance(member.role, Leader)
        return member.role

    def _key(self, node_id: int, directory_id: Any) -> ReplicaKey:
        if node_id < 0 or directory_id == ZERO_UUID:
            raise KafkaError(ErrorCode.INVALID_REQUEST, "a voter has a node id of at least 0 and a directory id")
        return ReplicaKey(node_id, directory_id)

    def _peer(self, key: ReplicaKey, endpoints: tuple[VoterEndpoint, ...]) -> Peer:
        peer = self._member.peer(key.node_id, endpoints)
        if peer is None:
            text = f"the voter has no endpoint for the listener {self._member.identity.listener}"
            raise KafkaError(ErrorCode.INVALID_REQUEST, text)
        return peer

    def _check_idle(self, leader: Leader) -> None:
        if leader.change is not None:
            raise KafkaError(ErrorCode.REQUEST_TIMED_OUT, "another change of the voters is in progress")
        if not leader.is_established:
            text = "the leader has not committed a record of its epoch yet"
            raise KafkaError(ErrorCode.REQUEST_TIMED_OUT, text)

    def _committed_voters(self, leader: Leader) -> VoterSet:
        """The voters to change; they must be in the log, and committed."""
        self._check_idle(leader)
        history = self._member.store.voters
        if history.kraft_version == 0:
            text = "the voters are static: kraft.version is 0"
            raise KafkaError(ErrorCode.UNSUPPORTED_VERSION, text)
        offset = history.latest_offset
        if offset is None or offset >= self._member.high_watermark:
            text = f"the voters at offset {offset} are not committed yet"
            raise KafkaError(ErrorCode.REQUEST_TIMED_OUT, text)
        return history.latest

    def _write(self, leader: Leader, voters: VoterSet, now: Now) -> int:
        return self._leading.append_control(leader, [(ControlType.KRAFT_VOTERS, voters.to_record())], now)
