"""An admin client for one node: creates and changes topics through it, and reads the metadata that this node has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.clients.node_client import TIMEOUT_S, NodeClient
from harness.clients.stepped import node_admin as stepped
from harness.hosts.executor import current
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.describe_topic_partitions_request import (
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.primitives import TopicName

_METADATA, _DESCRIBE = 12, 4
_TOPIC = 2
"""Resource type of a topic (DescribeConfigs)."""
_SET_ON_THE_TOPIC = 1
"""Config source DYNAMIC_TOPIC_CONFIG (DescribeConfigs)."""


class NodeAdmin(NodeClient):
    """A connection to one node. OSError when the node is unreachable, closes the connection, or is too slow."""

    def __init__(self, address: tuple[str, int], *, timeout_s: float = TIMEOUT_S) -> None:
        super().__init__(address, timeout_s=timeout_s)
        self._run = current().run
        self._stepped = stepped.NodeAdmin(self._connection.stepped)

    def create_topic(
        self, name: str, partitions: int = 1, replicas: int = 1, config: Mapping[str, str] | None = None
    ) -> ErrorCode:
        """Creates a topic; returns the response's error code. Does not wait until brokers know the topic."""
        return self._run(self._stepped.create_topic(name, partitions, replicas, config))

    def delete_topic(self, name: str) -> ErrorCode:
        """Deletes a topic; returns the response's error code. Does not wait until brokers have removed it."""
        return self._run(self._stepped.delete_topic(name))

    def set_config(self, topic: str, settings: Mapping[str, str | None]) -> ErrorCode:
        """Sets configs of a topic; None resets one to its default."""
        return self._run(self._stepped.set_config(topic, settings))

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
