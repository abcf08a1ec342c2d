"""Families of APIs that are used together in a sequence of the coordinators' writer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reference_broker.wire.api_keys import ApiKey

FAMILIES: Final[Mapping[str, tuple[int, ...]]] = {
    "consumer": (
        *(ApiKey.CONSUMER_GROUP_HEARTBEAT,) * 4,
        *(ApiKey.CONSUMER_GROUP_DESCRIBE, ApiKey.OFFSET_COMMIT, ApiKey.OFFSET_FETCH, ApiKey.JOIN_GROUP),
        *(ApiKey.SYNC_GROUP, ApiKey.HEARTBEAT, ApiKey.LEAVE_GROUP, ApiKey.DESCRIBE_GROUPS, ApiKey.LIST_GROUPS),
        *(ApiKey.DELETE_GROUPS, ApiKey.OFFSET_DELETE, ApiKey.CREATE_PARTITIONS),
    ),
    "share": (
        *(ApiKey.SHARE_GROUP_HEARTBEAT,) * 4,
        *(ApiKey.SHARE_FETCH,) * 5,
        *(ApiKey.SHARE_ACKNOWLEDGE, ApiKey.SHARE_ACKNOWLEDGE, ApiKey.SHARE_GROUP_DESCRIBE, ApiKey.PRODUCE),
        *(ApiKey.DESCRIBE_SHARE_GROUP_OFFSETS, ApiKey.ALTER_SHARE_GROUP_OFFSETS, ApiKey.DELETE_SHARE_GROUP_OFFSETS),
        *(ApiKey.DELETE_GROUPS, ApiKey.LIST_GROUPS, ApiKey.PRODUCE, ApiKey.INCREMENTAL_ALTER_CONFIGS),
    ),
    "share_state": (
        *(ApiKey.INITIALIZE_SHARE_GROUP_STATE, ApiKey.READ_SHARE_GROUP_STATE, ApiKey.READ_SHARE_GROUP_STATE),
        *(ApiKey.WRITE_SHARE_GROUP_STATE, ApiKey.READ_SHARE_GROUP_STATE_SUMMARY, ApiKey.DELETE_SHARE_GROUP_STATE),
        ApiKey.FIND_COORDINATOR,
    ),
    "streams": (
        *(ApiKey.STREAMS_GROUP_HEARTBEAT,) * 4,
        *(ApiKey.STREAMS_GROUP_DESCRIBE, ApiKey.DELETE_GROUPS, ApiKey.OFFSET_COMMIT, ApiKey.OFFSET_FETCH),
        *(ApiKey.LIST_GROUPS, ApiKey.JOIN_GROUP, ApiKey.CREATE_PARTITIONS),
    ),
    "transactions": (
        *(ApiKey.INIT_PRODUCER_ID,) * 3,
        *(ApiKey.ADD_PARTITIONS_TO_TXN, ApiKey.ADD_OFFSETS_TO_TXN, ApiKey.TXN_OFFSET_COMMIT, ApiKey.TXN_OFFSET_COMMIT),
        *(ApiKey.PRODUCE, ApiKey.PRODUCE, ApiKey.END_TXN, ApiKey.OFFSET_FETCH, ApiKey.DELETE_GROUPS),
        *(ApiKey.DESCRIBE_TRANSACTIONS, ApiKey.LIST_TRANSACTIONS, ApiKey.DESCRIBE_PRODUCERS, ApiKey.OFFSET_DELETE),
        *(ApiKey.DELETE_TOPICS, ApiKey.OFFSET_COMMIT),
    ),
    "telemetry": (
        *(ApiKey.GET_TELEMETRY_SUBSCRIPTIONS, ApiKey.PUSH_TELEMETRY, ApiKey.PUSH_TELEMETRY),
        *(ApiKey.INCREMENTAL_ALTER_CONFIGS, ApiKey.LIST_CONFIG_RESOURCES, ApiKey.DESCRIBE_CONFIGS),
    ),
    "administration": (
        *(ApiKey.DESCRIBE_CLIENT_QUOTAS, ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS, ApiKey.ELECT_LEADERS),
        *(ApiKey.ALTER_PARTITION_REASSIGNMENTS, ApiKey.LIST_PARTITION_REASSIGNMENTS, ApiKey.DESCRIBE_ACLS),
        *(ApiKey.CREATE_TOPICS, ApiKey.DELETE_TOPICS, ApiKey.CREATE_PARTITIONS, ApiKey.INCREMENTAL_ALTER_CONFIGS),
        *(ApiKey.DESCRIBE_TOPIC_PARTITIONS, ApiKey.CREATE_DELEGATION_TOKEN, ApiKey.DESCRIBE_DELEGATION_TOKEN),
        *(ApiKey.ALTER_CONFIGS, ApiKey.DESCRIBE_LOG_DIRS, ApiKey.DELETE_RECORDS),
    ),
}
"""Family → API keys. A key that is listed n times is n times as likely."""
