"""A minimal consumer, as coroutines: without a group, and without fetch sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.clients.client import ClientTrouble, Consumed, OnChange
from harness.clients.stepped.leaders import EARLIEST, TROUBLE, Leaders
from harness.hosts.executor import Executor
from harness.judging.guarantees import ClientSettings
from reference_broker.wire.errors import ErrorCode, is_retriable
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import iter_batches

_FETCH = 1
_PARTITION_BYTES = 1024 * 1024


class Consumer:
    """SteppedConsumer over connections of our own."""

    def __init__(self, executor: Executor, bootstrap: str, settings: ClientSettings, client_id: str) -> None:
        self._executor = executor
        self._leaders = Leaders(executor, bootstrap, client_id, timeout_s=settings.fetch_timeout_ms / 1000)
        self._offsets = Leaders(executor, bootstrap, client_id)
        self._isolation = 1 if settings.isolation == "read_committed" else 0
        self._positions: dict[tuple[str, int], int] = {}
        self._turn = 0

    async def assign(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Reads these partitions from their start."""
        self._positions = dict.fromkeys(partitions, EARLIEST)

    async def subscribe(self, topics: Sequence[str], on_change: OnChange) -> None:
        """Always raises ClientTrouble: this client does not implement groups."""
        raise ClientTrouble("the raw client joins no group: use assign, or another --client")

    async def poll(self, timeout_s: float) -> list[Consumed]:
        """The next records of one partition; the calls go through the partitions in turn."""
        if not self._positions:
            await self._executor.pause(timeout_s)
            return []
        partitions = list(self._positions)
        self._turn += 1
        topic, partition = partitions[self._turn % len(partitions)]
        try:
            return await self._fetch(topic, partition, timeout_s / len(partitions))
        except TROUBLE as trouble:
            self._leaders.forget()
            raise ClientTrouble(f"{type(trouble).__name__}: {trouble}") from trouble

    async def _fetch(self, topic: str, partition: int, wait_s: float) -> list[Consumed]:
        position = self._positions[topic, partition]
        if position == EARLIEST:
            position = self._positions[topic, partition] = (await self._offsets.offsets(topic, partition))[0]
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
            if is_retriable(found.error_code):
                self._leaders.forget()
            raise ClientTrouble(f"Fetch of {topic}-{partition} at {position}: {ErrorCode(found.error_code).name}")
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
        return self._positions[topic, partition]

    async def commit(self, offsets: Mapping[tuple[str, int], int] | None = None) -> None:
        """Always raises ClientTrouble: this client does not implement groups."""
        raise ClientTrouble("the raw client has no group, and commits nothing")

    async def close(self) -> None:
        """Closes its connections."""
        self._leaders.forget()
        self._offsets.forget()
