"""A member of a classic group, as coroutines: it joins, is given partitions, sends heartbeats, and leaves.

The eager protocol of Kafka's RangeAssignor: a member gives all its partitions back before it joins again. It joins only
when its consumer polls, so what a poll returns comes from partitions that the member has. Heartbeats are sent by a task
of their own.

Source: protocol guide, "Group Membership Protocol"; KIP-62 (heartbeats), KIP-394 (member ids).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from harness.clients.client import ClientTrouble, OnChange
from harness.clients.stepped import assignor
from harness.clients.stepped.assignor import TopicPartitions
from harness.clients.stepped.coordinator import Coordinator, CoordinatorTrouble
from harness.clients.stepped.group_offsets import NO_GENERATION, GroupOffsets
from harness.clients.stepped.leaders import Leaders
from harness.history.operations import Assigned, Lost, Revoked
from harness.hosts.executor import Executor
from harness.judging.guarantees import ClientSettings
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode, is_retriable
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest, SyncGroupRequestAssignment
from reference_broker.wire.primitives import GroupId

_JOIN, _SYNC, _HEARTBEAT, _LEAVE = 5, 3, 3, 4
"""The versions that are asked in."""
_PROTOCOL_TYPE: Final = "consumer"
_REBALANCE_S: Final = 10.0
"""How long the coordinator waits for members to join again (rebalance timeout)."""
_LATER_S: Final = 5.0
"""How much longer the answer to a JoinGroup may take, as in Kafka's clients."""
_BEAT_S: Final = 0.5
_AGAIN_S: Final = 0.1
_JOINS_AGAIN: Final = frozenset(
    {ErrorCode.REBALANCE_IN_PROGRESS, ErrorCode.ILLEGAL_GENERATION, ErrorCode.UNKNOWN_MEMBER_ID}
)
"""What a member is told when its generation is over."""
_LOSES: Final = frozenset({ErrorCode.ILLEGAL_GENERATION, ErrorCode.UNKNOWN_MEMBER_ID})
"""What it is told when others may have its partitions already."""


