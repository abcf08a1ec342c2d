"""Classic groups: who is a member, of which generation, and who waits for whom.

Kafka's documents: the protocol guide (JoinGroup, SyncGroup, Heartbeat, LeaveGroup), KIP-394 (member ids are required).
The model expects `group.initial.rebalance.delay.ms=0` and timeouts longer than a sequence. Of a group with static
members (KIP-345) it has no opinion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from harness.model.allowed import Complaints, code_kept, kept
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode

EMPTY, PREPARING, COMPLETING, STABLE = "Empty", "PreparingRebalance", "CompletingRebalance", "Stable"
DEAD: Final = "Dead"
ID_REQUIRED_SINCE: Final = 4
"""JoinGroup version from which a new member is first given an id."""
PROTOCOL_SINCE: Final = 5
"""SyncGroup version from which the protocol must be named."""
SESSION_MS: Final = (6_000, 1_800_000)


def codes(*allowed: ErrorCode) -> frozenset[int]:
    """A set of codes."""
    return frozenset(map(int, allowed))


@dataclass(slots=True, eq=False)
class Member:
    """A member. Its id is None until an answer tells it."""

    id: str | None
    protocols: tuple[tuple[str, bytes], ...]
    joining: int | None = None
    """The client whose JoinGroup waits."""
    syncing: int | None = None
    """The client whose SyncGroup waits."""
    assignment: bytes = b""


@dataclass(slots=True, eq=False)
class Group:
    """A group of members."""

    id: str
    state: str = EMPTY
    generation: int = 0
    protocol_type: str = ""
    protocol: str | None = None
    leader: Member | None = None
    """None while the model cannot know."""
    members: list[Member] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    """Ids given to members that have not joined with them yet."""
    is_kept: bool = False
    """Whether it is in the log for certain; else Kafka may not show it yet."""
    is_clear: bool = True
    """False once something happened of which the model has no opinion."""

    def member(self, member_id: str) -> Member | None:
        """The member with an id."""
        return next((one for one in self.members if one.id == member_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a JoinGroup or SyncGroup must be answered."""

    allowed: frozenset[int] = codes(ErrorCode.NONE)
    group: Group | None = None
    member: Member | None = None
    generation: int = -1
    protocols: tuple[str, ...] = ()
    """Those that may be chosen."""
    members: tuple[Member, ...] = ()
    assignment: bytes = b""


