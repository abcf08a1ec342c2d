"""A member of a consumer group in a world: the classic protocol, with commits of ever new offsets."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from reference_broker.simulation.client import ConnectionLost
from reference_broker.simulation.network import Address
from reference_broker.simulation.scenario.caller import Caller, Waits
from reference_broker.simulation.scenario.group_ledger import GroupLedger
from reference_broker.simulation.scenario.ledger import Place
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol
from reference_broker.wire.messages.join_group_response import JoinGroupResponse
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from reference_broker.wire.messages.offset_fetch_request import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
)
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest, SyncGroupRequestAssignment
from reference_broker.wire.primitives import GroupId, Uuid

RETRY_MS: Final = 50
SESSION_MS: Final = 1500
REBALANCE_MS: Final = 1500
JOIN_LIMIT_MS: Final = 4000
PAUSE_MS: Final = 150
"""How long a member waits between rounds of heartbeat, fetch and commit, on the average."""
SUBSCRIPTION: Final = b"\0\0\0\0\0\1\0\1t\xff\xff\xff\xff"
"""Of the topic `t`, as the consumer's protocol writes it."""
ELSEWHERE: Final = (ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_NOT_AVAILABLE)
REFUSED: Final = (
    ErrorCode.ILLEGAL_GENERATION,
    ErrorCode.UNKNOWN_MEMBER_ID,
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
)
"""After these a commit has no effect, now or later."""


class Membership(Struct, frozen=True):
    """A member that comes at a time, and goes at another one in order; never where that is 0."""

    at_ms: int
    group: int
    until_ms: int = 0

    def __str__(self) -> str:
        leaves = f" until {self.until_ms} ms" if self.until_ms else ""
        return f"{self.at_ms} ms a member of group {self.group}{leaves}"


class Offsets:
    """Where offsets that are committed come from: no two are the same."""

    def __init__(self) -> None:
        self._latest = -1

    def next(self) -> int:
        """Another one."""
        self._latest += 1
        return self._latest


