"""Measures a broker's clock: the broker sets a record's timestamp (LogAppendTime), which is compared with our clock."""

from __future__ import annotations

from typing import Any

from harness.clients.connection import RawConnection
from harness.hosts import cluster_time as time
from harness.hosts.host import HostTrouble
from nemesis.requests import NotYet, ask, persistently
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import BrokerId, MalformedRequest, TopicName
from reference_broker.wire.records import Record, encode_batch

_PATIENCE_S = 30.0
_ANSWER_S = 5.0
_TIMEOUT_MS = 10_000
_CONFIG = CreatableTopicConfig(name="message.timestamp.type", value="LogAppendTime")


class ClockProbe:
    """Measures the clock of one broker, through a topic whose only replica is on it."""

    def __init__(self, bootstrap: str, node: int, address: tuple[str, int]) -> None:
        self.topic = TopicName(f"nemesis-clock-{node}")
        self._bootstrap = bootstrap
        self._node = node
        self._address = address

    def open(self) -> None:
        """Makes the topic, if it is not there yet. HostTrouble when that is refused."""
        assigned = CreatableReplicaAssignment(partition_index=0, broker_ids=(BrokerId(self._node),))
        wanted = CreatableTopic(
            name=self.topic, num_partitions=-1, replication_factor=-1, assignments=(assigned,), configs=(_CONFIG,)
        )
        request = CreateTopicsRequest(topics=(wanted,), timeout_ms=_TIMEOUT_MS)

        def create() -> None:
            code = ask(self._bootstrap, ApiKey.CREATE_TOPICS, 5, request).topics[0].error_code
            if code not in (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS):
                raise NotYet(f"CreateTopics: {ErrorCode(code).name}")

        persistently(create, _PATIENCE_S, f"{self.topic} cannot be created")

    def offset_ms(self) -> float:
        """How far the broker's clock is ahead of ours; off by at most half of what the request took."""
        return persistently(self._measure, _PATIENCE_S, f"the clock of node {self._node} cannot be measured")

    def close(self) -> None:
        """Deletes the topic; nothing happens when it does not exist."""
        request = DeleteTopicsRequest(topic_names=(self.topic,), timeout_ms=_TIMEOUT_MS)

        def delete() -> None:
            code = ask(self._bootstrap, ApiKey.DELETE_TOPICS, 5, request).responses[0].error_code
            if code not in (ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION):
                raise NotYet(f"DeleteTopics: {ErrorCode(code).name}")

        persistently(delete, _PATIENCE_S, f"{self.topic} cannot be deleted")

    def _measure(self) -> float:
        record = Record(offset=0, timestamp=0, key=None, value=b"what time is it", headers=())
        data = PartitionProduceData(index=0, records=encode_batch([record]))
        request = ProduceRequest(
            acks=1, timeout_ms=_TIMEOUT_MS, topic_data=(TopicProduceData(name=self.topic, partition_data=(data,)),)
        )
        try:
            with RawConnection.to(
                "{}:{}".format(*self._address), client_id="nemesis", timeout_s=_ANSWER_S
            ) as connection:
                version = connection.highest(ApiKey.PRODUCE, 9)
                before_ms = time.time() * 1000
                answer: Any = connection.request(ApiKey.PRODUCE, version, request)
                after_ms = time.time() * 1000
        except (OSError, MalformedRequest) as trouble:
            raise NotYet(f"Produce: {trouble}") from trouble
        found = answer.responses[0].partition_responses[0]
        if found.error_code:
            raise NotYet(f"Produce: {ErrorCode(found.error_code).name}")
        if found.log_append_time_ms < 0:
            raise HostTrouble(f"node {self._node} does not set the timestamp of records (LogAppendTime)")
        return float(found.log_append_time_ms) - (before_ms + after_ms) / 2