class Groups:
    """All groups of the sequence."""

    def __init__(self) -> None:
        self.by_id: dict[str, Group] = {}
        self._expected: dict[int, Expected] = {}
        self._unsure: list[int] = []

    def must_wait(self, client: int) -> bool:
        """Whether the answer to a client's last request waits for another client's request."""
        waiting = [one for group in self.by_id.values() for one in group.members]
        return any(client in (one.joining, one.syncing) for one in waiting)

    def is_unsure(self, client: int) -> bool:
        """Whether the model cannot say if the client's last request waits."""
        return client in self._unsure

    def restarted(self) -> None:
        """After a clean restart: what was only in memory is gone, members are found again from the log."""
        for group in self.by_id.values():
            group.pending.clear()
            group.is_clear = group.is_clear and group.state == EMPTY and group.is_kept

    def group(self, group_id: str) -> Group:
        """The group, made where there was none."""
        return self.by_id.setdefault(group_id, Group(group_id))

    # -- join and sync ------------------------------------------------------------------------------------------

    def sent(self, client: int, request: Any, version: int) -> None:
        """A JoinGroup or SyncGroup takes effect when it is sent: its answer may come only later."""
        if request.API_KEY not in (ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP):
            return
        self._expected.pop(client, None)
        group = self.by_id.get(request.group_id)
        is_static = request.group_instance_id is not None
        if is_static and request.group_id:
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
        if not _supports(group, request.protocol_type, protocols):
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
        """A new generation gathers: complete at once from Empty, else when all members have joined."""
        was_empty = group.state == EMPTY
        for member in group.members:
            if member.syncing is not None:
                self._refuse(member.syncing, ErrorCode.REBALANCE_IN_PROGRESS)
                member.syncing = None
            member.assignment = b""
        group.state = PREPARING
        if was_empty or (not group.pending and _are_here(group)):
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
        chosen = _candidates(group.members) if group.protocol is None else (group.protocol,)
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
        yield from code_kept(where, response.error_code, expected.allowed)
        group, member = expected.group, expected.member
        if response.error_code == ErrorCode.MEMBER_ID_REQUIRED and group is not None:
            group.pending.append(response.member_id)
        if response.error_code or group is None or member is None:
            return
        if request.API_KEY == ApiKey.SYNC_GROUP:
            yield from kept(f"{where}: assignment", bytes(response.assignment), expected.assignment)
            return
        member.id = response.member_id if member.id is None else member.id
        yield from kept(f"{where}: member id", response.member_id, member.id)
        yield from kept(f"{where}: generation", response.generation_id, expected.generation)
        yield from kept(f"{where}: protocol", response.protocol_name, *expected.protocols)
        if group.generation == expected.generation:
            group.protocol = response.protocol_name
            leaders = [one for one in expected.members if one.id in (None, response.leader)]
            if group.leader is None and len(leaders) == 1:
                group.leader = leaders[0]
        if group.leader is not None and group.leader.id is not None and group.generation == expected.generation:
            yield from kept(f"{where}: leader", response.leader, group.leader.id)
        if response.leader == response.member_id:
            told = [one.member_id for one in response.members]
            known = [one.id for one in expected.members if one.id is not None]
            yield from kept(f"{where}: members told to the leader", len(told), len(expected.members))
            yield from kept(f"{where}: members missing", sorted(set(known) - set(told)), [])
        else:
            yield from kept(f"{where}: members told to a follower", response.members, ())

    # -- heartbeat and leave ------------------------------------------------------------------------------------

    def beaten(self, request: Any, version: int, response: Any) -> Complaints:
        """Heartbeat."""
        group = self.by_id.get(request.group_id)
        if request.group_instance_id is not None or (group is not None and not group.is_clear):
            return
        member = None if group is None else group.member(request.member_id)
        allowed = codes(ErrorCode.NONE)
        if not request.group_id:
            allowed = codes(ErrorCode.INVALID_GROUP_ID)
        elif group is None or member is None:
            allowed = codes(ErrorCode.UNKNOWN_MEMBER_ID)
        elif request.generation_id != group.generation:
            allowed = codes(ErrorCode.ILLEGAL_GENERATION)
        elif group.state == PREPARING:
            allowed = codes(ErrorCode.REBALANCE_IN_PROGRESS)
        yield from code_kept(f"Heartbeat of {request.member_id!r}", response.error_code, allowed)

    def left(self, request: Any, version: int, response: Any) -> Complaints:
        """LeaveGroup."""
        group = self.by_id.get(request.group_id)
        if any(one.group_instance_id is not None for one in request.members) or (group and not group.is_clear):
            return
        if not request.group_id:
            yield from code_kept("LeaveGroup", response.error_code, codes(ErrorCode.INVALID_GROUP_ID))
            return
        leaving = [request.member_id] if version < 3 else [one.member_id for one in request.members]
        answers = [response.error_code] if version < 3 else [one.error_code for one in response.members]
        if group is None:
            found = response.error_code if version < 3 else (answers or [response.error_code])[0]
            allowed = codes(ErrorCode.UNKNOWN_MEMBER_ID, *([] if leaving else [ErrorCode.NONE]))
            yield from code_kept(f"LeaveGroup of a group that is not there: {request.group_id!r}", found, allowed)
            return
        yield from kept("LeaveGroup: number of answers", len(answers), len(leaving))
        for member_id, code in zip(leaving, answers, strict=False):
            is_known = member_id in group.pending or (member_id and group.member(member_id) is not None)
            allowed = codes(ErrorCode.NONE if is_known else ErrorCode.UNKNOWN_MEMBER_ID)
            yield from code_kept(f"LeaveGroup of {member_id!r}", code, allowed)
        self._remove(group, leaving)

    def _remove(self, group: Group, leaving: Sequence[str]) -> None:
        gone = [one for one in group.members if one.id in leaving]
        was_pending = any(one in group.pending for one in leaving)
        group.pending = [one for one in group.pending if one not in leaving]
        for member in gone:
            if member.syncing is not None:
                group.is_clear = False
            if member.joining is not None:
                self._refuse(member.joining, ErrorCode.UNKNOWN_MEMBER_ID)
            group.members.remove(member)
            if group.leader is member:
                group.leader = group.members[0] if len(group.members) == 1 else None
        if gone and group.state in (COMPLETING, STABLE):
            self._rebalance(group)
        elif (gone or was_pending) and group.state == PREPARING and not group.pending and _are_here(group):
            self._complete(group)

    # -- describe -----------------------------------------------------------------------------------------------

    def described(self, request: Any, version: int, response: Any) -> Complaints:
        """DescribeGroups."""
        for answer in response.groups:
            group, where = self.by_id.get(answer.group_id), f"DescribeGroups of {answer.group_id!r}"
            if (group is not None and not group.is_clear) or not answer.group_id:
                continue
            states = [] if group is None else [group.state]
            if group is None or not group.is_kept:
                states.append(DEAD)
            allowed = codes(ErrorCode.GROUP_ID_NOT_FOUND) if version >= 6 and DEAD in states else frozenset()
            if group is not None or version < 6:
                allowed |= codes(ErrorCode.NONE)
            yield from code_kept(where, answer.error_code, allowed)
            yield from kept(f"{where}: state", answer.group_state, *states)
            if group is None or answer.group_state != group.state:
                continue
            known = Counter(one.id for one in group.members if one.id is not None)
            if len(group.members) == known.total():
                yield from kept(f"{where}: members", sorted(one.member_id for one in answer.members), sorted(known))
            if group.state == STABLE:
                for one in answer.members:
                    member = group.member(one.member_id)
                    if member is not None:
                        yield from kept(f"{where}: assignment", bytes(one.member_assignment), member.assignment)

    def listed(self, request: Any, version: int, response: Any) -> Complaints:
        """ListGroups."""
        if request.states_filter or request.types_filter:
            return
        yield from code_kept("ListGroups", response.error_code, codes(ErrorCode.NONE))
        found = {one.group_id: one for one in response.groups}
        for group in self.by_id.values():
            if group.is_clear and group.is_kept:
                if group.id not in found:
                    yield f"ListGroups: group {group.id!r} is missing"
                elif version >= 4:
                    yield from kept(f"ListGroups: state of {group.id!r}", found[group.id].group_state, group.state)


def _are_here(group: Group) -> bool:
    """Whether all members have joined the generation that gathers."""
    return all(one.joining is not None for one in group.members)


def _supports(group: Group, protocol_type: str, protocols: Sequence[tuple[str, bytes]]) -> bool:
    """Whether somebody with these protocols may join."""
    if group.state == EMPTY:
        return bool(protocol_type and protocols)
    names = [{name for name, _ in one.protocols} for one in group.members]
    return protocol_type == group.protocol_type and any(all(name in own for own in names) for name, _ in protocols)


def _candidates(members: Sequence[Member]) -> tuple[str, ...]:
    """The protocols that all know and that most prefer."""
    common = [name for name, _ in members[0].protocols if all(name in dict(one.protocols) for one in members)]
    votes = Counter(next(name for name, _ in one.protocols if name in common) for one in members)
    most = max(votes.values())
    return tuple(name for name in common if votes[name] == most)
