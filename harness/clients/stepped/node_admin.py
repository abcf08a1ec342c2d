"""An admin client for one node, as coroutines: creates, changes and deletes topics through it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.clients.stepped.connection import Connection
from harness.hosts.executor import Executor
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.primitives import TopicName

_CREATE, _DELETE, _ALTER = 7, 6, 1
_TOPIC = 2
"""Resource type of a topic."""
_SET, _UNSET = 0, 1
"""Operations of IncrementalAlterConfigs."""
_TIMEOUT_MS = 10_000


class NodeAdmin:
    """Requests over one connection. OSError when the node is unreachable, closes the connection, or is too slow."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    async def to(cls, executor: Executor, address: tuple[str, int], *, timeout_s: float) -> NodeAdmin:
        """A connection to one node, whose answers may take so long."""
        return cls(await Connection.open(executor, *address, client_id="node-client", timeout_s=timeout_s))

    async def create_topic(
        self, name: str, partitions: int = 1, replicas: int = 1, config: Mapping[str, str] | None = None
    ) -> ErrorCode:
        """Creates a topic; returns the response's error code. Does not wait until brokers know the topic."""
        settings = tuple(CreatableTopicConfig(name=key, value=value) for key, value in (config or {}).items())
        topic = CreatableTopic(
            name=TopicName(name), num_partitions=partitions, replication_factor=replicas, configs=settings
        )
        request = CreateTopicsRequest(topics=(topic,), timeout_ms=_TIMEOUT_MS)
        return ErrorCode((await self._ask(ApiKey.CREATE_TOPICS, _CREATE, request)).topics[0].error_code)

    async def delete_topic(self, name: str) -> ErrorCode:
        """Deletes a topic; returns the response's error code. Does not wait until brokers have removed it."""
        request = DeleteTopicsRequest(topics=(DeleteTopicState(name=TopicName(name)),), timeout_ms=_TIMEOUT_MS)
        return ErrorCode((await self._ask(ApiKey.DELETE_TOPICS, _DELETE, request)).responses[0].error_code)

    async def set_config(self, topic: str, settings: Mapping[str, str | None]) -> ErrorCode:
        """Sets configs of a topic; None resets one to its default."""
        changes = tuple(
            AlterableConfig(name=key, config_operation=_UNSET if value is None else _SET, value=value)
            for key, value in settings.items()
        )
        resource = AlterConfigsResource(resource_type=_TOPIC, resource_name=topic, configs=changes)
        request = IncrementalAlterConfigsRequest(resources=(resource,))
        answer = await self._ask(ApiKey.INCREMENTAL_ALTER_CONFIGS, _ALTER, request)
        return ErrorCode(answer.responses[0].error_code)

    async def _ask(self, api_key: ApiKey, version: int, message: Any) -> Any:
        return await self._connection.request(api_key, await self._connection.highest(api_key, version), message)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()
