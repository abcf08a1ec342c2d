"""An admin client for one node: creates and changes topics through it, and reads the metadata that this node has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.clients.node_client import NodeClient
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.describe_topic_partitions_request import (
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.primitives import TopicName

_METADATA, _CREATE, _DELETE, _DESCRIBE, _ALTER = 12, 7, 6, 4, 1
_TOPIC = 2
"""Resource type of a topic (DescribeConfigs)."""
_SET_ON_THE_TOPIC = 1
"""Config source DYNAMIC_TOPIC_CONFIG (DescribeConfigs)."""
_SET, _UNSET = 0, 1
"""Operations of IncrementalAlterConfigs."""


class NodeAdmin(NodeClient):
    """A connection to one node. OSError when the node is unreachable, closes the connection, or is too slow."""

    def create_topic(
        self, name: str, partitions: int = 1, replicas: int = 1, config: Mapping[str, str] | None = None
    ) -> ErrorCode:
        """Creates a topic; returns the response's error code. Does not wait until brokers know the topic."""
        settings = tuple(CreatableTopicConfig(name=key, value=value) for key, value in (config or {}).items())
        topic = CreatableTopic(
            name=TopicName(name), num_partitions=partitions, replication_factor=replicas, configs=settings
        )
        answer = self.ask(ApiKey.CREATE_TOPICS, _CREATE, CreateTopicsRequest(topics=(topic,), timeout_ms=10_000))
        return ErrorCode(answer.topics[0].error_code)

    def delete_topic(self, name: str) -> ErrorCode:
        """Deletes a topic; returns the response's error code. Does not wait until brokers have removed it."""
        request = DeleteTopicsRequest(topics=(DeleteTopicState(name=TopicName(name)),), timeout_ms=10_000)
        return ErrorCode(self.ask(ApiKey.DELETE_TOPICS, _DELETE, request).responses[0].error_code)

    def set_config(self, topic: str, settings: Mapping[str, str | None]) -> ErrorCode:
        """Sets configs of a topic; None resets one to its default."""
        changes = tuple(
            AlterableConfig(name=key, config_operation=_UNSET if value is None else _SET, value=value)
            for key, value in settings.items()
        )
        resource = AlterConfigsResource(resource_type=_TOPIC, resource_name=topic, configs=changes)
        answer = self.ask(
            ApiKey.INCREMENTAL_ALTER_CONFIGS, _ALTER, IncrementalAlterConfigsRequest(resources=(resource,))
        )
        return ErrorCode(answer.responses[0].error_code)

    def own_config(self, topic: str) -> dict[str, str] | None:
        """The configs set on a topic itself, as this node reports them; None if it does not know the topic."""
        resource = DescribeConfigsResource(resource_type=_TOPIC, resource_name=topic, configuration_keys=None)
        (found,) = self.ask(ApiKey.DESCRIBE_CONFIGS, _DESCRIBE, DescribeConfigsRequest(resources=(resource,))).results
        if found.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
            return None
        return {str(one.name): str(one.value) for one in found.configs if one.config_source == _SET_ON_THE_TOPIC}

    def metadata(self) -> Any:
        """This node's Metadata response for all topics."""
        return self.ask(ApiKey.METADATA, _METADATA, MetadataRequest(topics=None, allow_auto_topic_creation=False))

    def described(self, topic: str, partition: int = 0) -> Any:
        """This node's DescribeTopicPartitions answer for a partition, with its eligible leader replicas."""
        request = DescribeTopicPartitionsRequest(topics=(TopicRequest(name=TopicName(topic)),))
        (found,) = self.ask(ApiKey.DESCRIBE_TOPIC_PARTITIONS, 0, request).topics
        if found.error_code:
            raise ConnectionError(f"DescribeTopicPartitions of {topic}: {ErrorCode(found.error_code).name}")
        return next(one for one in found.partitions if one.partition_index == partition)
