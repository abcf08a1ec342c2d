"""What a leader does: begin its epoch in the log, append, flush, and move the high watermark (KIP-595, KIP-853)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from reference_broker.environment import Now
from reference_broker.raft.frames import ControlType, encode_control, encode_records
from reference_broker.raft.leader import Leader
from reference_broker.raft.log_flush import LogFlush
from reference_broker.raft.member import Member
from reference_broker.raft.serving import Serving
from reference_broker.raft.transitions import Event
from reference_broker.raft.voters import VoterSet
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.k_raft_version_record import KRaftVersionRecord
from reference_broker.wire.messages.leader_change_message import LeaderChangeMessage, Voter
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId
from reference_broker.wire.refusal import KafkaError

LAZY_FLUSH_MS: Final = 500
"""How long records may stay unflushed that nobody waits for."""


class Leading:
    """`on_high_watermark` is called when it has moved."""

    def __init__(self, member: Member, flush: LogFlush, serving: Serving) -> None:
        self._member, self._flush, self._serving = member, flush, serving
        self._release_ms = NEVER_MS
        self.on_high_watermark: Callable[[Leader, Now], None] = lambda leader, now: None
        serving.advance = self.advance

    def lead(self, now: Now) -> None:
        """The election is won: write the leader change, so that there is a record of this epoch to commit.

        At kraft.version 1 the voters go with it where the log does not hold them yet (they came from the storage tool)
        or does not hold this leader's present endpoints.
        """
        member, versions = self._member, self._member.store.voters
        leader = member.become_leader(now)
        voters = member.voters
        change = LeaderChangeMessage(
            leader_id=BrokerId(member.node_id),
            voters=tuple(Voter(voter_id=node_id) for node_id in voters.ids),
            granting_voters=tuple(Voter(voter_id=node_id) for node_id in leader.granting),
        )
        records: list[tuple[ControlType, Any]] = [(ControlType.LEADER_CHANGE, change)]
        if versions.kraft_version > 0:
            updated = voters.with_updated(leader.own) or voters
            if versions.latest_offset == -1 or updated != voters:
                records += self._voters_records(versions.kraft_version, updated)
        self.append_control(leader, records, now, linger_ms=0)

    def _voters_records(self, kraft_version: int, voters: VoterSet) -> list[tuple[ControlType, Any]]:
        return [
            (ControlType.KRAFT_VERSION, KRaftVersionRecord(k_raft_version=kraft_version)),
            (ControlType.KRAFT_VOTERS, voters.to_record()),
        ]

    # -- appending ----------------------------------------------------------------------------------------------

    def append(self, records: Sequence[VersionedRecord], epoch: int, now: Now, *, must_last: bool) -> int:
        """Append records as one batch; the offset of the last one."""
        member, role = self._member, self._member.role
        if not isinstance(role, Leader) or role.epoch != epoch or role.is_asked_to_resign:
            raise KafkaError(
                ErrorCode.NOT_CONTROLLER,
                f"node {member.node_id} does not lead epoch {epoch}: it is {role.ROLE.value} in epoch {role.epoch}",
            )
        store = member.store
        batch = encode_records(records, base_offset=store.end_offset, epoch=epoch, now_ms=now.wall_ms)
        last = store.append_as_leader(batch, epoch, now.wall_ms)
        self._release_by(now.monotonic_ms + (member.settings.append_linger_ms if must_last else LAZY_FLUSH_MS))
        return last

    def append_control(
        self, leader: Leader, records: Sequence[tuple[ControlType, Any]], now: Now, *, linger_ms: int | None = None
    ) -> int:
        """Append control records as one batch; voters among them count at once. The offset of the last one."""
        store = self._member.store
        batch = encode_control(records, base_offset=store.end_offset, epoch=leader.epoch, now_ms=now.wall_ms)
        last = store.append_as_leader(batch, leader.epoch, now.wall_ms)
        leader.follow_voters(store.voters.latest)
        wait_ms = self._member.settings.append_linger_ms if linger_ms is None else linger_ms
        self._release_by(now.monotonic_ms + wait_ms)
        return last

    def upgrade_kraft_version(self, leader: Leader, voters: VoterSet, now: Now) -> int:
        """Write kraft.version 1 and the voters with their folders, in one batch (KIP-853)."""
        leader.reported_voters = None
        return self.append_control(leader, self._voters_records(1, voters), now)

    def _release_by(self, due_ms: int) -> None:
        self._release_ms = min(self._release_ms, due_ms)

    # -- what is due --------------------------------------------------------------------------------------------

    def act(self, leader: Leader, now: Now) -> int:
        """Resign where that is due; else hand appended records to the followers, and flush them."""
        member = self._member
        if leader.is_asked_to_resign or member.is_shutting_down:
            member.become_resigned(Event.RESIGNATION, leader, now)
            return now.monotonic_ms
        if leader.has_lost_quorum(now):
            member.become_resigned(Event.QUORUM_LOST, leader, now)
            return now.monotonic_ms
        if now.monotonic_ms >= self._release_ms:
            self._release_ms = NEVER_MS
            self._serving.answer_parked()
            self._flush.start()
        check_ms = leader.check_quorum_deadline_ms if len(leader.voters) > 1 else NEVER_MS
        return min(self._release_ms, check_ms)

    def on_flushed(self, now: Now) -> None:
        """More of the own log counts."""
        leader = self._member.role
        if not isinstance(leader, Leader):
            return
        leader.note_flushed(self._member.store.flushed_offset)
        self.advance(leader, now)

    def advance(self, leader: Leader, now: Now) -> None:
        """Move the high watermark to what a majority holds; it never moves back."""
        member, offset = self._member, leader.majority_offset()
        if offset < 0 or (leader.is_established and offset <= member.high_watermark):
            return
        member.high_watermark = max(member.high_watermark, offset)
        leader.is_established = True
        self._serving.answer_parked()
        self.on_high_watermark(leader, now)
