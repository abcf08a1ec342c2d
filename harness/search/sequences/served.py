"""The APIs that the writer `any_request` does not use, with reasons, and those that the reference supports. Pure."""

from __future__ import annotations

from functools import cache
from typing import Final

from reference_broker.wire.api_keys import ApiKey

OUT_OF_SERVICE: Final = "may put the node out of service for all sequences after"
BETWEEN_NODES: Final = "what nodes say to each other: an answer depends on elections and epochs of the node"
STAYS: Final = "what it changes stays for all sequences after, which then depend on what came before"

LEFT_OUT: Final = {
    ApiKey.UNREGISTER_BROKER: OUT_OF_SERVICE,
    ApiKey.UPDATE_FEATURES: OUT_OF_SERVICE,
    ApiKey.ALTER_CLIENT_QUOTAS: "a quota throttles all sequences after",
    ApiKey.ADD_RAFT_VOTER: OUT_OF_SERVICE,
    ApiKey.REMOVE_RAFT_VOTER: OUT_OF_SERVICE,
    ApiKey.UPDATE_RAFT_VOTER: OUT_OF_SERVICE,
    ApiKey.VOTE: BETWEEN_NODES,
    ApiKey.BEGIN_QUORUM_EPOCH: BETWEEN_NODES,
    ApiKey.END_QUORUM_EPOCH: BETWEEN_NODES,
    ApiKey.FETCH_SNAPSHOT: BETWEEN_NODES,
    ApiKey.ALTER_PARTITION: BETWEEN_NODES,
    ApiKey.BROKER_REGISTRATION: BETWEEN_NODES,
    ApiKey.BROKER_HEARTBEAT: BETWEEN_NODES,
    ApiKey.CONTROLLER_REGISTRATION: BETWEEN_NODES,
    ApiKey.ASSIGN_REPLICAS_TO_DIRS: BETWEEN_NODES,
    ApiKey.ALLOCATE_PRODUCER_IDS: BETWEEN_NODES,
    ApiKey.ENVELOPE: BETWEEN_NODES,
    ApiKey.WRITE_TXN_MARKERS: BETWEEN_NODES,
    ApiKey.DESCRIBE_QUORUM: "positions in the metadata log, which grows at each node's own pace",
    ApiKey.SASL_HANDSHAKE: "the connection is bad for anything else after it",
    ApiKey.SASL_AUTHENTICATE: "the connection is bad for anything else after it",
    ApiKey.CREATE_ACLS: STAYS,
    ApiKey.DELETE_ACLS: STAYS,
    ApiKey.ALTER_USER_SCRAM_CREDENTIALS: STAYS,
    ApiKey.ALTER_REPLICA_LOG_DIRS: "moves go on in the background",
}
"""API key → why no request of it is generated."""


@cache
def served() -> frozenset[int]:
    """The API keys that `any_request.write` uses, whatever the targets list: APIs that the reference supports."""
    return frozenset(
        {
            *(ApiKey.PRODUCE, ApiKey.FETCH, ApiKey.LIST_OFFSETS, ApiKey.METADATA, ApiKey.OFFSET_COMMIT),
            *(ApiKey.OFFSET_FETCH, ApiKey.FIND_COORDINATOR, ApiKey.JOIN_GROUP, ApiKey.HEARTBEAT, ApiKey.LEAVE_GROUP),
            *(ApiKey.SYNC_GROUP, ApiKey.DESCRIBE_GROUPS, ApiKey.LIST_GROUPS, ApiKey.API_VERSIONS),
            *(ApiKey.CREATE_TOPICS, ApiKey.DELETE_TOPICS, ApiKey.DELETE_RECORDS, ApiKey.INIT_PRODUCER_ID),
            *(ApiKey.OFFSET_FOR_LEADER_EPOCH, ApiKey.DESCRIBE_CONFIGS, ApiKey.ALTER_CONFIGS),
            *(ApiKey.DESCRIBE_LOG_DIRS, ApiKey.CREATE_PARTITIONS, ApiKey.DELETE_GROUPS),
            *(ApiKey.INCREMENTAL_ALTER_CONFIGS, ApiKey.OFFSET_DELETE, ApiKey.DESCRIBE_CLUSTER),
            *(ApiKey.DESCRIBE_PRODUCERS, ApiKey.LIST_CONFIG_RESOURCES, ApiKey.DESCRIBE_TOPIC_PARTITIONS),
            *(ApiKey.ELECT_LEADERS, ApiKey.ALTER_PARTITION_REASSIGNMENTS, ApiKey.LIST_PARTITION_REASSIGNMENTS),
        }
    )
