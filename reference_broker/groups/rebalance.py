"""How a group comes from one generation to the next: who is waited for, how long, and what ends the waiting.

Source: Kafka protocol guide, "Group Membership Protocol"; KIP-62, KIP-134 (initial delay), KIP-345 (static members).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from reference_broker.coordinator.shard import NOTHING, Decision, ShardServices
from reference_broker.environment import Now
from reference_broker.groups.answers import join_refused, joined, sync_refused, synced
from reference_broker.groups.classic_group import ClassicGroup, State
from reference_broker.groups.member import Member
from reference_broker.groups.records import group_record
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.state_machine.timeline import Timeline
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.join_group_response import JoinGroupResponse
from reference_broker.wire.messages.sync_group_response import SyncGroupResponse

NEW_MEMBER_TIMEOUT_MS: Final = 5 * 60 * 1000
"""How long a client that is new may be silent while it waits for the end of its first rebalance."""

Groups = Timeline[str, ClassicGroup]


def session_key(group_id: str, member_id: str) -> tuple[str, ...]:
    """The timer of a member's session."""
    return ("session", group_id, member_id)


class Rebalance:
    """The two phases of a rebalance, for all groups of a shard."""

    def __init__(self, groups: Groups, services: ShardServices, config: Callable[[], BrokerConfig]) -> None:
        self._groups, self._timers, self._answer, self._config = groups, services.timers, services.answer, config

    # -- answers ------------------------------------------------------------------------------------------------

    def answer_join(self, group: ClassicGroup, member: Member, response: JoinGroupResponse) -> None:
        """Answer a member's JoinGroup, where one waits."""
        asked = member.joining
        if asked is not None:
            member.joining = None
            if group.members.get(member.id) is member:
                group.joining_count -= 1
            self._answer(asked.later, response)

    def refuse_join(self, group: ClassicGroup, member: Member, code: ErrorCode, member_id: str = "") -> None:
        """Refuse a member's JoinGroup, where one waits."""
        if member.joining is not None:
            self.answer_join(group, member, join_refused(member.joining.api_version, code, member_id))

    def answer_sync(self, member: Member, response: SyncGroupResponse) -> bool:
        """Answer a member's SyncGroup; False where none waits."""
        asked = member.syncing
        if asked is None:
            return False
        member.syncing = None
        self._answer(asked.later, response)
        return True

    def _refuse_syncs(self, group: ClassicGroup, code: ErrorCode, now: Now) -> None:
        """Nobody gets an assignment in this generation."""
        for member in group.members.values():
            member.assignment = b""
            if self.answer_sync(member, sync_refused(code)):
                self.renew_session(group, member, now)

    # -- sessions -----------------------------------------------------------------------------------------------

    def renew_session(self, group: ClassicGroup, member: Member, now: Now, timeout_ms: int | None = None) -> None:
        """A sign of life: the member's session ends its timeout from now."""
        group_id, member_id = group.id, member.id
        self._timers.after(
            session_key(group_id, member_id),
            member.session_timeout_ms if timeout_ms is None else timeout_ms,
            now,
            lambda then: self._end_session(group_id, member_id, then),
        )

    def await_pending(self, group: ClassicGroup, member_id: str, timeout_ms: int, now: Now) -> None:
        """A member id was given out; it lapses where it is not used in time (KIP-394)."""
        group.pending_joins[member_id] = None
        group_id = group.id
        self._timers.after(
            session_key(group_id, member_id),
            timeout_ms,
            now,
            lambda then: self._end_session(group_id, member_id, then),
        )

    def end_sessions(self, group: ClassicGroup, *member_ids: str) -> None:
        """Members are going by another way than silence."""
        for member_id in member_ids:
            self._timers.cancel(session_key(group.id, member_id))

    def _end_session(self, group_id: str, member_id: str, now: Now) -> Decision:
        group = self._groups.get(group_id)
        if group is None:
            return NOTHING
        if member_id in group.pending_joins:
            group.remove(member_id)
            return self._complete_if_all_joined(group, now)
        member = group.members.get(member_id)
        if member is None or member.is_waiting:
            return NOTHING
        self.refuse_join(group, member, ErrorCode.UNKNOWN_MEMBER_ID)
        group.remove(member_id)
        if group.is_in(State.STABLE, State.COMPLETING):
            return self.prepare(group, now)
        return self._complete_if_all_joined(group, now)

    def _complete_if_all_joined(self, group: ClassicGroup, now: Now) -> Decision:
        if group.state is State.PREPARING and group.all_joined:
            return self._complete_join(group, now)
        return NOTHING

    # -- the join phase -----------------------------------------------------------------------------------------

    def begin_or_go_on(self, group: ClassicGroup, now: Now) -> Decision:
        """Begin a rebalance where none is on, else end its join phase where that is possible."""
        return self.prepare(group, now) if group.may_rebalance else self.complete_join_if_possible(group, now)

    def prepare(self, group: ClassicGroup, now: Now) -> Decision:
        """Begin a rebalance: everybody must join again. A group's first one waits for others to come (KIP-134)."""
        if group.state is State.COMPLETING:
            self._refuse_syncs(group, ErrorCode.REBALANCE_IN_PROGRESS, now)
        group.pending_syncs.clear()
        self._timers.cancel(("sync", group.id))
        if group.state is State.EMPTY:
            delay_ms = self._config().number("group.initial.rebalance.delay.ms")
            self._wait_for_others(group.id, delay_ms, max(group.rebalance_timeout_ms - delay_ms, 0), now)
            group.move_to(State.PREPARING, now.wall_ms)
            return NOTHING
        group.move_to(State.PREPARING, now.wall_ms)
        if group.all_joined:
            return self._complete_join(group, now)
        self._end_join_after(group, group.rebalance_timeout_ms, now)
        return NOTHING

    def _wait_for_others(self, group_id: str, delay_ms: int, remaining_ms: int, now: Now) -> None:
        """The initial delay, begun anew while members still come, `remaining_ms` at most."""

        def look_again(then: Now) -> Decision:
            group = self._groups.get(group_id)
            if group is None:
                return NOTHING
            if not (group.has_new_member and remaining_ms):
                return self._complete_join(group, then)
            group.has_new_member = False
            next_ms = min(self._config().number("group.initial.rebalance.delay.ms"), remaining_ms)
            self._wait_for_others(group_id, next_ms, max(remaining_ms - delay_ms, 0), then)
            return NOTHING

        self._timers.after(("join", group_id), delay_ms, now, look_again)

    def _end_join_after(self, group: ClassicGroup, delay_ms: int, now: Now) -> None:
        group_id = group.id

        def end(then: Now) -> Decision:
            found = self._groups.get(group_id)
            return NOTHING if found is None else self._complete_join(found, then)

        self._timers.after(("join", group_id), delay_ms, now, end)

    def complete_join_if_possible(self, group: ClassicGroup, now: Now) -> Decision:
        """End the join phase where all have joined; a group's first one lasts its delay in any case."""
        if group.previous_state is State.EMPTY:
            return NOTHING
        return self._complete_if_all_joined(group, now)

    def _complete_join(self, group: ClassicGroup, now: Now) -> Decision:
        self._timers.cancel(("join", group.id))
        gone = [one.id for one in group.members.values() if one.joining is None and not one.is_static]
        self.end_sessions(group, *gone)
        for member_id in gone:
            group.remove(member_id)
        if not group.elect_joined_leader() and group.members:
            # Only static members are left and none has come back: they are waited for, however long it takes.
            self._end_join_after(group, max(group.rebalance_timeout_ms, 1), now)
            return NOTHING
        group.begin_generation(now.wall_ms)
        if group.state is State.EMPTY:
            return Decision((group_record(group, {}),), settle=lambda code, now: NOTHING)
        for member in group.members.values():
            if member.joining is not None:
                members = group.joined_members() if group.leader == member.id else ()
                self.answer_join(group, member, joined(member.joining.api_version, group, member.id, members=members))
            self.renew_session(group, member, now)
            member.is_new = False
            group.pending_syncs[member.id] = None
        group_id, generation = group.id, group.generation
        self._timers.after(
            ("sync", group_id),
            group.rebalance_timeout_ms,
            now,
            lambda then: self._end_sync_phase(group_id, generation, then),
        )
        return NOTHING

    # -- the sync phase -----------------------------------------------------------------------------------------

    def _end_sync_phase(self, group_id: str, generation: int, now: Now) -> Decision:
        """Whoever has not asked for its assignment by now is no member any more."""
        group = self._groups.get(group_id)
        if group is None or group.generation != generation or not group.pending_syncs:
            return NOTHING
        if not group.is_in(State.COMPLETING, State.STABLE):
            return NOTHING
        gone = list(group.pending_syncs)
        self.end_sessions(group, *gone)
        for member_id in gone:
            group.remove(member_id)
        return self.prepare(group, now)

    def note_sync(self, group: ClassicGroup, member_id: str) -> None:
        """A member has asked for its assignment."""
        group.pending_syncs.pop(member_id, None)
        if not group.pending_syncs:
            self._timers.cancel(("sync", group.id))

    def assign(self, group: ClassicGroup, assignments: dict[str, bytes]) -> Decision:
        """The leader's assignment: written, and given to those who wait once it is committed."""
        group_id, generation = group.id, group.generation
        complete = {member_id: assignments.get(member_id, b"") for member_id in group.members}

        def settle(code: ErrorCode, now: Now) -> Decision:
            group = self._groups.get(group_id)
            if group is None or group.state is not State.COMPLETING or group.generation != generation:
                return NOTHING
            if code is not ErrorCode.NONE:
                self._refuse_syncs(group, code, now)
                return self.prepare(group, now)
            for member in group.members.values():
                member.assignment = complete.get(member.id, b"")
                if self.answer_sync(member, synced(group, member)):
                    self.renew_session(group, member, now)
            group.move_to(State.STABLE, now.wall_ms)
            return NOTHING

        return Decision((group_record(group, complete),), settle=settle)

    def dismiss(self, group: ClassicGroup) -> None:
        """Another broker coordinates the group from now on."""
        for member in group.members.values():
            self.refuse_join(group, member, ErrorCode.NOT_COORDINATOR, member.id)
            self.answer_sync(member, sync_refused(ErrorCode.NOT_COORDINATOR))
        group.move_to(State.DEAD, group.state_since_ms)
