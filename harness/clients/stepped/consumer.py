"""A minimal consumer, as coroutines: by itself, or as a member of a classic group; without fetch sessions."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from harness.clients.client import ClientTrouble, Consumed, OnChange
from harness.clients.stepped.coordinator import Coordinator, CoordinatorTrouble
from harness.clients.stepped.group_offsets import GroupOffsets
from harness.clients.stepped.leaders import EARLIEST, TROUBLE, Leaders
from harness.clients.stepped.membership import Membership
from harness.history.operations import Assigned, AssignmentChange
from harness.hosts.executor import Executor
from harness.judging.guarantees import ClientSettings
from reference_broker.wire.errors import ErrorCode, is_retriable
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import iter_batches

_FETCH = 1
_PARTITION_BYTES = 1024 * 1024
_AS_COMMITTED = -3
"""The position of a partition that the group has just given: as it has committed, or the start (auto.offset.reset)."""
_AGAIN_S = 0.1
_AUTO_COMMIT_S = 5.0
"""auto.commit.interval.ms."""


class _NotNow(ClientTrouble):
    """A partition cannot be read at present; its leader may have moved."""


class Consumer:
    """SteppedConsumer over connections of our own."""

    def __init__(
        self, executor: Executor, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None = None
    ) -> None:
        self._executor, self._bootstrap, self._settings = executor, bootstrap, settings
        self._client_id, self._group = client_id, group
        self._leaders = Leaders(executor, bootstrap, client_id, timeout_s=settings.fetch_timeout_ms / 1000)
        self._offsets = Leaders(executor, bootstrap, client_id)
        self._isolation = 1 if settings.isolation == "read_committed" else 0
        self._positions: dict[tuple[str, int], int] = {}
        self._turn = 0
        timeout_s = settings.fetch_timeout_ms / 1000
        self._coordinator = Coordinator(executor, bootstrap, client_id, group or "", timeout_s)
        self._of_group = GroupOffsets(executor, self._coordinator, group or "", timeout_s)
        self._member: Membership | None = None
        self._committed_ns = executor.now_ns()

    async def assign(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Reads these partitions from their start."""
        self._positions = dict.fromkeys(partitions, EARLIEST)

    async def subscribe(self, topics: Sequence[str], on_change: OnChange) -> None:
        """Becomes a member of its group when it is polled. ClientTrouble where it has none."""
        group = self._own_group()

        def changed(change: AssignmentChange) -> None:
            given = change.partitions if isinstance(change, Assigned) else ()
            self._positions = dict.fromkeys(given, _AS_COMMITTED)
            on_change(change)

        self._member = Membership(
            self._executor,
            self._bootstrap,
            self._settings,
            self._client_id,
            group,
            self._coordinator,
            self._of_group,
            topics,
            changed,
        )

    async def poll(self, timeout_s: float) -> list[Consumed]:
        """The next records of one partition; the calls go through the partitions in turn.

        As a member of a group it joins first where it must, which may take as long as a rebalance, and is patient with
        partitions that have no leader.
        """
        if self._member is not None:
            await self._commit_by_itself(_AUTO_COMMIT_S)
            if not await self._member.settle():
                return []
        if not self._positions:
            await self._executor.pause(timeout_s)
            return []
        partitions = list(self._positions)
        self._turn += 1
        topic, partition = partitions[self._turn % len(partitions)]
        try:
            return await self._fetch(topic, partition, timeout_s / len(partitions))
        except (*TROUBLE, _NotNow, CoordinatorTrouble) as trouble:
            self._leaders.forget()
            if self._member is not None:
                await self._executor.pause(min(_AGAIN_S, timeout_s))
                return []
            if isinstance(trouble, ClientTrouble):
                raise
            raise ClientTrouble(f"{type(trouble).__name__}: {trouble}") from trouble

    async def _fetch(self, topic: str, partition: int, wait_s: float) -> list[Consumed]:
        position = await self.position(topic, partition)
        connection = await self._leaders.leader(topic, partition)
        asked = FetchPartition(partition=partition, fetch_offset=position, partition_max_bytes=_PARTITION_BYTES)
        request = FetchRequest(
            max_wait_ms=int(wait_s * 1000),
            min_bytes=1,
            max_bytes=_PARTITION_BYTES,
            isolation_level=self._isolation,
            topics=(FetchTopic(topic=TopicName(topic), partitions=(asked,)),),
        )
        response = await connection.request(_FETCH, await connection.highest(_FETCH, 12), request)
        if response.error_code or not response.responses:
            raise ClientTrouble(f"Fetch: {ErrorCode(response.error_code).name}, {len(response.responses)} topics")
        found = response.responses[0].partitions[0]
        if found.error_code:
            kind = _NotNow if is_retriable(found.error_code) else ClientTrouble
            raise kind(f"Fetch of {topic}-{partition} at {position}: {ErrorCode(found.error_code).name}")
        return self._consumed(topic, partition, position, found.records)

    def _consumed(self, topic: str, partition: int, position: int, data: memoryview | None) -> list[Consumed]:
        records: list[Consumed] = []
        for batch in iter_batches(data if data is not None else b""):
            if not batch.crc_is_valid():
                raise ClientTrouble(f"{topic}-{partition}: the batch at {batch.header.base_offset} has a wrong CRC")
            if not batch.header.is_control:
                for record in batch.records():
                    if record.offset >= position:
                        records.append(
                            Consumed(
                                topic=topic,
                                partition=partition,
                                offset=record.offset,
                                timestamp=record.timestamp,
                                key=record.key,
                                value=record.value,
                                headers=record.headers,
                                leader_epoch=batch.header.partition_leader_epoch,
                            )
                        )
            self._positions[topic, partition] = batch.header.next_offset
        return records

    async def seek(self, topic: str, partition: int, offset: int) -> None:
        """Sets the next offset to read."""
        self._positions[topic, partition] = offset

    async def position(self, topic: str, partition: int) -> int:
        """The next offset to read."""
        position = self._positions[topic, partition]
        if position == _AS_COMMITTED:
            committed = await self.committed(topic, partition)
            position = EARLIEST if committed is None else committed
        if position == EARLIEST:
            position = (await self._offsets.offsets(topic, partition))[0]
        self._positions[topic, partition] = position
        return position

    async def commit(self, offsets: Mapping[tuple[str, int], int] | None = None) -> None:
        """Commits these offsets, or the current positions, as a member of its group if it subscribes. ClientTrouble
        where that is refused, or where it has no group."""
        self._own_group()
        wanted = dict(offsets or {where: offset for where, offset in self._positions.items() if offset >= 0})
        if wanted:
            await (self._of_group if self._member is None else self._member).commit(wanted)

    async def committed(self, topic: str, partition: int) -> int | None:
        """The group's committed offset; None when there is none. ClientTrouble where it cannot be told, or where it has
        no group."""
        self._own_group()
        return await self._of_group.committed(topic, partition)

    def _own_group(self) -> str:
        if self._group is None:
            raise ClientTrouble("this consumer has no group")
        return self._group

    async def _commit_by_itself(self, every_s: float) -> None:
        """Commits the positions if it is to do that by itself, and it is time. What fails is done the next time."""
        now_ns = self._executor.now_ns()
        if self._settings.commit != "auto" or now_ns - self._committed_ns < every_s * 1e9:
            return
        self._committed_ns = now_ns
        with contextlib.suppress(ClientTrouble):
            await self.commit()

    async def close(self) -> None:
        """Leaves its group, if any, and closes its connections."""
        if self._member is not None:
            await self._commit_by_itself(0.0)
            await self._member.leave()
        self._coordinator.forget()
        self._leaders.forget()
        self._offsets.forget()
