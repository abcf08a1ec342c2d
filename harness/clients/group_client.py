"""A raw client of one group that notes every answer: what a client library hides from its users.

It looks for the group's coordinator at any node, asks it, and looks again when it is refused or hears nothing, as
clients do.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.clients.connection import RawConnection
from harness.comparing.request_forms import commit, join, offsets, sync
from harness.hosts import cluster_time as time
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from reference_broker.wire.primitives import GroupId, MalformedRequest, TopicName

TROUBLE: Final = (OSError, MalformedRequest)
ANSWER_WITHIN_S: Final = 12.0
"""Longer than a coordinator lets a write wait for its replicas (offsets.commit.timeout.ms is 5 s)."""
SESSION_MS: Final = 45_000
"""Long enough for a coordinator to fail over before the member's session ends."""
REBALANCE_MS: Final = 6_000
FIND, COMMIT, FETCH, JOIN, SYNC, HEARTBEAT = 3, 7, 7, 5, 3, 3
"""The versions that are asked in: with fields by name, and one group in a request."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request and its answer."""

    at_s: float
    """Since the client was made."""
    request: str
    node: int
    """Who was asked."""
    error: ErrorCode | None
    """None where no answer came."""
    offset: int = -1
    """That was committed, or told."""
    found: int = -1
    """The coordinator that FindCoordinator named."""


class GroupClient:
    """`nodes` gives (id, address) of all nodes, the dead ones too. `steps` are all requests so far."""

    def __init__(self, nodes: Callable[[], Sequence[tuple[int, tuple[str, int]]]], group: str, topic: str) -> None:
        self._nodes, self.group, self.topic = nodes, group, topic
        self.steps: list[Step] = []
        self.coordinator: int | None = None
        """The node that was named last; None when it must be looked for."""
        self._connections: dict[int, RawConnection] = {}
        self._turn = itertools.count()
        self._started = time.monotonic()
        self._member_id, self._generation = "", -1

    def close(self) -> None:
        """Closes all connections."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _ask(self, node: int, api_key: ApiKey, version: int, message: Any) -> Any:
        """The answer, or None where none came."""
        try:
            connection = self._connections.get(node)
            if connection is None:
                host, port = dict(self._nodes())[node]
                connection = RawConnection(host, port, client_id="group-client", timeout_s=ANSWER_WITHIN_S)
                self._connections[node] = connection
            return connection.request(api_key, version, message)
        except TROUBLE:
            broken = self._connections.pop(node, None)
            if broken is not None:
                broken.close()
            return None

    def _note(self, request: str, node: int, code: int | None, **more: int) -> ErrorCode | None:
        error = None if code is None else ErrorCode(code)
        self.steps.append(Step(round(time.monotonic() - self._started, 3), request, node, error, **more))
        if error in (None, ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_NOT_AVAILABLE) and request != "find":
            self.coordinator = None
        return error

    def find(self) -> bool:
        """Asks the next node who the coordinator is. Whether it said it."""
        nodes = self._nodes()
        node = nodes[next(self._turn) % len(nodes)][0]
        answer = self._ask(node, ApiKey.FIND_COORDINATOR, FIND, FindCoordinatorRequest(key=self.group))
        if answer is None:
            self._note("find", node, None)
            return False
        error = self._note("find", node, answer.error_code, found=int(answer.node_id))
        if error is ErrorCode.NONE:
            self.coordinator = int(answer.node_id)
        return self.coordinator is not None

    def join(self) -> bool:
        """Becomes the only member of the group. Whether it did."""
        node = self.coordinator
        if node is None:
            return False
        more: dict[str, Any] = {"session_timeout_ms": SESSION_MS, "rebalance_timeout_ms": REBALANCE_MS}
        answer = self._ask(node, ApiKey.JOIN_GROUP, JOIN, join(self.group, self._member_id, **more))
        if answer is not None and answer.error_code == ErrorCode.MEMBER_ID_REQUIRED:
            self._member_id = answer.member_id
            answer = self._ask(node, ApiKey.JOIN_GROUP, JOIN, join(self.group, self._member_id, **more))
        if self._note("join", node, None if answer is None else answer.error_code) is not ErrorCode.NONE:
            return False
        self._generation = answer.generation_id
        wanted = sync(self.group, self._generation, self._member_id, {self._member_id: b"all"})
        answer = self._ask(node, ApiKey.SYNC_GROUP, SYNC, wanted)
        return self._note("sync", node, None if answer is None else answer.error_code) is ErrorCode.NONE

    def heartbeat(self) -> ErrorCode | None:
        """Tells the coordinator that the member lives."""
        node = self._asked()
        message = HeartbeatRequest(
            group_id=GroupId(self.group), generation_id=self._generation, member_id=self._member_id
        )
        answer = self._ask(node, ApiKey.HEARTBEAT, HEARTBEAT, message)
        return self._note("heartbeat", node, None if answer is None else answer.error_code)

    def commit(self, offset: int) -> ErrorCode | None:
        """Commits partition 0 as the member."""
        node = self._asked()
        own: dict[str, Any] = {"member_id": self._member_id, "generation_id_or_member_epoch": self._generation}
        message = commit(self.group, self.topic, offset, **own)
        answer = self._ask(node, ApiKey.OFFSET_COMMIT, COMMIT, message)
        code = None if answer is None else answer.topics[0].partitions[0].error_code
        return self._note("commit", node, code, offset=offset)

    def fill(self, partitions: int, times: int) -> None:
        """Commits many offsets of the partitions behind 0 as the member: so much more is to be loaded, from the same
        partition of __consumer_offsets. ConnectionError when they are not taken."""
        node = self._asked()
        own: dict[str, Any] = {"member_id": self._member_id, "generation_id_or_member_epoch": self._generation}
        for offset in range(times):
            every = tuple(
                OffsetCommitRequestPartition(partition_index=index, committed_offset=offset)
                for index in range(1, partitions)
            )
            named = (OffsetCommitRequestTopic(name=TopicName(self.topic), partitions=every),)
            request = OffsetCommitRequest(group_id=GroupId(self.group), topics=named, **own)
            answer = self._ask(node, ApiKey.OFFSET_COMMIT, COMMIT, request)
            codes = {None} if answer is None else {one.error_code for one in answer.topics[0].partitions}
            if codes != {ErrorCode.NONE}:
                raise ConnectionError(f"node {node} did not take the offsets of group {self.group}: {codes}")

    def fetch(self) -> ErrorCode | None:
        """Asks for the committed offset of partition 0, which must be stable."""
        node = self._asked()
        message = offsets(FETCH, self.group, {self.topic: (0,)}, stable_only=True)
        answer = self._ask(node, ApiKey.OFFSET_FETCH, FETCH, message)
        if answer is None or answer.error_code:
            return self._note("fetch", node, None if answer is None else answer.error_code)
        found = answer.topics[0].partitions[0]
        return self._note("fetch", node, found.error_code, offset=int(found.committed_offset))

    def _asked(self) -> int:
        if self.coordinator is None:
            raise ValueError("no coordinator is known: find one first")
        return self.coordinator
