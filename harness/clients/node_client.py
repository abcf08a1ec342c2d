"""A client for one particular node: produces to it, fetches from it, and reads the metadata that it reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from harness.clients.connection import RawConnection
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest, PartitionData, TopicData
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import MalformedRequest, TopicName
from reference_broker.wire.records import Record, encode_batch, iter_batches

TIMEOUT_S = 15.0
_PRODUCE, _FETCH, _METADATA = 9, 12, 12
_FETCH_BYTES = 8 << 20
_EVERY_S = 0.1
_LEADS_WITHIN_S = 10.0
TROUBLE = (OSError, MalformedRequest)
"""What is raised when the node cannot be reached or sends invalid bytes."""


@dataclass(frozen=True, slots=True)
class Produced:
    """The response to one produced batch."""

    error: ErrorCode
    offset: int
    """The offset of the batch's first record; -1 where the batch was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The response to a Fetch of one partition."""

    error: ErrorCode
    values: tuple[tuple[int, str], ...]
    """(offset, value)."""
    high_watermark: int
    preferred_replica: int
    """The follower to which the leader redirects the consumer (KIP-392); -1 for none."""


class NodeClient:
    """A connection to one node. OSError when the node is unreachable, closes the connection, or is too slow."""

    def __init__(self, address: tuple[str, int], *, timeout_s: float = TIMEOUT_S) -> None:
        self._connection = RawConnection(*address, client_id="node-client", timeout_s=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def ask(self, api_key: ApiKey, version: int, message: Any) -> Any:
        """Sends a request, at `version` or the highest version below it that the node supports."""
        return self._connection.request(api_key, self._connection.highest(api_key, version), message)

    def produce(
        self, topic: str, *values: str, partition: int = 0, acks: int = -1, timeout_ms: int = 10_000
    ) -> Produced:
        """Produces one batch without a producer id. Retries NOT_LEADER_OR_FOLLOWER for 10 s, as Kafka's clients do: a
        new leader may learn of its election a little after other nodes.
        """
        now = time.time_ns() // 1_000_000
        data = encode_batch([Record(number, now, None, value.encode()) for number, value in enumerate(values)])
        of_partition = PartitionProduceData(index=partition, records=data)
        of_topic = TopicProduceData(name=TopicName(topic), partition_data=(of_partition,))
        request = ProduceRequest(acks=acks, timeout_ms=timeout_ms, topic_data=(of_topic,))
        deadline = time.monotonic() + _LEADS_WITHIN_S
        while True:
            found = self.ask(ApiKey.PRODUCE, _PRODUCE, request).responses[0].partition_responses[0]
            if found.error_code != ErrorCode.NOT_LEADER_OR_FOLLOWER or time.monotonic() > deadline:
                break
            time.sleep(_EVERY_S)
        return Produced(ErrorCode(found.error_code), int(found.base_offset))

    def fetch(self, topic: str, offset: int, *, partition: int = 0, rack: str = "", wait_ms: int = 0) -> Fetched:
        """Fetches a partition's records from an offset on, as a consumer in this rack does."""
        of_partition = FetchPartition(partition=partition, fetch_offset=offset, partition_max_bytes=_FETCH_BYTES)
        of_topic = FetchTopic(topic=TopicName(topic), partitions=(of_partition,))
        request = FetchRequest(
            max_wait_ms=wait_ms, min_bytes=1, max_bytes=_FETCH_BYTES, topics=(of_topic,), rack_id=rack
        )
        found = self.ask(ApiKey.FETCH, _FETCH, request).responses[0].partitions[0]
        values = tuple(
            (record.offset, (record.value or b"").decode("utf-8", "backslashreplace"))
            for batch in iter_batches(found.records or b"")
            for record in batch.records()
            if record.offset >= offset
        )
        return Fetched(
            error=ErrorCode(found.error_code),
            values=values,
            high_watermark=int(found.high_watermark),
            preferred_replica=int(found.preferred_read_replica),
        )

    def quorum(self) -> tuple[int, int]:
        """(leader epoch, leader) of the metadata quorum, as this node reports it; leader -1 for none."""
        partition = PartitionData(partition_index=0)
        asked = TopicData(topic_name=TopicName("__cluster_metadata"), partitions=(partition,))
        found = self.ask(ApiKey.DESCRIBE_QUORUM, 1, DescribeQuorumRequest(topics=(asked,))).topics[0].partitions[0]
        if found.error_code:
            raise ConnectionError(f"DescribeQuorum: {ErrorCode(found.error_code).name}")
        return int(found.leader_epoch), int(found.leader_id)

    def reassign(self, topic: str, replicas: tuple[int, ...] | None, partition: int = 0) -> ErrorCode:
        """Requests a reassignment of a partition to these replicas (KIP-455); None cancels the current reassignment."""
        wanted = ReassignablePartition(partition_index=partition, replicas=replicas)  # type: ignore[arg-type]
        request = AlterPartitionReassignmentsRequest(
            timeout_ms=10_000, topics=(ReassignableTopic(name=TopicName(topic), partitions=(wanted,)),)
        )
        found = self.ask(ApiKey.ALTER_PARTITION_REASSIGNMENTS, 0, request)
        return ErrorCode(found.error_code or found.responses[0].partitions[0].error_code)

    def elect_preferred(self, topic: str, partition: int = 0) -> ErrorCode:
        """Requests an election of the preferred leader (KIP-460)."""
        request = ElectLeadersRequest(
            election_type=0,
            topic_partitions=(TopicPartitions(topic=TopicName(topic), partitions=(partition,)),),
            timeout_ms=10_000,
        )
        found = self.ask(ApiKey.ELECT_LEADERS, 2, request)
        results = [one for result in found.replica_election_results for one in result.partition_result]
        return ErrorCode(found.error_code or next((one.error_code for one in results), 0))

    def topic(self, name: str) -> Any:
        """The topic's entry in the node's Metadata response, with its `error_code` if the node does not know it."""
        wanted = (MetadataRequestTopic(name=TopicName(name)),)
        request = MetadataRequest(topics=wanted, allow_auto_topic_creation=False)
        return self.ask(ApiKey.METADATA, _METADATA, request).topics[0]


def until(holds: Callable[[], bool], within_s: float, promise: str) -> float:
    """Waits until `holds` returns true; returns how many seconds it took. After `within_s`, BrokenPromise with
    `promise`.

    While a node cannot be reached, the condition counts as false.
    """
    started = time.monotonic()
    trouble = ""
    while True:
        try:
            if holds():
                return time.monotonic() - started
            trouble = ""
        except TROUBLE as error:
            trouble = f" ({error})"
        if time.monotonic() - started > within_s:
            raise BrokenPromise(f"{promise}, and that was not so within {within_s:g} s{trouble}.")
        time.sleep(_EVERY_S)
