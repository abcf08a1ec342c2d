"""A consumer in a world: it reads one partition from its beginning on, and notes what stands at each offset."""

from __future__ import annotations

from typing import Any, Final

from reference_broker.simulation.invariants import PartitionLogs
from reference_broker.simulation.scenario.caller import TROUBLE, Caller, Waits
from reference_broker.simulation.scenario.ledger import AT_THE_END, Ledger, Place
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.fetch_response import PartitionData
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.primitives import BrokerId, TopicName, Uuid
from reference_broker.wire.records import BatchHeader, iter_batches

RETRY_MS: Final = 50
WAIT_MS: Final = 500
LATEST: Final = -1
END_ASKED_EVERY: Final = 5
"""Every so many requests of a reader one is for the end of the partition."""


def request_of(topic_id: Uuid, partition: int, offset: int, *, max_wait_ms: int = WAIT_MS) -> FetchRequest:
    """A fetch of one partition, outside of a session."""
    asked = FetchPartition(partition=partition, fetch_offset=offset, partition_max_bytes=1 << 20)
    topic = FetchTopic(topic_id=topic_id, partitions=(asked,))
    return FetchRequest(max_wait_ms=max_wait_ms, min_bytes=1, max_bytes=1 << 20, topics=(topic,))


def values_of(data: PartitionData, offset: int) -> list[tuple[int, bytes, BatchHeader]]:
    """(offset, value, header of its batch) of the records from an offset on."""
    return [
        (record.offset, bytes(record.value or b""), batch.header)
        for batch in iter_batches(data.records or b"")
        if not batch.header.is_control
        for record in batch.records()
        if record.offset >= offset
    ]


class Reader:
    """Reads until it is told to stop, and asks now and then where the partition ends."""

    def __init__(self, caller: Caller, ledger: Ledger, logs: PartitionLogs, place: Place) -> None:
        self.caller, self._ledger, self._logs, self.place = caller, ledger, logs, place
        self.is_stopping = self.has_stopped = False
        self.offset = 0

    def run(self) -> Waits:
        """Until `is_stopping`."""
        self.is_stopping = self.has_stopped = False
        fetches = 0
        while not self.is_stopping:
            fetches += 1
            try:
                is_good = yield from self._fetch() if fetches % END_ASKED_EVERY else self._ask_end()
            except TROUBLE:
                is_good = False
            if not is_good:
                self.caller.forget(*self.place)
                yield self.caller.world.sleep(RETRY_MS)
        self.has_stopped = True

    def _fetch(self) -> Waits:
        caller, (topic, partition) = self.caller, self.place
        address, topic_id = yield from caller.leader(topic, partition)
        answer: Any = yield from caller.call(address, ApiKey.FETCH, request_of(topic_id, partition, self.offset))
        if answer.error_code or not answer.responses:
            return answer.error_code == ErrorCode.NONE
        (data,) = answer.responses[0].partitions
        committed_end = self._logs.committed_end((topic_id, partition))
        for offset, value, header in values_of(data, self.offset):
            if offset >= committed_end:
                self._ledger.broken(self.place, offset, f"{value!r} was read there before it was committed")
            # What nobody committed was told just now, or is compared with what stands there in the end.
            epoch = self._logs.epoch_of(topic_id, partition, header.base_offset, header.crc)
            self._ledger.note_read(self.place, offset, value, header.partition_leader_epoch if epoch is None else epoch)
            self.offset = offset + 1
        if data.error_code == ErrorCode.OFFSET_OUT_OF_RANGE:
            # Only after an unclean election; a reader that began behind the end would be told of it by the ledger.
            self.offset = 0
        return data.error_code == ErrorCode.NONE

    def _ask_end(self) -> Waits:
        """ListOffsets tells no end beyond what is committed, and none before what a client knew when it asked.

        The latter is for the latest leader to know, if it led when it was asked (KIP-207): an earlier one may not have
        heard of it yet.
        """
        caller, place = self.caller, self.place
        address, topic_id = yield from caller.leader(*place)
        key = (topic_id, place[1])
        known, leading = max(self.offset, self._ledger.ends.get(place, 0)), self._logs.leading(key)
        answer = yield from caller.call(address, ApiKey.LIST_OFFSETS, end_request(place))
        (found,) = answer.topics[0].partitions
        if found.error_code != ErrorCode.NONE:
            return False
        if found.offset > self._logs.committed_end(key):
            self._ledger.broken(place, found.offset, "is told as the end, and what is before it is not committed")
        is_latest = leading == self._logs.leading(key) and leading[1] == caller.world.network.addresses[address]
        if is_latest and found.offset < known and not self._ledger.may_lose(place, AT_THE_END, -1, AT_THE_END):
            self._ledger.broken(place, found.offset, f"is told as the end, and before it was {known} at least")
        return True


def end_request(place: Place) -> ListOffsetsRequest:
    """Asks for the end of a partition."""
    asked = ListOffsetsPartition(partition_index=place[1], timestamp=LATEST)
    topic = ListOffsetsTopic(name=TopicName(place[0]), partitions=(asked,))
    return ListOffsetsRequest(replica_id=BrokerId(-1), topics=(topic,))


def end_offset(caller: Caller, place: Place, limit_ms: int) -> Waits:
    """A partition's high watermark, once its leader knows what was acknowledged before it (KIP-207). TimeoutError."""
    world, (topic, partition) = caller.world, place
    end_us = world.now_us + limit_ms * 1000
    request = end_request(place)
    while world.now_us < end_us:
        try:
            address, _ = yield from caller.leader(topic, partition)
            answer = yield from caller.call(address, ApiKey.LIST_OFFSETS, request)
            (found,) = answer.topics[0].partitions
            if found.error_code == ErrorCode.NONE:
                return found.offset
        except TROUBLE:
            pass
        caller.forget(topic, partition)
        yield world.sleep(RETRY_MS)
    raise TimeoutError(f"the end of {topic}-{partition} cannot be known")


def final_read(caller: Caller, place: Place, limit_ms: int) -> Waits:
    """All values of a partition by offset, up to its end. TimeoutError where it cannot be had."""
    world, values, offset = caller.world, dict[int, bytes](), 0
    end_us = world.now_us + limit_ms * 1000
    end = yield from end_offset(caller, place, limit_ms)
    while world.now_us < end_us:
        try:
            address, topic_id = yield from caller.leader(*place)
            answer = yield from caller.call(
                address, ApiKey.FETCH, request_of(topic_id, place[1], offset, max_wait_ms=0)
            )
        except TROUBLE:
            data = None
        else:
            data = answer.responses[0].partitions[0] if answer.responses else None
        if data is None or data.error_code:
            caller.forget(*place)
            yield world.sleep(RETRY_MS)
            continue
        found = values_of(data, offset)
        values.update((at, value) for at, value, _ in found)
        offset = found[-1][0] + 1 if found else offset
        if offset >= end:
            return values
        if not found:
            yield world.sleep(RETRY_MS)
    raise TimeoutError(f"{place[0]}-{place[1]} cannot be read up to {end}")
