"""DeleteRecords: let partitions start later than they do.

**Promises** Records below the answered low watermark are not served again, nor after a restart or by another leader. -1
stands for the high watermark. Nothing comes back: an offset below the log's start changes nothing. The answer waits for
the followers whose brokers live, up to timeout_ms.
**Refuses** Per partition: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR;
INVALID_TOPIC_EXCEPTION: an internal topic; POLICY_VIOLATION: the topic is compacted and not deleted from;
OFFSET_OUT_OF_RANGE: below -1, or above the high watermark; REQUEST_TIMED_OUT: the records are gone at the leader only.
**Versions** 2 is flexible.
**Departs from Kafka** Nothing is known.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import BrokerContext
from reference_broker.apis.partition_watch import PartitionWatch
from reference_broker.environment import Now
from reference_broker.metadata.topics import INTERNAL_TOPICS
from reference_broker.releases.behaviours import Behaviour
from reference_broker.replication.partition import Partition
from reference_broker.waiting import Later
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_records_request import DeleteRecordsPartition, DeleteRecordsRequest
from reference_broker.wire.messages.delete_records_response import (
    DeleteRecordsPartitionResult,
    DeleteRecordsResponse,
    DeleteRecordsTopicResult,
)
from reference_broker.wire.primitives import Frozen, TopicName
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.DELETE_RECORDS
VERSIONS: Final = range(3)
LISTENERS: Final = ("broker",)

REFUSAL_VALUES: Final = {"low_watermark": -1}


class Deleted(Frozen, frozen=True):
    """A deletion that is done at the leader; `required` is where every follower's log must start."""

    partition: Partition
    required: int
    log_start: int

    def result(self, *, is_late: bool = False) -> DeleteRecordsPartitionResult | None:
        """The answer; None while it must wait. The followers' log start is the low watermark where it is lower."""
        index = self.partition.index
        try:
            followers = self.partition.led.followers_log_start
        except KafkaError as error:
            return _refused(index, error.code)
        lowest = self.log_start if followers is None else min(followers, self.log_start)
        if followers is None or followers >= self.required:
            return DeleteRecordsPartitionResult(partition_index=index, low_watermark=lowest)
        if not is_late:
            return None
        return DeleteRecordsPartitionResult(
            partition_index=index, low_watermark=lowest, error_code=ErrorCode.REQUEST_TIMED_OUT
        )


Outcomes = dict[TopicName, list[DeleteRecordsPartitionResult | Deleted]]


def handle(request: DeleteRecordsRequest, ctx: BrokerContext) -> DeleteRecordsResponse | Later:
    """Raise the log's start of each partition; of one that is named twice, what was named last counts."""
    topics: dict[TopicName, dict[int, DeleteRecordsPartition]] = {}
    for topic in request.topics:
        for one in topic.partitions:
            topics.setdefault(topic.name, {})[one.partition_index] = one
    outcomes: Outcomes = {name: [_deleted(name, one, ctx) for one in asked.values()] for name, asked in topics.items()}
    waiting = [one for of in outcomes.values() for one in of if isinstance(one, Deleted) and one.result() is None]
    if not waiting or request.timeout_ms <= 0:
        return _answer(outcomes)
    return WaitingDeletion(outcomes, waiting, ctx.now.monotonic_ms + request.timeout_ms)


class WaitingDeletion(PartitionWatch):
    """A request that waits for followers; it is answered when the last one has followed, or its time is over."""

    __slots__ = ("_waiting",)

    def __init__(self, outcomes: Outcomes, waiting: list[Deleted], deadline_ms: int) -> None:
        self._waiting = waiting
        super().__init__([one.partition for one in waiting], deadline_ms, lambda now: _answer(outcomes))

    def on_change(self, partition: Partition, now: Now) -> None:
        """A follower may have followed, or the leadership be lost."""
        if all(one.result() is not None for one in self._waiting):
            self.expire(now)


def _answer(outcomes: Outcomes) -> DeleteRecordsResponse:
    return DeleteRecordsResponse(
        topics=tuple(
            DeleteRecordsTopicResult(name=name, partitions=tuple(_settled(one) for one in of))
            for name, of in outcomes.items()
        )
    )


def _settled(outcome: DeleteRecordsPartitionResult | Deleted) -> DeleteRecordsPartitionResult:
    if isinstance(outcome, DeleteRecordsPartitionResult):
        return outcome
    return outcome.result(is_late=True) or _refused(outcome.partition.index, ErrorCode.REQUEST_TIMED_OUT)


def _refused(index: int, code: ErrorCode) -> DeleteRecordsPartitionResult:
    return DeleteRecordsPartitionResult(partition_index=index, low_watermark=-1, error_code=code)


def _deleted(topic: str, asked: DeleteRecordsPartition, ctx: BrokerContext) -> DeleteRecordsPartitionResult | Deleted:
    index = asked.partition_index
    try:
        if topic in INTERNAL_TOPICS and ctx.image.partition(topic, index) is not None:
            raise KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, "records of an internal topic stay")
        needs_policy = not ctx.release.does(Behaviour.KIP_1161_NO_CLEANUP_POLICY)
        partition = ctx.partitions.get(topic, index)
        log_start = partition.delete_records(asked.offset, needs_policy=needs_policy)
    except KafkaError as error:
        return _refused(index, error.code)
    return Deleted(partition, log_start if asked.offset < 0 else min(asked.offset, log_start), log_start)
