"""An idempotent producer in a world: acks=all, up to five batches in flight.

They are sent again, in their order, until it is known what became of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reference_broker.simulation.client import ConnectionLost
from reference_broker.simulation.clock import BEGINNING_MS
from reference_broker.simulation.invariants import PartitionLogs
from reference_broker.simulation.scenario.caller import TROUBLE, Caller, Waits
from reference_broker.simulation.scenario.ledger import AT_THE_END, Ledger, Place
from reference_broker.simulation.tasks import Promise, spawn
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


@dataclass(slots=True)
class _Batch:
    """One batch: its values, its bytes. `may_be_there`: nobody knows whether it was appended."""

    values: list[bytes]
    data: bytes
    may_be_there: bool = False


def _by_name(topic: str, topic_id: Uuid, partition: int) -> Place:
    return topic, partition


class Producer:
    """Writes values to one partition until it is told to stop. `acked_at_us` is when the last was acknowledged.

    `in_flight` batches at most are sent at once. The latest leader refuses no batch for good; one that does not know
    yet that another leads may lack what stood before it.
    """

    def __init__(
        self,
        caller: Caller,
        ledger: Ledger,
        logs: PartitionLogs,
        place: Place,
        *,
        pause_ms: int,
        largest_batch: int,
        in_flight: int = 1,
        told_as: Callable[[str, Uuid, int], Place] = _by_name,
    ) -> None:
        """`told_as` is how the ledger names the partition of a topic with some id."""
        self.caller, self._ledger, self._logs, self.place = caller, ledger, logs, place
        self._pause_ms, self._largest_batch, self._in_flight = pause_ms, largest_batch, in_flight
        self._told_as = told_as
        self.is_stopping = False
        self.acked_at_us = -1
        self._producer_id, self._epoch, self._sequence = -1, -1, 0
        self._count = self._ids = 0
        """How many values there were, and producer ids: the values of one producer id are numbered in their order."""

    def run(self) -> Waits:
        """Until `is_stopping`; what is on its way then may stay unknown."""
        self.is_stopping = False
        yield self._pause()
        while not self.is_stopping:
            if self._producer_id < 0:
                yield from self._begin()
                continue
            # A log that does not know a producer takes any sequence: nothing is in flight beside the first batch.
            is_alone = self._in_flight == 1 or self._sequence == 0
            count = 1 if is_alone else 1 + self.caller.world.random.randrange(0, self._in_flight)
            yield from self._deliver([self._batch() for _ in range(count)])
            yield self._pause()

    def _pause(self) -> Promise[None]:
        world = self.caller.world
        return world.sleep(1 + world.random.randrange(0, 2 * self._pause_ms))

    def _batch(self) -> _Batch:
        world = self.caller.world
        count = 1 + world.random.randrange(0, self._largest_batch)
        values = [b"%d.%d/%d" % (-self.caller.place, self._ids, self._count + index) for index in range(count)]
        self._count += count
        now_ms = BEGINNING_MS - BEHIND_MS + world.now_us // 1000
        data = encode_batch(
            [Record(index, now_ms, None, value, ()) for index, value in enumerate(values)],
            producer_id=self._producer_id,
            producer_epoch=self._epoch,
            base_sequence=self._sequence,
        )
        self._sequence += count
        return _Batch(values, data)

    def _begin(self) -> Waits:
        try:
            request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
            answer = yield from self.caller.call_any(ApiKey.INIT_PRODUCER_ID, request)
        except ConnectionLost:
            yield self.caller.world.sleep(RETRY_MS)
            return
        if answer.error_code == ErrorCode.NONE:
            self._producer_id, self._epoch, self._sequence = answer.producer_id, answer.producer_epoch, 0
            self._ids += 1
        else:
            yield self.caller.world.sleep(RETRY_MS)

    def _deliver(self, open_batches: list[_Batch]) -> Waits:
        """Send batches, all at once, again and again until each has a final answer."""
        caller, place = self.caller, self.place
        while open_batches and not self.is_stopping:
            try:
                address, topic_id = yield from caller.leader(*place)
            except TROUBLE:
                yield caller.world.sleep(RETRY_MS)
                continue
            leading = self._logs.leading((topic_id, place[1]))
            asked = [
                spawn(caller.call(address, ApiKey.PRODUCE, self._request(topic_id, one.data))) for one in open_batches
            ]
            codes = yield from self._outcomes(topic_id, open_batches, asked)
            left = [one for one, code in zip(open_batches, codes, strict=True) if code != ErrorCode.NONE]
            if (refusal := _refusal(codes)) is not None:
                is_latest = leading == self._logs.leading((topic_id, place[1]))
                self._note_refusal(
                    left, refusal, is_latest=is_latest and leading[1] == caller.world.network.addresses[address]
                )
                return
            open_batches = left
            if left:
                caller.forget(*place)
                yield caller.world.sleep(RETRY_MS)
        if open_batches:
            self._producer_id = -1  # nobody knows what became of them: who begins again begins as another producer

    def _outcomes(self, topic_id: Uuid, batches: Sequence[_Batch], asked: Sequence[Promise[Any]]) -> Waits:
        """The error code of each batch, None where no answer came; what was acknowledged is noted."""
        codes: list[int | None] = []
        for one, promise in zip(batches, asked, strict=True):
            try:
                answer = yield promise
            except ConnectionLost:
                one.may_be_there = True
                codes.append(None)
                continue
            (result,) = answer.responses[0].partition_responses
            codes.append(result.error_code)
            if result.error_code == ErrorCode.NONE:
                self._acknowledge(topic_id, result.base_offset, one)
            one.may_be_there = one.may_be_there or result.error_code in INDEFINITE
        return codes

    def _acknowledge(self, topic_id: Uuid, base_offset: int, batch: _Batch) -> None:
        self.acked_at_us = self.caller.world.now_us
        crc = parse_batch_header(batch.data).crc
        place = self._told_as(self.place[0], topic_id, self.place[1])
        epoch = self._logs.epoch_of(topic_id, self.place[1], base_offset, crc)
        if epoch is None:
            what = f"{batch.values[0]!r} was acknowledged there and never committed"
            self._ledger.broken(place, base_offset, what)
            return
        for index, value in enumerate(batch.values):
            self._ledger.acknowledge(place, base_offset + index, value, epoch)

    def _note_refusal(self, left: Sequence[_Batch], code: int, *, is_latest: bool) -> None:
        """A batch was refused for good: go on as another producer.

        By the latest leader that is right only where an unclean election has lost what stood before it."""
        if is_latest and not self._ledger.may_lose(self.place, AT_THE_END, -1, AT_THE_END):
            what = f"{left[0].values[0]!r} is refused with {ErrorCode(code).name} after all before it was acknowledged"
            self._ledger.note_wrong(f"{self.place[0]}-{self.place[1]}: {what}")
        self._producer_id = -1
        for one in left:
            if not one.may_be_there:
                self._ledger.refused.update(dict.fromkeys(one.values))

    def _request(self, topic_id: Uuid, batch: bytes) -> Any:
        data = PartitionProduceData(index=self.place[1], records=memoryview(batch))
        topic = TopicProduceData(topic_id=topic_id, partition_data=(data,))
        return ProduceRequest(acks=-1, timeout_ms=1000, topic_data=(topic,))


def _refusal(codes: Sequence[int | None]) -> int | None:
    """The error of a batch that is not to be sent again; None for none. Out of order may be what comes after one that
    is to be sent again."""
    is_after_another = False
    for code in codes:
        if code == ErrorCode.NONE:
            continue
        is_final = code is not None and not is_retriable(code)
        if is_final and not (is_after_another and code == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER):
            return code
        is_after_another = True
    return None
