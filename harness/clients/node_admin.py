"""One node of a cluster, asked for changes and for what it knows: the answers of this node, and of no other."""

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
"""A resource type."""
_SET_ON_THE_TOPIC = 1
"""A config source."""
_SET, _UNSET = 0, 1
"""Operations of IncrementalAlterConfigs."""


class NodeAdmin(NodeClient):
    """A connection to one node, for an operator. OSError when it is away, closes, or is too slow."""

    def create_topic(
        self, name: str, partitions: int = 1, replicas: int = 1, config: Mapping[str, str] | None = None
    ) -> ErrorCode:
        """Makes a topic, as far as the controller's answer tells."""
        settings = tuple(CreatableTopicConfig(name=key, value=value) for key, value in (config or {}).items())
        topic = CreatableTopic(
            name=TopicName(name), num_partitions=partitions, replication_factor=replicas, configs=settings
        )
        answer = self.ask(ApiKey.CREATE_TOPICS, _CREATE, CreateTopicsRequest(topics=(topic,), timeout_ms=10_000))
        return ErrorCode(answer.topics[0].error_code)

    def delete_topic(self, name: str) -> ErrorCode:
        """Deletes a topic, as far as the controller's answer tells."""
        request = DeleteTopicsRequest(topics=(DeleteTopicState(name=TopicName(name)),), timeout_ms=10_000)
        return ErrorCode(self.ask(ApiKey.DELETE_TOPICS, _DELETE, request).responses[0].error_code)

    def set_config(self, topic: str, settings: Mapping[str, str | None]) -> ErrorCode:
        """Sets settings of a topic; None gives one back to its default."""
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
        """The settings that were set on a topic, as this node knows them; None where it knows no such topic."""
        resource = DescribeConfigsResource(resource_type=_TOPIC, resource_name=topic, configuration_keys=None)
        (found,) = self.ask(ApiKey.DESCRIBE_CONFIGS, _DESCRIBE, DescribeConfigsRequest(resources=(resource,))).results
        if found.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
            return None
        return {str(one.name): str(one.value) for one in found.configs if one.config_source == _SET_ON_THE_TOPIC}

    def metadata(self) -> Any:
        """All that this node tells of brokers and topics (Metadata)."""
        return self.ask(ApiKey.METADATA, _METADATA, MetadataRequest(topics=None, allow_auto_topic_creation=False))

    def described(self, topic: str, partition: int = 0) -> Any:
        """What this node tells of a partition, eligible leader replicas included (DescribeTopicPartitions)."""
        request = DescribeTopicPartitionsRequest(topics=(TopicRequest(name=TopicName(topic)),))
        (found,) = self.ask(ApiKey.DESCRIBE_TOPIC_PARTITIONS, 0, request).topics
        if found.error_code:
            raise ConnectionError(f"DescribeTopicPartitions of {topic}: {ErrorCode(found.error_code).name}")
        return next(one for one in found.partitions if one.partition_index == partition)
