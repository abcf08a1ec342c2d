"""Every version that ApiVersions lists is answered.

**Claim** For every API to which a harmless request can be sent, each version that the broker lists is answered in that
version.
**Why it matters** Clients use the highest version that both sides know. If a version is listed but not served, clients
lose their connection repeatedly; as only the newest clients do, nobody notices at first.
**Kafka says** Protocol guide, "Retrieving Supported API versions"; KIP-35.
**Cannot see** The contents of the answers: see the other checks of this folder. APIs of which every request changes
something, or that need a transaction, a token, a share group or another authentication. Produce 0 to 2, which are
listed for old clients and not served; versions that are newer than this suite.
**Rejects** tests/plants/extra_api_version.py
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import variants
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_configs_request import AlterConfigsRequest
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.consumer_group_describe_request import ConsumerGroupDescribeRequest
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest
from reference_broker.wire.messages.create_topics_request import CreateTopicsRequest
from reference_broker.wire.messages.delete_groups_request import DeleteGroupsRequest
from reference_broker.wire.messages.delete_records_request import DeleteRecordsRequest
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.describe_cluster_request import DescribeClusterRequest
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.messages.describe_log_dirs_request import DescribeLogDirsRequest
from reference_broker.wire.messages.describe_producers_request import DescribeProducersRequest
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest
from reference_broker.wire.messages.describe_topic_partitions_request import DescribeTopicPartitionsRequest
from reference_broker.wire.messages.describe_transactions_request import DescribeTransactionsRequest
from reference_broker.wire.messages.fetch_request import FetchRequest
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.incremental_alter_configs_request import IncrementalAlterConfigsRequest
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest
from reference_broker.wire.messages.list_config_resources_request import ListConfigResourcesRequest
from reference_broker.wire.messages.list_groups_request import ListGroupsRequest
from reference_broker.wire.messages.list_offsets_request import ListOffsetsRequest
from reference_broker.wire.messages.list_partition_reassignments_request import ListPartitionReassignmentsRequest
from reference_broker.wire.messages.list_transactions_request import ListTransactionsRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.messages.offset_commit_request import OffsetCommitRequest
from reference_broker.wire.messages.offset_delete_request import OffsetDeleteRequest
from reference_broker.wire.messages.offset_fetch_request import OffsetFetchRequest
from reference_broker.wire.messages.offset_for_leader_epoch_request import OffsetForLeaderEpochRequest
from reference_broker.wire.messages.produce_request import ProduceRequest
from reference_broker.wire.messages.share_group_describe_request import ShareGroupDescribeRequest
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest
from reference_broker.wire.messages.unregister_broker_request import UnregisterBrokerRequest
from reference_broker.wire.primitives import BrokerId, GroupId

pytestmark = [
    pytest.mark.feature("ApiVersions"),
    pytest.mark.kip(35),
    pytest.mark.document("Protocol guide", "https://kafka.apache.org/protocol.html"),
]

NOBODY = GroupId("a-group-that-nobody-made")
HARMLESS = (
    AlterConfigsRequest(),
    ApiVersionsRequest(client_software_name="check", client_software_version="1.0"),
    CreatePartitionsRequest(timeout_ms=1_000),
    CreateTopicsRequest(timeout_ms=1_000),
    DeleteGroupsRequest(),
    DeleteRecordsRequest(timeout_ms=1_000),
    DeleteTopicsRequest(timeout_ms=1_000),
    DescribeClusterRequest(),
    DescribeConfigsRequest(),
    DescribeGroupsRequest(),
    DescribeLogDirsRequest(topics=()),
    DescribeProducersRequest(),
    DescribeQuorumRequest(),
    DescribeTopicPartitionsRequest(),
    FetchRequest(replica_id=BrokerId(-1), max_wait_ms=0),
    HeartbeatRequest(group_id=NOBODY, generation_id=1, member_id="nobody"),
    IncrementalAlterConfigsRequest(),
    InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000),
    LeaveGroupRequest(group_id=NOBODY),
    ListGroupsRequest(),
    ListOffsetsRequest(replica_id=BrokerId(-1)),
    MetadataRequest(topics=()),
    OffsetForLeaderEpochRequest(replica_id=BrokerId(-1)),
    ProduceRequest(acks=-1, timeout_ms=1_000),
    OffsetCommitRequest(group_id=NOBODY),
    OffsetFetchRequest(topics=()),
    FindCoordinatorRequest(),
    JoinGroupRequest(
        group_id=GroupId(""), session_timeout_ms=6_000, rebalance_timeout_ms=6_000, protocol_type="consumer"
    ),
    SyncGroupRequest(group_id=NOBODY, generation_id=1, member_id="nobody"),
    OffsetDeleteRequest(group_id=NOBODY),
    ListConfigResourcesRequest(),
    UnregisterBrokerRequest(broker_id=BrokerId(999_999)),
    ListPartitionReassignmentsRequest(timeout_ms=1_000, topics=()),
    ListTransactionsRequest(),
    DescribeTransactionsRequest(),
    ConsumerGroupDescribeRequest(),
    ShareGroupDescribeRequest(),
)
"""Requests that change nothing, so that they can be sent to any cluster in every version."""


@variants("message", **{APIS[message.API_KEY].name: message for message in HARMLESS})
def test_every_listed_version_is_answered(exchange: Exchange, message: Any) -> None:
    """Each listed version is answered, and not with UNSUPPORTED_VERSION."""
    api = APIS[message.API_KEY]
    listed = {one.api_key: one for one in exchange.quietly(HARMLESS[1], 4).api_keys}.get(api.key)
    if listed is None:
        exchange.require_listed(api.key, api.valid[0])
        pytest.skip(f"{api.name} is not listed, and need not be")

    low, high = max(listed.min_version, api.valid[0]), min(listed.max_version, api.valid[1])
    assert low <= high, f"{api.name}: of versions {listed.min_version} to {listed.max_version} none is known here"
    connection = exchange.connection()
    for version in range(low, high + 1):
        try:
            answer = connection.request(api.key, version, message)
        except OSError as trouble:
            raise AssertionError(f"{api.name} v{version} is listed, but gets no answer: {trouble}") from trouble
        assert getattr(answer, "error_code", 0) != ErrorCode.UNSUPPORTED_VERSION, f"{api.name} v{version} is listed"
    exchange.note(f"versions of {api.name} that are listed and answered", [low, high])
