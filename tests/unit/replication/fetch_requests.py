"""Fetch requests as tests write them, and the parts of their answers."""

from __future__ import annotations

from typing import Any

from broker_in_memory import BrokerInMemory

from reference_broker.apis import fetch
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.fetch_response import FetchResponse, PartitionData
from reference_broker.wire.primitives import TopicName, Uuid

BIG = 1 << 20


def part(index: int = 0, offset: int = 0, max_bytes: int = BIG, **fields: int) -> FetchPartition:
    return FetchPartition(partition=index, fetch_offset=offset, partition_max_bytes=max_bytes, **fields)


def request(*parts: FetchPartition, topic: str = "t", **fields: Any) -> FetchRequest:
    topics = (FetchTopic(topic=TopicName(topic), partitions=parts),) if parts else ()
    return FetchRequest(topics=topics, **({"min_bytes": 1, "max_bytes": BIG, "session_epoch": -1} | fields))


def by_id(topic_id: Uuid, *parts: FetchPartition, **fields: Any) -> FetchRequest:
    topics = (FetchTopic(topic_id=topic_id, partitions=parts),) if parts else ()
    return FetchRequest(topics=topics, **({"min_bytes": 1, "max_bytes": BIG, "session_epoch": -1} | fields))


def fetched(broker: BrokerInMemory, asked: FetchRequest, version: int = 12) -> Any:
    return broker.call(fetch, asked, version)


def parts_of(response: FetchResponse) -> dict[int, PartitionData]:
    return {one.partition_index: one for topic in response.responses for one in topic.partitions}


def only(response: FetchResponse) -> PartitionData:
    (answer,) = parts_of(response).values()
    return answer
