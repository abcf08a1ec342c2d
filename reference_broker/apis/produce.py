"""Produce: append a batch of records to each of some partitions.

**Promises** A batch that is answered without error is in the partition's log, once, at the answered offset. With
acks=-1 it is answered when every replica in sync has it. A retry of one of a producer's last five batches is answered
with the offsets that it got first. With acks=0 there is no answer, and a refusal closes the connection.
**Refuses** For all: TRANSACTIONAL_ID_AUTHORIZATION_FAILED: transactional records without a transactional id;
INVALID_PRODUCER_ID_MAPPING: those of several producers; CORRUPT_MESSAGE: a batch of absurd size or format. Per
partition: UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION; INVALID_RECORD: not one batch of format 2, or a batch or
records that cannot be; UNSUPPORTED_COMPRESSION_TYPE: zstd below version 7; INVALID_REQUIRED_ACKS: other than 0, 1, -1;
INVALID_TOPIC_EXCEPTION: an internal topic; NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, NOT_ENOUGH_REPLICAS,
NOT_ENOUGH_REPLICAS_AFTER_APPEND, REQUEST_TIMED_OUT; MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, CORRUPT_MESSAGE,
INVALID_TIMESTAMP; UNKNOWN_SERVER_ERROR: records that cannot be decompressed; INVALID_PRODUCER_EPOCH,
OUT_OF_ORDER_SEQUENCE_NUMBER.
**Versions** 0 to 2 are advertised, as Kafka does for old librdkafka, and refused. 3 record batches only; 5 the log's
start; 7 zstd; 8 errors of single records; 10 the leader where it is another; 13 topic ids.
**Departs from Kafka** Null records are refused as INVALID_RECORD, where Kafka does not answer. Partitions are answered
in the order of the request, where Kafka has none. Transactional batches are refused with NOT_ENOUGH_REPLICAS, as by a
Kafka whose transaction coordinator is not available: there is none here yet.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from reference_broker.apis.context import BrokerContext
from reference_broker.apis.leader_hint import addresses_of, leader_of
from reference_broker.effects import HANG_UP, NO_RESPONSE
from reference_broker.environment import Now
from reference_broker.log.validation import RecordsRefused, Unreadable, first_header, only_batch
from reference_broker.metadata.topics import INTERNAL_TOPICS
from reference_broker.releases.behaviours import Behaviour
from reference_broker.replication.partition import ALL_IN_SYNC, Partition
from reference_broker.waiting import NEVER_MS, Later
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.compression import Compression
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.messages.produce_response import (
    BatchIndexAndErrorMessage,
    LeaderIdAndEpoch,
    NodeEndpoint,
    PartitionProduceResponse,
    ProduceResponse,
    TopicProduceResponse,
)
from reference_broker.wire.primitives import BrokerId, Frozen, TopicName, Uuid
from reference_broker.wire.records import COMPRESSION_MASK, TRANSACTIONAL, Batch, BatchHeader
from reference_broker.wire.refusal import KafkaError
from reference_broker.wire.refusal_response import refusal_response

API: Final = ApiKey.PRODUCE
VERSIONS: Final = range(14)
LISTENERS: Final = ("broker",)

TOPIC_IDS_SINCE: Final = 13
EPOCHS_BUMPED_SINCE: Final = 12
"""Producers of transactions get a new epoch with each (KIP-890)."""
LEADERS_SINCE: Final = 10
ZSTD_SINCE: Final = 7
ADMIN_CLIENT: Final = "__admin_client"
"""The client id by which Kafka's own tools may write to internal topics."""
NO_ACKS: Final = 0
WITHOUT_LOG_START: Final = (
    *(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.KAFKA_STORAGE_ERROR),
    *(ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.RECORD_LIST_TOO_LARGE, ErrorCode.CORRUPT_MESSAGE),
)
"""Kafka tells the log's start with any other error of an append."""
NOT_AGREED: Final = (
    "Unable to verify the partition has been added to the transaction. Underlying error: COORDINATOR_NOT_AVAILABLE"
)
"""What Kafka answers where the coordinator of a transaction, which must agree to its records, is not there."""


class Answered(Struct):
    """What is answered for a topic's partitions, in the order of the request."""

    name: TopicName
    topic_id: Uuid
    results: list[PartitionProduceResponse]


class Waiting(Frozen, frozen=True):
    """A batch that waits for the replicas in sync: where its answer stands, and what they must have."""

    topic_at: int
    at: int
    partition: Partition
    required_offset: int