class Member:
    """Joins, and works until it is told to stop, or to leave."""

    def __init__(
        self,
        caller: Caller,
        ledger: GroupLedger,
        offsets: Offsets,
        group: str,
        topic_id: Uuid,
        places: tuple[Place, ...],
    ) -> None:
        self.caller, self._ledger, self._offsets = caller, ledger, offsets
        self.group, self._topic_id, self._places = group, topic_id, places
        self.is_stopping = self.is_leaving = False
        self._coordinator = -1
        self._address: Address = ("", 0)
        self._member_id, self._generation = "", -1
        self._owned: tuple[Place, ...] = ()

    def run(self) -> Waits:
        """Until `is_stopping` or `is_leaving`."""
        world = self.caller.world
        while not (self.is_stopping or self.is_leaving):
            if self._coordinator < 0:
                yield from self._find()
            elif self._generation < 0:
                yield from self._join()
            else:
                yield world.sleep(1 + world.random.randrange(0, 2 * PAUSE_MS))
                yield from self._work()
        if self.is_leaving and self._coordinator >= 0 and self._member_id:
            leaving = (MemberIdentity(member_id=self._member_id),)
            yield from self._call(ApiKey.LEAVE_GROUP, LeaveGroupRequest(group_id=GroupId(self.group), members=leaving))

    def _call(self, api_key: ApiKey, message: Any, limit_ms: int | None = None) -> Waits:
        """The answer; None where none came."""
        try:
            if limit_ms is None:
                return (yield from self.caller.call(self._address, api_key, message))
            return (yield from self.caller.call(self._address, api_key, message, limit_ms))
        except ConnectionLost:
            return None

    def _take(self, code: int | None) -> Waits:
        """What an answer's error means for the membership; waits a moment where it is one. None: no answer came."""
        if code == ErrorCode.NONE:
            return
        if code is None or code in ELSEWHERE:
            self._coordinator = -1
        elif code == ErrorCode.UNKNOWN_MEMBER_ID:
            self._member_id, self._generation = "", -1
        elif code in (ErrorCode.ILLEGAL_GENERATION, ErrorCode.REBALANCE_IN_PROGRESS):
            self._generation = -1
        yield self.caller.world.sleep(RETRY_MS)

    def _find(self) -> Waits:
        try:
            request = FindCoordinatorRequest(coordinator_keys=(self.group,))
            answer = yield from self.caller.call_any(ApiKey.FIND_COORDINATOR, request)
        except ConnectionLost:
            yield self.caller.world.sleep(RETRY_MS)
            return
        (found,) = answer.coordinators
        if found.error_code == ErrorCode.NONE:
            self._coordinator, self._address = found.node_id, (found.host, found.port)
        else:
            yield self.caller.world.sleep(RETRY_MS)

    def _join(self) -> Waits:
        request = JoinGroupRequest(
            group_id=GroupId(self.group),
            member_id=self._member_id,
            session_timeout_ms=SESSION_MS,
            rebalance_timeout_ms=REBALANCE_MS,
            protocol_type="consumer",
            protocols=(JoinGroupRequestProtocol(name="range", metadata=SUBSCRIPTION),),
        )
        answer = yield from self._call(ApiKey.JOIN_GROUP, request, JOIN_LIMIT_MS)
        if answer is not None and answer.error_code == ErrorCode.MEMBER_ID_REQUIRED:
            self._member_id = answer.member_id
            return
        yield from self._take(None if answer is None else answer.error_code)
        if answer is None or answer.error_code:
            return
        self._member_id = answer.member_id
        yield from self._sync(answer)

    def _sync(self, joined: JoinGroupResponse) -> Waits:
        sent_us = self.caller.world.now_us
        request = SyncGroupRequest(
            group_id=GroupId(self.group),
            generation_id=joined.generation_id,
            member_id=self._member_id,
            protocol_type="consumer",
            protocol_name="range",
            assignments=self._assignments(joined) if joined.leader == self._member_id else (),
        )
        node = self._coordinator
        answer = yield from self._call(ApiKey.SYNC_GROUP, request, JOIN_LIMIT_MS)
        yield from self._take(None if answer is None else answer.error_code)
        if answer is None or answer.error_code:
            return
        self._generation = joined.generation_id
        self._owned = tuple(place for place in self._places if place[1] in answer.assignment)
        self._ledger.note_assigned(
            self.group, self._generation, self._member_id, self._owned, node=node, sent_us=sent_us
        )

    def _assignments(self, joined: JoinGroupResponse) -> tuple[SyncGroupRequestAssignment, ...]:
        """Partition by partition to the next member; another one first in each generation."""
        members = sorted(one.member_id for one in joined.members)
        owned: dict[str, list[int]] = {member: [] for member in members}
        for _, partition in self._places:
            owned[members[(partition + joined.generation_id) % len(members)]].append(partition)
        return tuple(
            SyncGroupRequestAssignment(member_id=member, assignment=bytes(partitions))
            for member, partitions in owned.items()
        )

    def _work(self) -> Waits:
        """One round."""
        beat = HeartbeatRequest(group_id=GroupId(self.group), generation_id=self._generation, member_id=self._member_id)
        answer = yield from self._call(ApiKey.HEARTBEAT, beat)
        yield from self._take(None if answer is None else answer.error_code)
        for place in self._owned:
            if self._coordinator < 0 or self._generation < 0:
                return
            code = yield from self._fetch(place)
            yield from self._take(code)
            if code == ErrorCode.NONE:
                yield from self._commit(place)

    def _fetch(self, place: Place) -> Waits:
        ledger, node = self._ledger, self._coordinator
        floor_us = ledger.floor_us(self.group, node, place)
        answer = yield from self._call(ApiKey.OFFSET_FETCH, committed_request(self.group, self._topic_id, place))
        if answer is None:
            return None
        code, offset = committed_in(answer)
        if code == ErrorCode.NONE:
            ledger.note_fetched(self.group, place, offset, floor_us=floor_us, node=node)
        return code

    def _commit(self, place: Place) -> Waits:
        world, register, node = self.caller.world, self._ledger.register(self.group, place), self._coordinator
        write = register.begin(self._offsets.next(), world.now_us)
        partition = OffsetCommitRequestPartition(partition_index=place[1], committed_offset=write.value)  # type: ignore[arg-type]
        request = OffsetCommitRequest(
            group_id=GroupId(self.group),
            generation_id_or_member_epoch=self._generation,
            member_id=self._member_id,
            topics=(OffsetCommitRequestTopic(topic_id=self._topic_id, partitions=(partition,)),),
        )
        answer = yield from self._call(ApiKey.OFFSET_COMMIT, request)
        code = None if answer is None else answer.topics[0].partitions[0].error_code
        if code == ErrorCode.NONE:
            self._ledger.note_committed(self.group, place, write, node=node, now_us=world.now_us)
        write.is_refused = code in REFUSED
        yield from self._take(code)


def committed_request(group: str, topic_id: Uuid, place: Place) -> OffsetFetchRequest:
    """Asks what a group has committed for a partition."""
    topics = (OffsetFetchRequestTopics(topic_id=topic_id, partition_indexes=(place[1],)),)
    return OffsetFetchRequest(groups=(OffsetFetchRequestGroup(group_id=GroupId(group), topics=topics),))


def committed_in(answer: Any) -> tuple[int, int]:
    """(error code, offset) of an answer to it."""
    (found,) = answer.groups
    if found.error_code:
        return found.error_code, -1
    told = found.topics[0].partitions[0]
    return told.error_code, told.committed_offset


def final_offset(caller: Caller, ledger: GroupLedger, group: str, topic_id: Uuid, place: Place) -> Waits:
    """Ask the coordinator until it says what a group has committed; the ledger judges it."""
    world = caller.world
    while True:
        try:
            request = FindCoordinatorRequest(coordinator_keys=(group,))
            (found,) = (yield from caller.call_any(ApiKey.FIND_COORDINATOR, request)).coordinators
            if found.error_code == ErrorCode.NONE:
                sent_us = world.now_us
                answer = yield from caller.call(
                    (found.host, found.port), ApiKey.OFFSET_FETCH, committed_request(group, topic_id, place)
                )
                code, offset = committed_in(answer)
                if code == ErrorCode.NONE:
                    ledger.judge(group, place, offset, node=found.node_id, now_us=sent_us)
                    return
        except ConnectionLost:
            pass
        yield world.sleep(RETRY_MS)
