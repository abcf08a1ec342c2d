"""How a follower changes its own place in the voter set: its endpoints, and with auto-join its membership (KIP-853)."""

from __future__ import annotations

from typing import Any

from reference_broker.effects import Peer
from reference_broker.environment import Now
from reference_broker.raft.follower import Follower
from reference_broker.raft.member import Member
from reference_broker.raft.voters import NEWEST_KRAFT_VERSION, Voter, VoterEndpoint
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages import add_raft_voter_request, update_raft_voter_request
from reference_broker.wire.messages.add_raft_voter_response import AddRaftVoterResponse
from reference_broker.wire.messages.remove_raft_voter_request import RemoveRaftVoterRequest
from reference_broker.wire.messages.remove_raft_voter_response import RemoveRaftVoterResponse
from reference_broker.wire.messages.update_raft_voter_response import UpdateRaftVoterResponse


class Joining:
    """Once per fetch timeout a follower looks whether the leader should be told something about it."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def act(self, role: Follower, now: Now) -> int:
        """Send what is due; the next time to look."""
        member = self._member
        may_join = member.settings.auto_join and member.settings.may_become_voter
        if member.is_shutting_down or not (may_join or member.is_voter):
            return NEVER_MS
        if now.monotonic_ms < role.voter_update_ms:
            return role.voter_update_ms
        leader = member.peer(role.leader_id, role.leader_endpoints)
        if leader is not None and not member.connections.in_flight:
            if member.connections.is_pausing(leader, now):
                return now.monotonic_ms + member.settings.retry_backoff_ms
            if member.is_voter:
                self._update(leader, role)
            else:
                self._join(leader)
        elif leader is not None:
            # The answer to the request on the way is what calls next; it is due until then.
            return NEVER_MS
        role.voter_update_ms = now.monotonic_ms + member.settings.fetch_timeout_ms
        return role.voter_update_ms

    def _update(self, leader: Peer, role: Follower) -> None:
        member, own = self._member, self._member.identity.voter
        if member.store.voters.kraft_version == 0:
            # The voter set is static: the leader keeps what the voters say in memory, for the upgrade to 1.
            is_due = not role.has_updated_voter
        else:
            is_due = member.voters.get(own.node_id) != own
        if not is_due:
            return
        module = update_raft_voter_request
        request = module.UpdateRaftVoterRequest(
            cluster_id=member.identity.cluster_id,
            current_leader_epoch=member.epoch,
            voter_id=member.node_id,
            voter_directory_id=member.key.directory_id,
            listeners=_listeners(module.Listener, own),
            k_raft_version_feature=module.KRaftVersionFeature(
                min_supported_version=0, max_supported_version=NEWEST_KRAFT_VERSION
            ),
        )
        member.connections.send(leader, ApiKey.UPDATE_RAFT_VOTER, request, self._on_update_response)

    def _on_update_response(self, response: UpdateRaftVoterResponse, now: Now) -> bool:
        member, current = self._member, response.current_leader
        leader_id = None if current.leader_id < 0 else current.leader_id
        listener = member.identity.listener
        endpoints = (VoterEndpoint(listener, current.host, current.port),) if current.host else ()
        if member.take_common(response.error_code, current.leader_epoch, leader_id, endpoints, now):
            return False
        role = member.role
        if response.error_code not in (ErrorCode.NONE, ErrorCode.UNSUPPORTED_VERSION) or not isinstance(role, Follower):
            return False
        role.has_updated_voter = True
        role.note_fetched(now.monotonic_ms + member.settings.fetch_timeout_ms)
        return True

    def _join(self, leader: Peer) -> None:
        """Add this observer; first remove the voter that this node was with another folder."""
        member, own = self._member, self._member.identity.voter
        if member.store.voters.kraft_version == 0:
            return
        before = member.voters.get(own.node_id)
        if before is not None:
            removal = RemoveRaftVoterRequest(
                cluster_id=member.identity.cluster_id,
                voter_id=own.node_id,
                voter_directory_id=before.key.directory_id,
            )
            member.connections.send(leader, ApiKey.REMOVE_RAFT_VOTER, removal, self._on_change_response)
            return
        module = add_raft_voter_request
        addition = module.AddRaftVoterRequest(
            cluster_id=member.identity.cluster_id,
            timeout_ms=member.settings.request_timeout_ms,
            voter_id=own.node_id,
            voter_directory_id=own.key.directory_id,
            listeners=_listeners(module.Listener, own),
            ack_when_committed=False,
        )
        member.connections.send(leader, ApiKey.ADD_RAFT_VOTER, addition, self._on_change_response)

    def _on_change_response(self, response: AddRaftVoterResponse | RemoveRaftVoterResponse, now: Now) -> bool:
        is_final = response.error_code in (
            ErrorCode.NONE,
            ErrorCode.REQUEST_TIMED_OUT,
            ErrorCode.DUPLICATE_VOTER,
            ErrorCode.VOTER_NOT_FOUND,
        )
        if not is_final:
            self._member.log("WARN", f"the leader refuses to change the voters: {response.error_message}")
        return is_final


def _listeners(kind: Any, voter: Voter) -> tuple[Any, ...]:
    return tuple(kind(name=one.listener, host=one.host, port=one.port) for one in voter.endpoints)
