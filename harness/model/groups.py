"""Classic groups: their members, generations and rebalances, and which requests wait for other members.

Kafka's documents: the protocol guide (JoinGroup, SyncGroup, Heartbeat, LeaveGroup), KIP-394 (member ids are required).
The model assumes `group.initial.rebalance.delay.ms=0` and timeouts longer than a sequence. It makes no predictions for
groups with static members (KIP-345).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.model.allowed import Complaints, expect, expect_code
from harness.model.membership import (
    COMPLETING,
    EMPTY,
    ID_REQUIRED_SINCE,
    PREPARING,
    PROTOCOL_SINCE,
    SESSION_MS,
    STABLE,
    Expected,
    Group,
    Member,
    are_here,
    candidates,
    codes,
    supports,
)
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode


class Groups:
    """All groups of the sequence."""

    def __init__(self) -> None:
        self.by_id: dict[str, Group] = {}
        self._expected: dict[int, Expected] = {}
        self._unsure: list[int] = []

    def must_wait(self, client: int) -> bool:
        """Whether the answer to a client's last request waits for another client's request."""
        return any(group.is_clear for group in self._waited_for(client))

    def is_unsure(self, client: int) -> bool:
        """Whether the model does not know if the client's last request waits for another client."""
        return client in self._unsure or any(not group.is_clear for group in self._waited_for(client))

    def _waited_for(self, client: int) -> list[Group]:
        """The groups in which a JoinGroup or SyncGroup of this client is waiting."""
        return [
            group for group in self.by_id.values() if any(client in (one.joining, one.syncing) for one in group.members)
        ]

    def restarted(self) -> None:
        """Applies a clean restart: pending member ids, which are only in memory, are lost; the rest is loaded from the
        log. Makes no further predictions for groups other than those that are empty and in the log.
        """
        for group in self.by_id.values():
            group.pending.clear()
            group.is_clear = group.is_clear and group.state == EMPTY and group.is_kept

    def group(self, group_id: str) -> Group:
        """The group with this id; created if there is none."""
        return self.by_id.setdefault(group_id, Group(group_id))

    # -- join and sync ------------------------------------------------------------------------------------------

    def sent(self, client: int, request: Any, version: int) -> None:
        """Applies a JoinGroup or SyncGroup when it is sent, because its answer may come much later."""
        if request.API_KEY not in (ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP):
            return
        self._expected.pop(client, None)
        group = self.by_id.get(request.group_id)
        is_static = request.group_instance_id is not None
        # A member whose rebalance timeout may end within a sequence makes the group as unpredictable as a static one.
        is_join = request.API_KEY == ApiKey.JOIN_GROUP
        is_static |= is_join and version >= 1 and request.rebalance_timeout_ms < SESSION_MS[0]
        if is_static and request.group_id and (group is not None or request.API_KEY == ApiKey.JOIN_GROUP):
            self.group(request.group_id).is_clear = False
        if is_static or (group is not None and not group.is_clear):
            self._unsure.append(client)
        elif request.API_KEY == ApiKey.JOIN_GROUP:
            self._join(client, request, version)
        else:
            self._sync(client, request, version)

    def _refuse(self, client: int, *allowed: ErrorCode) -> None:
        self._expected[client] = Expected(allowed=codes(*allowed))

    def _join(self, client: int, request: Any, version: int) -> None:
        group = self.by_id.get(request.group_id)
        protocols = tuple((one.name, bytes(one.metadata)) for one in request.protocols)
        if not request.group_id:
            return self._refuse(client, ErrorCode.INVALID_GROUP_ID)
        if not SESSION_MS[0] <= request.session_timeout_ms <= SESSION_MS[1]:
            return self._refuse(client, ErrorCode.INVALID_SESSION_TIMEOUT)
        if group is None:
            if request.member_id:
                return self._refuse(client, ErrorCode.UNKNOWN_MEMBER_ID)
            group = self.group(request.group_id)
        if not supports(group, request.protocol_type, protocols):
            return self._refuse(client, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
        if not request.member_id and version >= ID_REQUIRED_SINCE:
            self._expected[client] = Expected(allowed=codes(ErrorCode.MEMBER_ID_REQUIRED), group=group)
            return None
        if not request.member_id or request.member_id in group.pending:
            if request.member_id:
                group.pending.remove(request.member_id)
            member = Member(request.member_id or None, protocols, joining=client)
            group.leader = member if not group.members else group.leader
            group.members.append(member)
            if not group.protocol_type or len(group.members) == 1:
                group.protocol_type = request.protocol_type
            return self._rebalance(group)
        known = group.member(request.member_id)
        if known is None:
            return self._refuse(client, ErrorCode.UNKNOWN_MEMBER_ID)
        is_same = known.protocols == protocols
        may_stay = group.state == COMPLETING or (group.state == STABLE and known is not group.leader)
        if known.joining is not None or (group.leader is None and group.state == STABLE):
            group.is_clear = False
            self._unsure.append(client)
        elif is_same and may_stay:
            self._expect_join(group, known, client)
        else:
            known.protocols, known.joining = protocols, client
            self._rebalance(group)
        return None

    def _sync(self, client: int, request: Any, version: int) -> None:
        group = self.by_id.get(request.group_id)
        names = (request.protocol_type, request.protocol_name)
        if not request.group_id:
            return self._refuse(client, ErrorCode.INVALID_GROUP_ID, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
        if version >= PROTOCOL_SINCE and None in names:
            return self._refuse(client, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
        member = None if group is None else group.member(request.member_id)
        if group is None or member is None:
            return self._refuse(client, ErrorCode.UNKNOWN_MEMBER_ID)
        if request.generation_id != group.generation:
            return self._refuse(client, ErrorCode.ILLEGAL_GENERATION)
        if any(said not in (None, own) for said, own in zip(names, (group.protocol_type, group.protocol), strict=True)):
            return self._refuse(client, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
        if group.state == PREPARING:
            return self._refuse(client, ErrorCode.REBALANCE_IN_PROGRESS)
        if group.state == COMPLETING:
            if member.syncing is not None or group.leader is None:
                group.is_clear = False
                self._unsure.append(client)
                return None
            member.syncing = client
            if member is group.leader:
                self._assign(group, {one.member_id: bytes(one.assignment) for one in request.assignments})
            return None
        self._expected[client] = Expected(group=group, member=member, assignment=member.assignment)
        return None

    def _assign(self, group: Group, assignments: dict[str, bytes]) -> None:
        group.state, group.is_kept = STABLE, True
        for member in group.members:
            member.assignment = assignments.get(member.id or "", b"")
            if member.syncing is not None:
                self._expected[member.syncing] = Expected(group=group, member=member, assignment=member.assignment)
                member.syncing = None

    def _rebalance(self, group: Group) -> None:
        """Starts a rebalance. It completes at once if the group was Empty, else when all members have joined."""
        was_empty = group.state == EMPTY
        for member in group.members:
            if member.syncing is not None:
                self._refuse(member.syncing, ErrorCode.REBALANCE_IN_PROGRESS)
                member.syncing = None
            member.assignment = b""
        group.state = PREPARING
        if was_empty or (not group.pending and are_here(group)):
            self._complete(group)

    def _complete(self, group: Group) -> None:
        group.generation += 1
        group.protocol = None
        if not group.members:
            group.state, group.leader, group.is_kept = EMPTY, None, True
            return
        group.state = COMPLETING
        for member in group.members:
            client, member.joining = member.joining, None
            if client is not None:
                self._expect_join(group, member, client)

    def _expect_join(self, group: Group, member: Member, client: int) -> None:
        chosen = candidates(group.members) if group.protocol is None else (group.protocol,)
        self._expected[client] = Expected(
            group=group, member=member, generation=group.generation, protocols=chosen, members=tuple(group.members)
        )

    def heard(self, client: int, request: Any, version: int, response: Any) -> Complaints:
        """Judges the answer to a JoinGroup or SyncGroup."""
        expected = self._expected.pop(client, None)
        if client in self._unsure:
            self._unsure.remove(client)
            return
        name = type(request).__name__.removesuffix("Request")
        where = f"{name} of {request.member_id or 'a new member'} in group {request.group_id!r}"
        if expected is None:
            if self.must_wait(client):
                yield f"{where}: answered, although it must wait for other members"
            return
        yield from expect_code(where, response.error_code, expected.allowed)
        group, member = expected.group, expected.member
        if response.error_code == ErrorCode.MEMBER_ID_REQUIRED and group is not None:
            group.pending.append(response.member_id)
        if response.error_code or group is None or member is None:
            return
        if request.API_KEY == ApiKey.SYNC_GROUP:
            yield from expect(f"{where}: assignment", bytes(response.assignment), expected.assignment)
            return
        member.id = response.member_id if member.id is None else member.id
        yield from expect(f"{where}: member id", response.member_id, member.id)
        yield from expect(f"{where}: generation", response.generation_id, expected.generation)
        yield from expect(f"{where}: protocol", response.protocol_name, *expected.protocols)
        if group.generation == expected.generation:
            group.protocol = response.protocol_name
            leaders = [one for one in expected.members if one.id in (None, response.leader)]
            if group.leader is None and len(leaders) == 1:
                group.leader = leaders[0]
        if group.leader is not None and group.leader.id is not None and group.generation == expected.generation:
            yield from expect(f"{where}: leader", response.leader, group.leader.id)
        if response.leader == response.member_id:
            told = [one.member_id for one in response.members]
            known = [one.id for one in expected.members if one.id is not None]
            yield from expect(f"{where}: members told to the leader", len(told), len(expected.members))
            yield from expect(f"{where}: members missing", sorted(set(known) - set(told)), [])
        else:
            yield from expect(f"{where}: members told to a follower", response.members, ())

    # -- heartbeat and leave ------------------------------------------------------------------------------------

    def remove(self, group: Group, leaving: Sequence[str]) -> None:
        """Removes members, and starts or completes a rebalance for the rest."""
        gone = [one for one in group.members if one.id in leaving]
        was_pending = any(one in group.pending for one in leaving)
        group.pending = [one for one in group.pending if one not in leaving]
        for member in gone:
            if member.syncing is not None:
                # Kafka drops the waiting SyncGroup together with the member, and never answers it.
                group.is_clear = False
                self._unsure.append(member.syncing)
            if member.joining is not None:
                self._refuse(member.joining, ErrorCode.UNKNOWN_MEMBER_ID)
            group.members.remove(member)
            if group.leader is member:
                group.leader = group.members[0] if len(group.members) == 1 else None
        if not group.members and group.pending and group.state != EMPTY:
            # Without members the rebalance timeout is 0 ms: the rebalance may end before or after the next request.
            group.is_clear = False
        elif (gone or was_pending) and group.state in (COMPLETING, STABLE):
            self._rebalance(group)
        elif (gone or was_pending) and group.state == PREPARING and not group.pending and are_here(group):
            self._complete(group)
