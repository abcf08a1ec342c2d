"""An operator that sends the requests itself, also where there are no sockets for a client library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from harness.clients.client import ClientTrouble
from harness.clients.leader_connections import TROUBLE, LeaderConnections, asking, first_answer
from harness.clients.operators.operator import SET_ON_THE_TOPIC, TIMEOUT_S, Config, Operator, Refused
from harness.hosts import cluster_time as time
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest, CreatePartitionsTopic
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_records_request import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.primitives import TopicName

_CREATE, _GROW, _DELETE, _METADATA, _DESCRIBE, _ALTER, _DELETE_RECORDS = 7, 3, 5, 9, 4, 1, 2
_TOPIC: Final = 2
"""Resource type of a topic."""
_SET, _UNSET = 0, 1
_TIMEOUT_MS: Final = int(TIMEOUT_S * 1000)
_AGAIN_S: Final = 0.1
CLIENT_ID: Final = "operator"


class RawOperator(Operator):
    """An operator with connections of our own, a new one for each request."""

    def _create(self, name: str, partitions: int, config: Mapping[str, str]) -> None:
        wanted = CreatableTopic(
            name=TopicName(name),
            num_partitions=partitions,
            replication_factor=1,
            configs=tuple(CreatableTopicConfig(name=key, value=value) for key, value in config.items()),
        )
        request = CreateTopicsRequest(topics=(wanted,), timeout_ms=_TIMEOUT_MS)
        (result,) = self._ask(f"creating topic {name}", ApiKey.CREATE_TOPICS, _CREATE, request).topics
        _check(f"creating topic {name}", result.error_code, result.error_message)

    def _grow(self, name: str, total: int) -> None:
        wanted = CreatePartitionsTopic(name=TopicName(name), count=total, assignments=None)
        request = CreatePartitionsRequest(topics=(wanted,), timeout_ms=_TIMEOUT_MS)
        (result,) = self._ask(f"adding partitions to {name}", ApiKey.CREATE_PARTITIONS, _GROW, request).results
        _check(f"adding partitions to {name}", result.error_code, result.error_message)

    def _delete(self, name: str) -> None:
        request = DeleteTopicsRequest(topic_names=(TopicName(name),), timeout_ms=_TIMEOUT_MS)
        (result,) = self._ask(f"deleting topic {name}", ApiKey.DELETE_TOPICS, _DELETE, request).responses
        _check(f"deleting topic {name}", result.error_code, result.error_message)

    def _described(self) -> dict[str, dict[int, int]]:
        request = MetadataRequest(topics=None, allow_auto_topic_creation=False)
        answer = self._patiently("describing topics", ApiKey.METADATA, _METADATA, request)
        return {
            str(topic.name): {}
            if topic.error_code
            else {int(one.partition_index): int(one.leader_id) for one in topic.partitions}
            for topic in answer.topics
        }

    def _config(self, name: str) -> dict[str, Config]:
        resource = DescribeConfigsResource(resource_type=_TOPIC, resource_name=name, configuration_keys=None)
        request = DescribeConfigsRequest(resources=(resource,))
        (result,) = self._patiently(f"describing {name}", ApiKey.DESCRIBE_CONFIGS, _DESCRIBE, request).results
        _check(f"describing {name}", result.error_code, result.error_message)
        return {str(one.name): Config(str(one.value), one.config_source == SET_ON_THE_TOPIC) for one in result.configs}

    def _alter(self, name: str, settings: Mapping[str, str], unset: Sequence[str]) -> None:
        changes = [AlterableConfig(name=key, config_operation=_SET, value=value) for key, value in settings.items()]
        changes += [AlterableConfig(name=key, config_operation=_UNSET, value=None) for key in unset]
        resource = AlterConfigsResource(resource_type=_TOPIC, resource_name=name, configs=tuple(changes))
        request = IncrementalAlterConfigsRequest(resources=(resource,))
        (result,) = self._ask(f"altering {name}", ApiKey.INCREMENTAL_ALTER_CONFIGS, _ALTER, request).responses
        _check(f"altering {name}", result.error_code, result.error_message)

    def delete_records(self, name: str, partition: int, before: int) -> int:
        """Deletes the records below an offset; returns the low watermark in the response."""
        what = f"deleting records of {name}"
        wanted = DeleteRecordsPartition(partition_index=partition, offset=before)
        topic = DeleteRecordsTopic(name=TopicName(name), partitions=(wanted,))
        request = DeleteRecordsRequest(topics=(topic,), timeout_ms=_TIMEOUT_MS)
        leaders = LeaderConnections(self._bootstrap, CLIENT_ID, TIMEOUT_S)
        try:
            connection = leaders.leader(name, partition)
            version = connection.highest(ApiKey.DELETE_RECORDS, _DELETE_RECORDS)
            found = connection.request(ApiKey.DELETE_RECORDS, version, request).topics[0].partitions[0]
        except TROUBLE as trouble:
            raise ClientTrouble(f"{what}: {trouble}") from trouble
        finally:
            leaders.forget()
        _check(what, found.error_code)
        return int(found.low_watermark)

    def _ask(self, what: str, api_key: ApiKey, version: int, request: Any) -> Any:
        """The response of the first broker that gives one. ClientTrouble when none does."""
        try:
            asked = asking(api_key, version, request)
            return first_answer(self._bootstrap, asked, client_id=CLIENT_ID, timeout_s=TIMEOUT_S)
        except TROUBLE as trouble:
            raise ClientTrouble(f"{what}: {trouble}") from trouble

    def _patiently(self, what: str, api_key: ApiKey, version: int, request: Any) -> Any:
        """As `_ask`, for a request that changes nothing: asked again while no broker can be reached."""
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                return self._ask(what, api_key, version, request)
            except ClientTrouble:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_AGAIN_S)


def _check(what: str, code: int, message: str | None = None) -> None:
    if code:
        raise Refused(what, ErrorCode(code).name, message or "")
