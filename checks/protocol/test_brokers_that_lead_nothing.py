"""A broker that leads nothing refuses requests with the error that makes clients look for the leader.

**Claim** In old and new versions of Produce, ListOffsets, OffsetForLeaderEpoch and DeleteRecords, a request about a
partition that the broker does not lead is answered with NOT_LEADER_OR_FOLLOWER; in those of the classic group protocol,
of groups' descriptions, deletion and offsets, a request about a group that it does not coordinate is answered with
NOT_COORDINATOR. No partition is added while no broker is registered (INVALID_REPLICATION_FACTOR). While a broker is
registered, its rack is in the answers that describe brokers.
**Why it matters** After these errors clients look for the right broker; after any other error they give up, or act
wrongly.
**Kafka says** Protocol guide, error codes; KIP-500 (an unregistered broker leads nothing).
**Cannot see** A cluster in which another broker leads; Fetch, InitProducerId and FindCoordinator.
**Rejects** tests/plants/knows_no_partition_that_it_does_not_lead.py
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import (
    batch,
    commit,
    coordinated,
    delete_records,
    deposed,
    join,
    list_offsets,
    offsets,
    produce,
    sync,
)
from harness.judging.outcome import require
from harness.pytest_plugin.strike import Strike
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest, CreatePartitionsTopic
from reference_broker.wire.messages.delete_groups_request import DeleteGroupsRequest
from reference_broker.wire.messages.describe_cluster_request import DescribeClusterRequest
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.messages.describe_producers_request import DescribeProducersRequest, TopicRequest
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.messages.offset_delete_request import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from reference_broker.wire.messages.offset_for_leader_epoch_request import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from reference_broker.wire.messages.unregister_broker_request import UnregisterBrokerRequest
from reference_broker.wire.primitives import BrokerId, GroupId, TopicName

pytestmark = [
    # A separate cluster of one broker: other checks need their broker, and no other broker may take over.
    pytest.mark.cluster(config={"broker.rack": "taken-out"}, is_exact=True),
    pytest.mark.feature("UnregisterBroker"),
    pytest.mark.kip(500),
    pytest.mark.document("Protocol guide", "https://kafka.apache.org/protocol.html"),
]


@pytest.fixture
def topic(exchange: Exchange, strike: Strike) -> Iterator[TopicName]:
    """A topic on a broker that is then unregistered; at the end the broker is killed and restarted."""
    name = exchange.topic()
    coordinated(exchange)
    exchange.quietly(UnregisterBrokerRequest(broker_id=BrokerId(1)), 0)
    deposed(exchange, name)
    yield name
    strike("kill")


def asked(exchange: Exchange, what: str, requests: dict[int, Any], wanted: ErrorCode) -> None:
    """Sends a request in each version; the answer must contain this error, and no other."""
    for version, request in requests.items():
        found = set(codes(exchange.ask(what, request, version)))
        name = APIS[request.API_KEY].name
        told = sorted(ErrorCode(one).name for one in found - {ErrorCode.NONE}) or [ErrorCode.NONE.name]
        require(told, [wanted.name], f"the error of {name} v{version} ({what})")


def codes(answer: Any) -> list[int]:
    """All error codes of an answer."""
    found = []
    for name in getattr(answer, "__struct_fields__", ()):
        value = getattr(answer, name)
        if name == "error_code":
            found.append(value)
        for inner in value if isinstance(value, tuple) else ():
            found += codes(inner)
    return found


def test_partitions_without_a_leader_are_refused(exchange: Exchange, topic: TopicName) -> None:
    """APIs that need a partition's leader answer with NOT_LEADER_OR_FOLLOWER; DescribeProducers, which reads the log,
    still works."""
    where = exchange.topic_id(topic)
    wanted = OffsetForLeaderPartition(partition=0, current_leader_epoch=-1, leader_epoch=0)
    ended = OffsetForLeaderEpochRequest(
        replica_id=BrokerId(-1), topics=(OffsetForLeaderTopic(topic=topic, partitions=(wanted,)),)
    )
    producers = DescribeProducersRequest(topics=(TopicRequest(name=topic, partition_indexes=(0,)),))
    requests: dict[str, dict[int, Any]] = {
        "a record": {3: produce(topic, batch("a")), 8: produce(topic, batch("a")), 13: produce(where, batch("a"))},
        "the end of the log": dict.fromkeys((1, 4, 5, 11), list_offsets(topic, -1)),
        "an epoch's end": dict.fromkeys((2, 3, 4), ended),
        "records to be deleted": dict.fromkeys((0, 1, 2), delete_records(topic, 0)),
    }
    for what, found in requests.items():
        asked(exchange, what, found, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    asked(exchange, "the producers, of which the log tells", {0: producers}, ErrorCode.NONE)


def test_groups_without_a_coordinator_are_refused(exchange: Exchange, topic: TopicName) -> None:
    """Every API of groups and their offsets answers with NOT_COORDINATOR."""
    group = exchange.name("readers")
    beat = HeartbeatRequest(group_id=GroupId(group), generation_id=1, member_id="m")
    leaving = LeaveGroupRequest(group_id=GroupId(group), member_id="m")
    leaving_together = LeaveGroupRequest(group_id=GroupId(group), members=(MemberIdentity(member_id="m"),))
    forgotten = OffsetDeleteRequestTopic(name=topic, partitions=(OffsetDeleteRequestPartition(partition_index=0),))
    requests: dict[str, dict[int, Any]] = {
        "a member": dict.fromkeys((0, 4, 9), join(group)),
        "its assignment": dict.fromkeys((0, 3, 5), sync(group, 1, "m")),
        "its heartbeat": dict.fromkeys((0, 3, 4), beat),
        "its end": {0: leaving, 2: leaving, 3: leaving_together, 5: leaving_together},
        "the group": dict.fromkeys((0, 4, 6), DescribeGroupsRequest(groups=(GroupId(group),))),
        "the group to be deleted": dict.fromkeys((0, 2), DeleteGroupsRequest(groups_names=(GroupId(group),))),
        "an offset": {2: commit(group, topic, 1), 8: commit(group, topic, 1)},
        "the offsets": {version: offsets(version, group, {topic: (0,)}) for version in (1, 2, 5, 7, 8, 9)},
        "an offset to be forgotten": {0: OffsetDeleteRequest(group_id=GroupId(group), topics=(forgotten,))},
    }
    for what, found in requests.items():
        asked(exchange, what, found, ErrorCode.NOT_COORDINATOR)


def test_its_rack_is_told_as_long_as_it_leads(exchange: Exchange) -> None:
    """DescribeCluster and Metadata list a registered broker with its rack."""
    everyone = DescribeClusterRequest(include_fenced_brokers=False)
    for version in (0, 1, 2):
        answer = exchange.ask("the brokers", everyone, version)
        assert [one.rack for one in answer.brokers] == ["taken-out"]
    for version in (1, 9, 13):
        told = exchange.ask("the brokers by Metadata", MetadataRequest(topics=()), version)
        assert [one.rack for one in told.brokers] == ["taken-out"]


def test_no_partition_is_added(exchange: Exchange, topic: TopicName) -> None:
    """A request for a new partition is refused with INVALID_REPLICATION_FACTOR, because no broker is available."""
    wanted = CreatePartitionsTopic(name=topic, count=2, assignments=None)
    requests = dict.fromkeys((0, 2, 3), CreatePartitionsRequest(topics=(wanted,), timeout_ms=5_000))

    asked(exchange, "a second partition", requests, ErrorCode.INVALID_REPLICATION_FACTOR)