class Membership:
    """One member. `on_change` is told what it is given, gives back and has lost."""

    def __init__(
        self,
        executor: Executor,
        bootstrap: str,
        settings: ClientSettings,
        client_id: str,
        group: str,
        coordinator: Coordinator,
        offsets: GroupOffsets,
        topics: Sequence[str],
        on_change: OnChange,
    ) -> None:
        """`coordinator` and `offsets` are the consumer's, which alone uses them."""
        self.owned: TopicPartitions = ()
        self._executor, self._group, self._topics, self._on_change = executor, group, tuple(topics), on_change
        self._session_ms = settings.session_timeout_ms
        self._timeout_s = settings.fetch_timeout_ms / 1000
        self._leaders = Leaders(executor, bootstrap, client_id, timeout_s=self._timeout_s)
        self._coordinator, self._offsets = coordinator, offsets
        # Heartbeats have a connection of their own: an answer to a JoinGroup may take as long as a rebalance.
        self._heart = Coordinator(executor, bootstrap, client_id, group, self._session_ms / 1000)
        self._member_id, self._generation = "", NO_GENERATION
        self._given_in = NO_GENERATION
        """The generation in which it was given what it owns."""
        self._is_joining = False
        self._must_join = True
        self._has_lost = False
        self._leaves = executor.signal()
        self._has_left = executor.signal()
        executor.start(f"{client_id}-heartbeat", self._beat)

    # -- joining ------------------------------------------------------------------------------------------------

    async def settle(self) -> bool:
        """Joins the group if it must; whether it is a member now that has its partitions. ClientTrouble when the group
        refuses it for good."""
        if not self._must_join:
            return True
        self._give_back()
        self._is_joining = True
        try:
            await self._join()
            self._must_join = False
            return True
        except CoordinatorTrouble as trouble:
            self._heed(trouble.error)
            if trouble.error is not None and not is_retriable(trouble.error) and trouble.error not in _JOINS_AGAIN:
                raise
            await self._executor.pause(_AGAIN_S)
            return False
        finally:
            self._is_joining = False

    def _give_back(self) -> None:
        kind = Lost if self._has_lost else Revoked
        owned, self.owned, self._has_lost = self.owned, (), False
        if owned:
            self._on_change(kind(self._group, owned, self._given_in, self._member_id))

    async def _join(self) -> None:
        joined = await self._joined()
        self._generation, self._member_id = int(joined.generation_id), str(joined.member_id)
        given: Mapping[str, TopicPartitions] = {}
        if joined.leader == joined.member_id:
            given = await self._shares({one.member_id: assignor.subscribed(one.metadata) for one in joined.members})
        synced = await self._coordinator.ask(
            ApiKey.SYNC_GROUP,
            _SYNC,
            SyncGroupRequest(
                group_id=GroupId(self._group),
                generation_id=self._generation,
                member_id=self._member_id,
                assignments=tuple(
                    SyncGroupRequestAssignment(member_id=member, assignment=assignor.assignment(partitions))
                    for member, partitions in given.items()
                ),
            ),
            _REBALANCE_S + _LATER_S,
        )
        self._coordinator.check("SyncGroup", synced.error_code)
        self.owned, self._given_in = assignor.assigned(bytes(synced.assignment)), self._generation
        self._on_change(Assigned(self._group, self.owned, self._generation, self._member_id))

    async def _joined(self) -> Any:
        """The answer to a JoinGroup, which is asked again with the member id that the coordinator has chosen."""
        protocol = JoinGroupRequestProtocol(name=assignor.NAME, metadata=assignor.subscription(self._topics))
        for _ in range(2):
            request = JoinGroupRequest(
                group_id=GroupId(self._group),
                session_timeout_ms=self._session_ms,
                rebalance_timeout_ms=int(_REBALANCE_S * 1000),
                member_id=self._member_id,
                protocol_type=_PROTOCOL_TYPE,
                protocols=(protocol,),
            )
            answer = await self._coordinator.ask(ApiKey.JOIN_GROUP, _JOIN, request, _REBALANCE_S + _LATER_S)
            if answer.error_code != ErrorCode.MEMBER_ID_REQUIRED:
                break
            self._member_id = str(answer.member_id)
        self._coordinator.check("JoinGroup", answer.error_code)
        return answer

    async def _shares(self, topics_of: Mapping[str, Sequence[str]]) -> dict[str, TopicPartitions]:
        """What the leader gives to each member. CoordinatorTrouble while a topic is not known."""
        counts: dict[str, int] = {}
        for topic in sorted({topic for topics in topics_of.values() for topic in topics}):
            counts[topic] = await self._leaders.count(topic)
            if not counts[topic]:
                raise CoordinatorTrouble(f"topic {topic} of group {self._group} is not known")
        return assignor.shares(topics_of, counts)

    def _heed(self, error: ErrorCode | None) -> None:
        """What an error says about this member."""
        if error is ErrorCode.UNKNOWN_MEMBER_ID:
            self._member_id = ""
        if error in _LOSES:
            self._generation, self._has_lost = NO_GENERATION, bool(self.owned)
        if error in _JOINS_AGAIN:
            self._must_join = True

    # -- heartbeats ---------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        while not await self._leaves.wait(_BEAT_S):
            generation = self._generation
            if generation == NO_GENERATION or self._is_joining:
                continue
            request = HeartbeatRequest(
                group_id=GroupId(self._group), generation_id=generation, member_id=self._member_id
            )
            try:
                answer = await self._heart.ask(ApiKey.HEARTBEAT, _HEARTBEAT, request)
                self._heart.check("Heartbeat", answer.error_code)
            except CoordinatorTrouble as trouble:
                if generation == self._generation and not self._is_joining:
                    self._heed(trouble.error)
        self._heart.forget()
        self._has_left.set()

    async def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commits these offsets, each the next one to read. ClientTrouble when they are refused, or when no coordinator
        takes them in time."""
        if self._generation == NO_GENERATION:
            raise ClientTrouble(f"nothing is committed: this consumer is no member of group {self._group} now")
        try:
            await self._offsets.commit(offsets, generation=self._generation, member_id=self._member_id)
        except CoordinatorTrouble as trouble:
            self._heed(trouble.error)
            raise

    # -- its end ------------------------------------------------------------------------------------------------

    async def leave(self) -> None:
        """Gives its partitions back, and leaves the group if its coordinator can be reached."""
        self._give_back()
        self._leaves.set()
        if self._generation != NO_GENERATION:
            member = MemberIdentity(member_id=self._member_id)
            request = LeaveGroupRequest(group_id=GroupId(self._group), members=(member,))
            with contextlib.suppress(CoordinatorTrouble):  # its session ends without it
                await self._coordinator.ask(ApiKey.LEAVE_GROUP, _LEAVE, request, _LATER_S)
        await self._has_left.wait(self._timeout_s)
        self._leaders.forget()
