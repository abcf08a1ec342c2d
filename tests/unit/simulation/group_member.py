"""A member of a group in a world: it joins, commits, asks for what it committed, and notes every answer."""

from __future__ import annotations

from typing import Any

from harness.clients.group_client import Step
from reference_broker.simulation.client import ConnectionLost
from reference_broker.simulation.scenario.caller import Caller, Waits
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol
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

RETRY_MS = 50
LIMIT_MS = 6_000
GROUP_API = {"fetch": ApiKey.OFFSET_FETCH, "commit": ApiKey.OFFSET_COMMIT, "heartbeat": ApiKey.HEARTBEAT}
LOOKED_FOR_AGAIN = (ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_NOT_AVAILABLE)


class GroupMember:
    """The only member of its group. `is_stable`: OffsetFetch waits for what is not replicated."""

    def __init__(self, caller: Caller, group: str, topic_id: Uuid, *, is_stable: bool) -> None:
        self.caller, self.group, self._topic_id, self._is_stable = caller, GroupId(group), topic_id, is_stable
        self.steps: list[Step] = []
        self.acknowledged = 0
        self.coordinator: int | None = None
        self._address = ("", 0)
        self._member_id, self._generation = "", -1
        self._offset = -1

    def run(self) -> Waits:
        """For ever: join once, then beat, fetch and commit."""
        while True:
            yield self.caller.world.sleep(1 + self.caller.world.random.randrange(0, RETRY_MS))
            if self.coordinator is None:
                yield from self._find()
            elif self._generation < 0:
                yield from self._join()
            else:
                for request in ("heartbeat", "fetch", "commit"):
                    if (yield from self._work(request)) is not ErrorCode.NONE:
                        break

    def _note(self, request: str, error: int | None, offset: int = -1) -> ErrorCode | None:
        code = None if error is None else ErrorCode(error)
        at_s = self.caller.world.now_us / 1_000_000
        self.steps.append(Step(at_s, request, -1 if self.coordinator is None else self.coordinator, code, offset))
        if code is None or code in LOOKED_FOR_AGAIN:
            self.coordinator = None
        return code

    def _call(self, api_key: ApiKey, message: Any) -> Waits:
        """The answer; None where none came."""
        try:
            return (yield from self.caller.call(self._address, api_key, message, LIMIT_MS))
        except ConnectionLost:
            return None

    def _find(self) -> Waits:
        try:
            request = FindCoordinatorRequest(coordinator_keys=(self.group,))
            answer = yield from self.caller.call_any(ApiKey.FIND_COORDINATOR, request, RETRY_MS * 20)
        except ConnectionLost:
            self._note("find", None)
            return
        (found,) = answer.coordinators
        if self._note("find", found.error_code) is ErrorCode.NONE:
            self.coordinator, self._address = found.node_id, (found.host, found.port)

    def _join(self) -> Waits:
        request = JoinGroupRequest(
            group_id=self.group,
            member_id=self._member_id,
            session_timeout_ms=45_000,
            rebalance_timeout_ms=6_000,
            protocol_type="consumer",
            protocols=(JoinGroupRequestProtocol(name="range", metadata=b"\0\0\0\0\0\0\xff\xff\xff\xff"),),
        )
        answer = yield from self._call(ApiKey.JOIN_GROUP, request)
        if answer is not None and answer.error_code == ErrorCode.MEMBER_ID_REQUIRED:
            self._member_id = answer.member_id
            return
        if self._note("join", None if answer is None else answer.error_code) is not ErrorCode.NONE:
            return
        generation = answer.generation_id
        whole = SyncGroupRequestAssignment(member_id=self._member_id, assignment=b"all")
        request = SyncGroupRequest(
            group_id=self.group,
            generation_id=generation,
            member_id=self._member_id,
            protocol_type="consumer",
            protocol_name="range",
            assignments=(whole,),
        )
        answer = yield from self._call(ApiKey.SYNC_GROUP, request)
        if self._note("sync", None if answer is None else answer.error_code) is ErrorCode.NONE:
            self._generation = generation

    def _work(self, request: str) -> Waits:
        if request == "commit":
            self._offset += 1
        answer = yield from self._call(GROUP_API[request], self._message(request))
        if answer is None:
            return self._note(request, None, self._offset if request == "commit" else -1)
        if request == "heartbeat":
            return self._note(request, answer.error_code)
        if request == "commit":
            self.acknowledged += 1
            return self._note(request, answer.topics[0].partitions[0].error_code, self._offset)
        (found,) = answer.groups
        if found.error_code:
            return self._note(request, found.error_code)
        told = found.topics[0].partitions[0]
        return self._note(request, told.error_code, told.committed_offset)

    def _message(self, request: str) -> Any:
        if request == "heartbeat":
            return HeartbeatRequest(group_id=self.group, generation_id=self._generation, member_id=self._member_id)
        if request == "commit":
            partition = OffsetCommitRequestPartition(partition_index=0, committed_offset=self._offset)
            return OffsetCommitRequest(
                group_id=self.group,
                generation_id_or_member_epoch=self._generation,
                member_id=self._member_id,
                topics=(OffsetCommitRequestTopic(topic_id=self._topic_id, partitions=(partition,)),),
            )
        asked = OffsetFetchRequestTopics(topic_id=self._topic_id, partition_indexes=(0,))
        group = OffsetFetchRequestGroup(group_id=self.group, topics=(asked,))
        return OffsetFetchRequest(groups=(group,), require_stable=self._is_stable)