Outcome = PartitionProduceResponse | tuple[Partition, int, PartitionProduceResponse]
"""The answer for a batch, or (its partition, what the replicas in sync must have, the answer once they do)."""
Parcels = list[tuple[TopicProduceData, list[tuple[PartitionProduceData, Batch | ErrorCode]]]]
"""The request's batches by topic; an error in the place of one that is none."""


def is_routine(request: ProduceRequest) -> bool:
    """An append moves nothing that is due later."""
    return True


def handle(request: ProduceRequest, ctx: BrokerContext) -> Any:
    """Append all batches; wait for the replicas in sync where that was asked for and is needed."""
    acks = request.acks
    parcels: Parcels = []
    is_transactional = False
    try:
        for topic in request.topic_data:
            found: list[tuple[PartitionProduceData, Batch | ErrorCode]] = []
            parcels.append((topic, found))
            for data in topic.partition_data:
                batch = _batch_of(data, ctx.api_version)
                found.append((data, batch))
                header = batch.header if isinstance(batch, Batch) else first_header(data.records)
                if header is not None and header.attributes & TRANSACTIONAL:
                    is_transactional = True
        if is_transactional:
            _check_transactions(request, parcels)
    except KafkaError:
        if acks == NO_ACKS:
            return HANG_UP
        raise
    answered: list[Answered] = []
    waiting: list[Waiting] = []
    for topic, found in parcels:
        results: list[PartitionProduceResponse] = []
        answered.append(Answered(topic.name, topic.topic_id, results))
        for data, batch in found:
            outcome = _append(topic, data.index, batch, acks, ctx)
            if isinstance(outcome, PartitionProduceResponse):
                results.append(outcome)
            else:
                partition, required_offset, response = outcome
                waiting.append(Waiting(len(answered) - 1, len(results), partition, required_offset))
                results.append(response)
    if waiting:
        if acks == ALL_IN_SYNC:
            return AwaitedReplicas(answered, waiting, ctx.now.monotonic_ms + request.timeout_ms, ctx)
        return AwaitedFlush(answered, waiting, NEVER_MS, ctx)
    return _answer(answered, acks, ctx)


def error_response(request: ProduceRequest, version: int, code: ErrorCode, message: str | None) -> Any:
    """Unlike others it closes the connection where the request asked for no response."""
    if request.acks == NO_ACKS:
        return HANG_UP
    return refusal_response(request, version, code, message, {"base_offset": -1})


# -- appending ----------------------------------------------------------------------------------------------------


def _batch_of(data: PartitionProduceData, version: int) -> Batch | ErrorCode:
    """The one batch for a partition, or why it is none. KafkaError where the request as a whole is refused."""
    try:
        batch = only_batch(data.records if data.records is not None else b"")
    except Unreadable:
        raise
    except KafkaError as error:
        is_old = version < ZSTD_SINCE and _first_codec(data) == Compression.ZSTD
        return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE if is_old else error.code
    if version < ZSTD_SINCE and batch.header.attributes & COMPRESSION_MASK == Compression.ZSTD:
        return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    return batch


def _first_codec(data: PartitionProduceData) -> int:
    """The number of the first batch's codec, whatever follows that batch; 0 where there is none."""
    header = first_header(data.records)
    return 0 if header is None else header.attributes & COMPRESSION_MASK


def _append(topic: TopicProduceData, index: int, batch: Batch | ErrorCode, acks: int, ctx: BrokerContext) -> Outcome:
    """One partition's batch."""
    by_id, partitions = ctx.api_version >= TOPIC_IDS_SINCE, ctx.partitions
    partition = partitions.find_by_id(topic.topic_id, index) if by_id else partitions.find(topic.name, index)
    if partition is None and (absent := _absent(topic, index, ctx, by_id=by_id)) is not None:
        return _refused(index, absent)
    if isinstance(batch, ErrorCode):
        return _refused(index, batch)
    if batch.header.attributes & TRANSACTIONAL and batch.header.has_producer_id:
        name = partition.topic if partition is not None else _name_of(topic, ctx, by_id=by_id)
        unverified = _unverified(name, index, batch.header, ctx)
        if unverified is not None:
            return unverified
    if acks not in (ALL_IN_SYNC, NO_ACKS, 1):
        return _refused(index, ErrorCode.INVALID_REQUIRED_ACKS)
    if partition is None:
        return _not_here(_name_of(topic, ctx, by_id=by_id), index, ctx)
    if partition.is_internal and ctx.client_id != ADMIN_CLIENT:
        return _refused(index, ErrorCode.INVALID_TOPIC_EXCEPTION)
    return _append_to(partition, batch, acks, ctx)


