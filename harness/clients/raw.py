"""The project's own minimal client. Its consumer cannot subscribe, only assign."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from harness.clients.client import ClientTrouble, Consumed, Consumer, OnChange, Producer
from harness.clients.leader_connections import EARLIEST, TROUBLE, LeaderConnections, RawAdmin
from harness.clients.raw_producer import RawProducer
from harness.judging.guarantees import ClientSettings
from reference_broker.wire.errors import ErrorCode, is_retriable
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import iter_batches

_FETCH = 1
_PARTITION_BYTES = 1024 * 1024


class RawConsumer:
    """Consumer over raw connections, without a group and without fetch sessions."""

    def __init__(self, bootstrap: str, settings: ClientSettings, client_id: str) -> None:
        self._view = LeaderConnections(bootstrap, client_id, settings.fetch_timeout_ms / 1000)
        self._admin = RawAdmin(bootstrap, client_id)
        self._isolation = 1 if settings.isolation == "read_committed" else 0
        self._positions: dict[tuple[str, int], int] = {}
        self._turn = 0

    def assign(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Reads these partitions from their start."""
        self._positions = dict.fromkeys(partitions, EARLIEST)

    def subscribe(self, topics: Sequence[str], on_change: OnChange) -> None:
        """Always raises ClientTrouble: this client does not implement groups."""
        raise ClientTrouble("the raw client joins no group: use assign, or another --client")

    def poll(self, timeout_s: float) -> list[Consumed]:
        """The next records of one partition; the calls go through the partitions in turn."""
        if not self._positions:
            time.sleep(timeout_s)
            return []
        partitions = list(self._positions)
        self._turn += 1
        topic, partition = partitions[self._turn % len(partitions)]
        try:
            return self._fetch(topic, partition, timeout_s / len(partitions))
        except TROUBLE as trouble:
            self._view.forget()
            raise ClientTrouble(f"{type(trouble).__name__}: {trouble}") from trouble

    def _fetch(self, topic: str, partition: int, wait_s: float) -> list[Consumed]:
        position = self._positions[topic, partition]
        if position == EARLIEST:
            position = self._positions[topic, partition] = self._admin.offsets(topic, partition)[0]
        connection = self._view.leader(topic, partition)
        asked = FetchPartition(partition=partition, fetch_offset=position, partition_max_bytes=_PARTITION_BYTES)
        request = FetchRequest(
            max_wait_ms=int(wait_s * 1000),
            min_bytes=1,
            max_bytes=_PARTITION_BYTES,
            isolation_level=self._isolation,
            topics=(FetchTopic(topic=TopicName(topic), partitions=(asked,)),),
        )
        response = connection.request(_FETCH, connection.highest(_FETCH, 12), request)
        if response.error_code or not response.responses:
            raise ClientTrouble(f"Fetch: {ErrorCode(response.error_code).name}, {len(response.responses)} topics")
        found = response.responses[0].partitions[0]
        if found.error_code:
            if is_retriable(found.error_code):
                self._view.forget()
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

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """Sets the next offset to read."""
        self._positions[topic, partition] = offset

    def position(self, topic: str, partition: int) -> int:
        """The next offset to read."""
        return self._positions[topic, partition]

    def commit(self, offsets: Mapping[tuple[str, int], int] | None = None) -> None:
        """Always raises ClientTrouble: this client does not implement groups."""
        raise ClientTrouble("the raw client has no group, and commits nothing")

    def committed(self, topic: str, partition: int) -> int | None:
        """Always None: this client does not implement groups."""
        return None

    def close(self) -> None:
        """Closes its connections."""
        self._view.forget()
        self._admin.close()


class Raw:
    """The library `raw`."""

    name = "raw"
    most_in_flight = 1
    acknowledges_by_later = False

    def producer(self, bootstrap: str, settings: ClientSettings, client_id: str) -> Producer:
        """A new producer."""
        return RawProducer(bootstrap, settings, client_id)

    def consumer(self, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None) -> Consumer:
        """A new consumer; the group is ignored."""
        return RawConsumer(bootstrap, settings, client_id)
