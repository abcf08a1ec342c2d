"""Requests that create topics, and queries of the result, for checks."""

from __future__ import annotations

from collections.abc import Mapping

from harness.comparing.exchange import Exchange
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.create_topics_response import CreatableTopicResult, CreateTopicsResponse
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import BrokerId, TopicName

_TOPIC, _BROKER = 2, 4


def new_topic(
    name: str,
    partitions: int = 1,
    replicas: int = 1,
    *,
    config: Mapping[str, str | None] | None = None,
    assignment: Mapping[int, tuple[int, ...]] | None = None,
) -> CreatableTopic:
    """A topic for CreateTopics, with numbers of partitions and replicas, or with replica assignments."""
    return CreatableTopic(
        name=TopicName(name),
        num_partitions=partitions,
        replication_factor=replicas,
        configs=tuple(CreatableTopicConfig(name=key, value=value) for key, value in (config or {}).items()),
        assignments=tuple(
            CreatableReplicaAssignment(partition_index=index, broker_ids=tuple(map(BrokerId, brokers)))
            for index, brokers in (assignment or {}).items()
        ),
    )


def create(*topics: CreatableTopic, validate_only: bool = False) -> CreateTopicsRequest:
    """A CreateTopics request."""
    return CreateTopicsRequest(topics=topics, timeout_ms=10_000, validate_only=validate_only)


def only_topic(answer: CreateTopicsResponse) -> CreatableTopicResult:
    """The result for the only topic in the response."""
    (found,) = answer.topics
    return found


def is_there(exchange: Exchange, name: str) -> bool:
    """Whether the controller knows a topic: a validate-only CreateTopics says TOPIC_ALREADY_EXISTS."""
    answer = exchange.quietly(create(new_topic(name), validate_only=True), 7)
    return only_topic(answer).error_code == ErrorCode.TOPIC_ALREADY_EXISTS


def size_of(exchange: Exchange, name: str) -> tuple[int, int]:
    """(partitions, replicas per partition) of a topic; waits for it for 3 s, then (0, 0)."""
    about = MetadataRequest(topics=(MetadataRequestTopic(name=TopicName(name)),), allow_auto_topic_creation=False)
    for _ in exchange.patience(3):
        (found,) = exchange.quietly(about).topics
        if found.error_code == ErrorCode.NONE:
            return len(found.partitions), len(found.partitions[0].replica_nodes)
    return 0, 0


def settings_of(exchange: Exchange, name: str) -> dict[str, str | None]:
    """All configs of an existing topic."""
    wanted = DescribeConfigsResource(resource_type=_TOPIC, resource_name=name, configuration_keys=None)
    answer = exchange.quietly(DescribeConfigsRequest(resources=(wanted,)), 4)
    return {one.name: one.value for one in answer.results[0].configs}


def brokers_default(exchange: Exchange, name: str) -> int:
    """The value of a numeric config of a broker."""
    wanted = DescribeConfigsResource(
        resource_type=_BROKER, resource_name=str(exchange.broker()), configuration_keys=(name,)
    )
    return int(exchange.quietly(DescribeConfigsRequest(resources=(wanted,)), 4).results[0].configs[0].value)