def _append_to(partition: Partition, batch: Batch, acks: int, ctx: BrokerContext) -> Outcome:
    index = partition.index
    try:
        appended = partition.append_from_client(batch, acks, ctx.now.wall_ms)
    except RecordsRefused as refused:
        return _refused(
            index,
            refused.code,
            log_start_offset=partition.log.log_start_offset,
            record_errors=tuple(
                BatchIndexAndErrorMessage(batch_index=at, batch_index_error_message=text)
                for at, text in refused.record_errors
            ),
            message=refused.detail,
        )
    except KafkaError as error:
        if error.code is ErrorCode.NOT_LEADER_OR_FOLLOWER:
            return _with_leader(partition.topic, index, error.code, ctx)
        start = -1 if error.code in WITHOUT_LOG_START else partition.log.log_start_offset
        return _refused(index, error.code, log_start_offset=start)
    response = PartitionProduceResponse(
        index=index,
        base_offset=appended.first_offset,
        log_append_time_ms=appended.log_append_time_ms,
        log_start_offset=appended.log_start_offset,
    )
    if acks == ALL_IN_SYNC:
        if partition.acknowledgement(appended.last_offset + 1) is not ErrorCode.NONE:
            return partition, appended.last_offset + 1, response
    elif acks != NO_ACKS and partition.log.awaited_flush.is_on_its_way:
        return partition, appended.last_offset + 1, response
    return response


def _refused(
    index: int,
    code: ErrorCode,
    *,
    log_start_offset: int = -1,
    record_errors: tuple[BatchIndexAndErrorMessage, ...] = (),
    message: str | None = None,
    current_leader: LeaderIdAndEpoch | None = None,
) -> PartitionProduceResponse:
    return PartitionProduceResponse(
        index=index,
        error_code=code,
        base_offset=-1,
        log_start_offset=log_start_offset,
        record_errors=record_errors,
        error_message=message,
        current_leader=current_leader or LeaderIdAndEpoch(),
    )


def _absent(topic: TopicProduceData, index: int, ctx: BrokerContext, *, by_id: bool) -> ErrorCode | None:
    """The error where the metadata has no such partition."""
    if by_id:
        image = ctx.image.topics.by_id.get(topic.topic_id)
        if image is None:
            return ErrorCode.UNKNOWN_TOPIC_ID
    else:
        image = ctx.image.topics.get(topic.name)
    return None if image is not None and index in image.partitions else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def _name_of(topic: TopicProduceData, ctx: BrokerContext, *, by_id: bool) -> str:
    return ctx.image.topics.by_id[topic.topic_id].name if by_id else topic.name


def _not_here(name: str, index: int, ctx: BrokerContext) -> PartitionProduceResponse:
    """The error where the metadata has the partition, but no log of it can be written here."""
    if name in INTERNAL_TOPICS and ctx.client_id != ADMIN_CLIENT:
        return _refused(index, ErrorCode.INVALID_TOPIC_EXCEPTION)
    try:
        ctx.partitions.get(name, index)
    except KafkaError as error:
        return _with_leader(name, index, error.code, ctx)
    raise KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, f"{name}-{index} is here under another topic id")


def _with_leader(name: str, index: int, code: ErrorCode, ctx: BrokerContext) -> PartitionProduceResponse:
    """A refusal that tells who leads, where the version can."""
    if code is not ErrorCode.NOT_LEADER_OR_FOLLOWER or ctx.api_version < LEADERS_SINCE:
        return _refused(index, code)
    leader, epoch = leader_of(name, index, ctx)
    return _refused(index, code, current_leader=LeaderIdAndEpoch(leader_id=BrokerId(leader), leader_epoch=epoch))


# -- transactions -------------------------------------------------------------------------------------------------


def _check_transactions(request: ProduceRequest, parcels: Parcels) -> None:
    """TRANSACTIONAL_ID_AUTHORIZATION_FAILED, INVALID_PRODUCER_ID_MAPPING: the request as a whole is refused."""
    if request.transactional_id is None:
        raise KafkaError(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)  # Kafka gives no words for it here
    headers = [
        batch.header
        for _, found in parcels
        for _, batch in found
        if isinstance(batch, Batch) and batch.header.is_transactional and batch.header.has_producer_id
    ]
    producers = dict.fromkeys((header.producer_id, header.producer_epoch) for header in headers)
    if len(producers) > 1:
        raise KafkaError(
            ErrorCode.INVALID_PRODUCER_ID_MAPPING, "Transactional records contained more than one producer ID"
        )


