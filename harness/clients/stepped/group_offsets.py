"""Offsets that a group commits, as coroutines: written and read at its coordinator, patiently while that moves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from harness.clients.stepped.coordinator import Coordinator, CoordinatorTrouble
from harness.hosts.executor import Executor
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode, is_retriable
from reference_broker.wire.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from reference_broker.wire.messages.offset_fetch_request import OffsetFetchRequest, OffsetFetchRequestTopic
from reference_broker.wire.primitives import GroupId, TopicName

_COMMIT, _FETCH = 7, 7
"""The versions that are asked in: with topics by name, and one group in a request."""
_AGAIN_S: Final = 0.1
NO_GENERATION: Final = -1
"""Of a client that commits for a group without being a member."""


class GroupOffsets:
    """The committed offsets of one group. `timeout_s` is for how long a request is repeated."""

    def __init__(self, executor: Executor, coordinator: Coordinator, group: str, timeout_s: float) -> None:
        self._executor, self._coordinator = executor, coordinator
        self._group, self._timeout_s = group, timeout_s

    async def commit(
        self, offsets: Mapping[tuple[str, int], int], *, generation: int = NO_GENERATION, member_id: str = ""
    ) -> None:
        """Commits these offsets, each the next one to read. CoordinatorTrouble when they are refused, or when no
        coordinator takes them in time."""
        topics = tuple(
            OffsetCommitRequestTopic(
                name=TopicName(topic),
                partitions=tuple(
                    OffsetCommitRequestPartition(partition_index=partition, committed_offset=offset)
                    for (name, partition), offset in offsets.items()
                    if name == topic
                ),
            )
            for topic in dict.fromkeys(topic for topic, _ in offsets)
        )
        request = OffsetCommitRequest(
            group_id=GroupId(self._group),
            generation_id_or_member_epoch=generation,
            member_id=member_id,
            topics=topics,
        )

        async def attempt() -> None:
            answer = await self._coordinator.ask(ApiKey.OFFSET_COMMIT, _COMMIT, request)
            for topic in answer.topics:
                for one in topic.partitions:
                    self._coordinator.check(f"OffsetCommit of {topic.name}-{one.partition_index}", one.error_code)

        await self._patiently(attempt)

    async def committed(self, topic: str, partition: int) -> int | None:
        """The group's committed offset; None when there is none. CoordinatorTrouble when no coordinator tells it in
        time."""
        asked = OffsetFetchRequestTopic(name=TopicName(topic), partition_indexes=(partition,))
        request = OffsetFetchRequest(group_id=GroupId(self._group), topics=(asked,), require_stable=True)
        found = -1

        async def attempt() -> None:
            nonlocal found
            answer = await self._coordinator.ask(ApiKey.OFFSET_FETCH, _FETCH, request)
            self._coordinator.check("OffsetFetch", answer.error_code)
            one = answer.topics[0].partitions[0]
            self._coordinator.check(f"OffsetFetch of {topic}-{partition}", one.error_code)
            found = int(one.committed_offset)

        await self._patiently(attempt)
        return None if found < 0 else found

    async def _patiently(self, attempt: Callable[[], Awaitable[None]]) -> None:
        deadline_ns = self._executor.now_ns() + int(self._timeout_s * 1e9)
        while True:
            try:
                await attempt()
                return
            except CoordinatorTrouble as trouble:
                is_final = trouble.error is not None and not is_retriable(trouble.error)
                # A rebalance is no matter of patience: this client itself must join first.
                is_final = is_final or trouble.error is ErrorCode.REBALANCE_IN_PROGRESS
                if is_final or self._executor.now_ns() > deadline_ns:
                    raise
                await self._executor.pause(_AGAIN_S)
