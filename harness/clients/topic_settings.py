"""Reads a topic's configs, replicas and features from the cluster, rather than relying on what a check requested."""

from __future__ import annotations

from typing import Any

from harness.clients.client import ClientTrouble
from harness.clients.leader_connections import TROUBLE, asking, first_answer
from harness.clients.stepped.connection import Connection
from harness.history.operations import PartitionState, PartitionStates
from harness.judging.guarantees import TopicSettings
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import TopicName

_METADATA, _API_VERSIONS, _DESCRIBE_CONFIGS = 9, 3, 4
_ANSWER_S = 5.0
_TOPIC = 2
"""Resource type of a topic (DescribeConfigs)."""
_ELIGIBLE_LEADER_REPLICAS = "eligible.leader.replicas.version"
_ASKED = (
    "min.insync.replicas",
    "unclean.leader.election.enable",
    "cleanup.policy",
    "retention.ms",
    "retention.bytes",
    "flush.messages",
    "message.timestamp.type",
)


def read_topic_settings(bootstrap: str, topic: str) -> TopicSettings:
    """A topic's effective configs (DescribeConfigs), its replicas (Metadata) and the cluster's features (ApiVersions).

    ClientTrouble when the cluster does not report them.
    """

    async def ask(connection: Connection) -> tuple[dict[str, str], bool]:
        return await _configs(connection, topic), await _has_eligible_leader_replicas(connection)

    try:
        configs, has_elr = first_answer(bootstrap, ask, timeout_s=_ANSWER_S)
    except TROUBLE as trouble:
        raise ClientTrouble(f"the settings of topic {topic} cannot be read: {trouble}") from trouble
    states = read_partition_states(bootstrap, topic).partitions
    if not states:
        raise ClientTrouble(f"the settings of topic {topic} cannot be read: the cluster does not know it")
    return TopicSettings(
        replicas=min(len(state.replicas) for state in states),
        min_insync=int(configs["min.insync.replicas"]),
        is_unclean=configs["unclean.leader.election.enable"] == "true",
        cleanup_policy=tuple(part for part in configs["cleanup.policy"].split(",") if part),
        retention_ms=int(configs["retention.ms"]),
        retention_bytes=int(configs["retention.bytes"]),
        is_flushed_before_ack=configs["flush.messages"] == "1",
        timestamp_type=configs["message.timestamp.type"],
        has_eligible_leader_replicas=has_elr,
    )


def read_partition_states(bootstrap: str, topic: str) -> PartitionStates:
    """Leaders, leader epochs, replicas and ISRs of a topic (Metadata). ClientTrouble when no broker answers."""
    asked = (MetadataRequestTopic(name=TopicName(topic)),)
    request = MetadataRequest(topics=asked, allow_auto_topic_creation=False)
    try:
        return _states(first_answer(bootstrap, asking(ApiKey.METADATA, _METADATA, request), timeout_s=_ANSWER_S))
    except TROUBLE as trouble:
        raise ClientTrouble(f"the partitions of {topic} cannot be described: {trouble}") from trouble


async def _configs(connection: Connection, topic: str) -> dict[str, str]:
    resource = DescribeConfigsResource(resource_type=_TOPIC, resource_name=topic, configuration_keys=_ASKED)
    version = await connection.highest(ApiKey.DESCRIBE_CONFIGS, _DESCRIBE_CONFIGS)
    request = DescribeConfigsRequest(resources=(resource,))
    (result,) = (await connection.request(ApiKey.DESCRIBE_CONFIGS, version, request)).results
    if result.error_code:
        raise ClientTrouble(f"DescribeConfigs of {topic}: {ErrorCode(result.error_code).name}: {result.error_message}")
    told = {entry.name: entry.value or "" for entry in result.configs}
    missing = [name for name in _ASKED if name not in told]
    if missing:
        raise ClientTrouble(f"DescribeConfigs of {topic} tells no {', '.join(missing)}")
    return told


def _states(response: Any) -> PartitionStates:
    return PartitionStates(
        tuple(
            PartitionState(
                str(found.name),
                int(partition.partition_index),
                int(partition.leader_id),
                int(partition.leader_epoch),
                tuple(int(node) for node in partition.replica_nodes),
                tuple(int(node) for node in partition.isr_nodes),
            )
            for found in response.topics
            for partition in sorted(found.partitions, key=lambda each: each.partition_index)
        )
    )


async def _has_eligible_leader_replicas(connection: Connection) -> bool:
    request = ApiVersionsRequest(client_software_name="harness", client_software_version="1")
    response = await connection.request(ApiKey.API_VERSIONS, _API_VERSIONS, request)
    levels = {str(feature.name): int(feature.max_version_level) for feature in response.finalized_features}
    return levels.get(_ELIGIBLE_LEADER_REPLICAS, 0) >= 1