def _unverified(name: str, index: int, header: BatchHeader, ctx: BrokerContext) -> PartitionProduceResponse | None:
    """Why a batch of a transaction is refused; None where the log has that transaction open already."""
    begins_at_zero = ctx.api_version >= EPOCHS_BUMPED_SINCE and ctx.release.does(Behaviour.KAFKA_18202_FIRST_SEQUENCE)
    checks_epoch = ctx.release.does(Behaviour.KAFKA_18042_OLD_EPOCH)
    try:
        partition = ctx.partitions.get(name, index)
        must_ask = partition.begin_verification(
            header, ctx.now_ms, begins_at_zero=begins_at_zero, checks_epoch=checks_epoch
        )
    except KafkaError as error:
        return _with_leader(name, index, error.code, ctx)
    return _refused(index, ErrorCode.NOT_ENOUGH_REPLICAS, message=NOT_AGREED) if must_ask else None


# -- answering ----------------------------------------------------------------------------------------------------


class AwaitedReplicas(Later):
    """A Produce with acks=-1 that waits for the replicas in sync. It keeps offsets, not records."""

    __slots__ = ("_answered", "_ctx", "_open")

    NEEDS_REQUEST = False

    def __init__(self, answered: list[Answered], waiting: list[Waiting], deadline_ms: int, ctx: BrokerContext) -> None:
        super().__init__(deadline_ms, self._time_out)
        self._answered, self._ctx = answered, ctx
        self._open = {(one.topic_at, one.at): one.partition for one in waiting}
        for one in waiting:
            self._await(one, partial(self._on_settled, one.topic_at, one.at))

    def _await(self, one: Waiting, then: Callable[[ErrorCode, Now], None]) -> None:
        one.partition.await_offset(one.required_offset, then)

    def _on_settled(self, topic_at: int, at: int, code: ErrorCode, now: Now) -> None:
        """It is known what became of one partition's batch."""
        partition = self._open.pop((topic_at, at), None)
        if partition is None:
            return
        if code is not ErrorCode.NONE:
            self._refuse(topic_at, at, partition, code)
        if not self._open:
            self.complete(_answer(self._answered, ALL_IN_SYNC, self._ctx))

    def _time_out(self, now: Now) -> Any:
        for (topic_at, at), partition in self._open.items():
            self._refuse(topic_at, at, partition, ErrorCode.REQUEST_TIMED_OUT)
        self._open = {}
        return _answer(self._answered, ALL_IN_SYNC, self._ctx)

    def _refuse(self, topic_at: int, at: int, partition: Partition, code: ErrorCode) -> None:
        results = self._answered[topic_at].results
        refused = replace(results[at], error_code=code)
        if code is ErrorCode.NOT_LEADER_OR_FOLLOWER:
            hint = _with_leader(partition.topic, partition.index, code, self._ctx)
            refused = replace(refused, current_leader=hint.current_leader)
        results[at] = refused


class AwaitedFlush(AwaitedReplicas):
    """A Produce with acks=1 that waits for a flush that flush.messages asks for, however long that takes."""

    __slots__ = ()

    def _await(self, one: Waiting, then: Callable[[ErrorCode, Now], None]) -> None:
        one.partition.await_flush(one.required_offset, then)


def _answer(answered: list[Answered], acks: int, ctx: BrokerContext) -> Any:
    responses: list[TopicProduceResponse] = []
    refused: list[PartitionProduceResponse] = []
    for topic in answered:
        responses.append(
            TopicProduceResponse(name=topic.name, topic_id=topic.topic_id, partition_responses=tuple(topic.results))
        )
        for one in topic.results:
            if one.error_code:
                refused.append(one)
    if acks == NO_ACKS:
        return HANG_UP if refused else NO_RESPONSE
    if not refused:
        return ProduceResponse(responses=tuple(responses))
    leaders = [one.current_leader.leader_id for one in refused if one.current_leader.leader_epoch >= 0]
    return ProduceResponse(
        responses=tuple(responses),
        node_endpoints=tuple(
            NodeEndpoint(node_id=one.node_id, host=one.host, port=one.port, rack=one.rack)
            for one in addresses_of(leaders, ctx)
        ),
    )
