"""Reads a topic's configs, replicas and features from the cluster, rather than relying on what a check requested."""

from __future__ import annotations

from typing import Any

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
from harness.clients.leader_connections import TROUBLE, first_answer
from harness.history.operations import PartitionState, PartitionStates
from harness.judging.guarantees import TopicSettings
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import TopicName

_METADATA, _API_VERSIONS, _DESCRIBE_CONFIGS = 3, 18, 32
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
    try:
        configs, has_elr = first_answer(
            bootstrap,
            lambda connection: (_configs(connection, topic), _has_eligible_leader_replicas(connection)),
            timeout_s=_ANSWER_S,
        )
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
    try:
        return first_answer(bootstrap, lambda connection: _states(connection, (topic,)), timeout_s=_ANSWER_S)
    except TROUBLE as trouble:
        raise ClientTrouble(f"the partitions of {topic} cannot be described: {trouble}") from trouble


def _configs(connection: RawConnection, topic: str) -> dict[str, str]:
    resource = DescribeConfigsResource(resource_type=_TOPIC, resource_name=topic, configuration_keys=_ASKED)
    version = connection.highest(_DESCRIBE_CONFIGS, 4)
    (result,) = connection.request(_DESCRIBE_CONFIGS, version, DescribeConfigsRequest(resources=(resource,))).results
    if result.error_code:
        raise ClientTrouble(f"DescribeConfigs of {topic}: {ErrorCode(result.error_code).name}: {result.error_message}")
    told = {entry.name: entry.value or "" for entry in result.configs}
    missing = [name for name in _ASKED if name not in told]
    if missing:
        raise ClientTrouble(f"DescribeConfigs of {topic} tells no {', '.join(missing)}")
    return told


def _states(connection: RawConnection, topics: tuple[str, ...]) -> PartitionStates:
    asked = tuple(MetadataRequestTopic(name=TopicName(topic)) for topic in topics)
    request = MetadataRequest(topics=asked, allow_auto_topic_creation=False)
    response: Any = connection.request(_METADATA, connection.highest(_METADATA, 9), request)
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


def _has_eligible_leader_replicas(connection: RawConnection) -> bool:
    request = ApiVersionsRequest(client_software_name="harness", client_software_version="1")
    response = connection.request(_API_VERSIONS, 3, request)
    levels = {str(feature.name): int(feature.max_version_level) for feature in response.finalized_features}
    return levels.get(_ELIGIBLE_LEADER_REPLICAS, 0) >= 1
