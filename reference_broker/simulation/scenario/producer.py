"""An idempotent producer in a world: acks=all, one batch at a time, retried until it is known what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from reference_broker.simulation.client import ConnectionLost
from reference_broker.simulation.clock import BEGINNING_MS
from reference_broker.simulation.scenario.caller import TROUBLE, Caller, Waits
from reference_broker.simulation.scenario.ledger import Ledger, Place
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode, is_retriable
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.records import Record, encode_batch, parse_batch_header

RETRY_MS: Final = 50
BEHIND_MS: Final = 86_400_000
"""A client's clock is a day behind: no broker whose clock was set back refuses its records as too far in the future."""
INDEFINITE: Final = (
    ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ErrorCode.REQUEST_TIMED_OUT,
    ErrorCode.NOT_LEADER_OR_FOLLOWER,
    ErrorCode.KAFKA_STORAGE_ERROR,
)
"""After these the batch may have been appended all the same."""


EpochOf = Callable[[Uuid, int, int, int], int | None]
"""(topic id, partition, base offset, CRC) of a batch → the leader epoch in which it was committed, None for never."""


class Producer:
    """Writes values to one partition until it is told to stop. `acked_at_us` is when the last was acknowledged."""

    def __init__(
        self, caller: Caller, ledger: Ledger, epoch_of: EpochOf, place: Place, *, pause_ms: int, largest_batch: int
    ) -> None:
        self.caller, self._ledger, self._epoch_of, self.place = caller, ledger, epoch_of, place
        self._pause_ms, self._largest_batch = pause_ms, largest_batch
        self.is_stopping = False
        self.acked_at_us = -1
        self._producer_id, self._epoch, self._sequence = -1, -1, 0
        self._count = 0

    def run(self) -> Waits:
        """Until `is_stopping`; a batch that is on its way then may stay unknown."""
        world = self.caller.world
        while not self.is_stopping:
            if self._producer_id < 0:
                yield from self._begin()
                continue
            yield world.sleep(1 + world.random.randrange(0, 2 * self._pause_ms))
            values = self._values(1 + world.random.randrange(0, self._largest_batch))
            yield from self._deliver(values)

    def _values(self, count: int) -> list[bytes]:
        self._count += count
        return [b"%d/%d" % (-self.caller.place, self._count - index) for index in range(count)]

    def _begin(self) -> Waits:
        try:
            request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
            answer = yield from self.caller.call_any(ApiKey.INIT_PRODUCER_ID, request)
        except ConnectionLost:
            yield self.caller.world.sleep(RETRY_MS)
            return
        if answer.error_code == ErrorCode.NONE:
            self._producer_id, self._epoch, self._sequence = answer.producer_id, answer.producer_epoch, 0
        else:
            yield self.caller.world.sleep(RETRY_MS)

    def _deliver(self, values: list[bytes]) -> Waits:
        """Send a batch again and again until there is a final answer."""
        caller, (topic, partition) = self.caller, self.place
        now_ms = BEGINNING_MS - BEHIND_MS + caller.world.now_us // 1000
        batch = encode_batch(
            [Record(index, now_ms, None, value, ()) for index, value in enumerate(values)],
            producer_id=self._producer_id,
            producer_epoch=self._epoch,
            base_sequence=self._sequence,
        )
        may_be_there = False
        while not self.is_stopping:
            try:
                address, topic_id = yield from caller.leader(topic, partition)
            except TROUBLE:
                yield caller.world.sleep(RETRY_MS)
                continue
            try:
                answer = yield from caller.call(address, ApiKey.PRODUCE, self._request(topic_id, batch))
            except ConnectionLost:
                may_be_there = True
                caller.forget(topic, partition)
                yield caller.world.sleep(RETRY_MS)
                continue
            (result,) = answer.responses[0].partition_responses
            if result.error_code == ErrorCode.NONE:
                self._acknowledge(topic_id, result.base_offset, batch, values)
                self.acked_at_us = caller.world.now_us
                self._sequence += len(values)
                return
            may_be_there = may_be_there or result.error_code in INDEFINITE
            if not is_retriable(result.error_code):
                # A batch of an older producer id may be fenced or out of order: begin again with a new one.
                self._producer_id = -1
                break
            caller.forget(topic, partition)
            yield caller.world.sleep(RETRY_MS)
        if not may_be_there and not self.is_stopping:
            self._ledger.refused.update(dict.fromkeys(values))

    def _acknowledge(self, topic_id: Uuid, base_offset: int, batch: bytes, values: list[bytes]) -> None:
        crc = parse_batch_header(batch).crc
        epoch = self._epoch_of(topic_id, self.place[1], base_offset, crc)
        if epoch is None:
            self._ledger.broken(self.place, base_offset, f"{values[0]!r} was acknowledged there and never committed")
            return
        for index, value in enumerate(values):
            self._ledger.acknowledge(self.place, base_offset + index, value, epoch)

    def _request(self, topic_id: Uuid, batch: bytes) -> Any:
        data = PartitionProduceData(index=self.place[1], records=memoryview(batch))
        topic = TopicProduceData(topic_id=topic_id, partition_data=(data,))
        return ProduceRequest(acks=-1, timeout_ms=1000, topic_data=(topic,))
