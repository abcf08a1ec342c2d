"""Functions that build the requests that many checks send. Other requests use the message classes directly."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import pytest

from harness.clients.client import ClientTrouble
from harness.comparing.exchange import Exchange
from harness.judging.outcome import BrokenPromise
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.delete_records_request import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from reference_broker.wire.messages.offset_fetch_request import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopic,
    OffsetFetchRequestTopics,
)
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest, SyncGroupRequestAssignment
from reference_broker.wire.primitives import ZERO_UUID, BrokerId, GroupId, TopicName, TransactionalId, Uuid
from reference_broker.wire.records import Record, encode_batch

T0: Final = 1_700_000_000_000
"""The timestamp (ms) of the first record in a batch; each following record is 1 ms later."""
SESSION_MS: Final = 6_000
"""The shortest session timeout that a broker allows by default."""

PROBES: Final = 256
"""Number of group ids to try; enough to have one on each of a few dozen partitions of __consumer_offsets."""

NOT_ASKED: Final = -(2**31)
"""The value of authorized operations in answers to clients that did not request them (KIP-430)."""
TOPIC_OPERATIONS: Final = sum(1 << code for code in (3, 4, 5, 6, 7, 8, 10, 11))
"""All operations on a topic, as bits: read, write, create, delete, alter, describe, describe and alter configs."""
CLUSTER_OPERATIONS: Final = sum(1 << code for code in (5, 7, 8, 9, 10, 11, 12))
"""All operations on a cluster, as bits: create, alter, describe, cluster action, describe and alter configs, idempotent
write."""


def versions(*numbers: int) -> Any:
    """Decorator: runs a check with each of these API versions."""
    return pytest.mark.parametrize("version", numbers, ids=lambda number: f"v{number}")


def all_versions(first: int, last: int) -> Any:
    """Decorator: runs a check with every API version from `first` to `last`."""
    return versions(*range(first, last + 1))


def variants(name: str, **values: Any) -> Any:
    """Decorator: runs a check once for each of these named values."""
    return pytest.mark.parametrize(name, list(values.values()), ids=list(values))


METADATA_VERSION_OF: Final = {"4.0": 22, "4.1": 26, "4.2": 28, "4.3": 30, "4.4": 31}
"""Release line → feature level of its first metadata version."""


def is_since(exchange: Exchange, release: str) -> bool:
    """Whether the broker is of this release line ("4.1") or a later one, by the metadata versions that it supports."""
    asked = ApiVersionsRequest(client_software_name="check", client_software_version="1")
    found = {one.name: one.max_version for one in exchange.quietly(asked, 4).supported_features}
    return bool(found.get("metadata.version", 0) >= METADATA_VERSION_OF[release])


def has_feature(exchange: Exchange, feature: str) -> bool:
    """Whether a feature is finalized in the cluster."""
    asked = ApiVersionsRequest(client_software_name="check", client_software_version="1")
    return any(one.name == feature for one in exchange.quietly(asked, 4).finalized_features)


# -- records ----------------------------------------------------------------------------------------------------


def records(*values: str | None, key: str | None = None, timestamps: Iterable[int] | None = None) -> list[Record]:
    """Records with these values, at offsets from 0 and timestamps from T0."""
    times = list(timestamps) if timestamps is not None else [T0 + index for index in range(len(values))]
    return [
        Record(index, times[index], None if key is None else key.encode(), None if value is None else value.encode())
        for index, value in enumerate(values)
    ]


def batch(*values: str | None, key: str | None = None, timestamps: Iterable[int] | None = None, **more: Any) -> bytes:
    """A record batch with these values; `more` is passed to encode_batch."""
    return encode_batch(records(*values, key=key, timestamps=timestamps), **more)


def produce(
    topic: str | Uuid,
    data: bytes | Mapping[int, bytes | None] | None,
    *,
    acks: int = -1,
    timeout_ms: int = 5_000,
    transactional_id: str | None = None,
) -> ProduceRequest:
    """Produce to a topic, by name or (from version 13) by id; to partition 0 unless `data` is a mapping."""
    by_partition = data if isinstance(data, Mapping) else {0: data}
    parts = tuple(
        PartitionProduceData(index=index, records=None if one is None else memoryview(one))
        for index, one in by_partition.items()
    )
    return ProduceRequest(
        transactional_id=None if transactional_id is None else TransactionalId(transactional_id),
        acks=acks,
        timeout_ms=timeout_ms,
        topic_data=(_topic(TopicProduceData, topic, "name", partition_data=parts),),
    )


def produce_quietly(exchange: Exchange, topic: str, *values: str, partition: int = 0, **more: Any) -> None:
    """Produces one batch as preparation, without observing it. BrokenPromise if it is refused."""
    answer = exchange.quietly(produce(topic, {partition: batch(*values, **more)}), 9)
    found = answer.responses[0].partition_responses[0]
    _prepared(f"preparing {topic}", found)


def fetch(topic: str | Uuid, offset: int = 0, *, partition: int = 0, **more: Any) -> FetchRequest:
    """Fetch of one partition; `more` sets any field of the request or of its partition."""
    own = {name: more.pop(name) for name in list(more) if name in FetchPartition.__struct_fields__}
    wanted = FetchPartition(
        **{"partition": partition, "fetch_offset": offset, "partition_max_bytes": 1024 * 1024, **own}
    )
    return FetchRequest(
        **{
            "max_wait_ms": 0,
            "min_bytes": 1,
            "topics": (_topic(FetchTopic, topic, "topic", partitions=(wanted,)),),
            **more,
        }
    )


def new_producer(exchange: Exchange) -> int:
    """A new producer id, requested without observing it. Retries for 10 s, since a broker that has just started may not
    have any yet; then ClientTrouble."""
    request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
    for _ in exchange.patience():
        answer = exchange.quietly(request, 4)
        if answer.error_code == 0:
            return int(answer.producer_id)
    raise ClientTrouble(f"no producer id could be obtained: error {answer.error_code}")


def list_offsets(
    topic: str, timestamp: int, *, partition: int = 0, epoch: int = -1, isolation: int = 0, replica: int = -1
) -> ListOffsetsRequest:
    """ListOffsets for one partition."""
    wanted = ListOffsetsPartition(partition_index=partition, current_leader_epoch=epoch, timestamp=timestamp)
    return ListOffsetsRequest(
        replica_id=BrokerId(replica),
        isolation_level=isolation,
        topics=(ListOffsetsTopic(name=TopicName(topic), partitions=(wanted,)),),
        timeout_ms=5_000,
    )


def delete_records(topic: str, offset: int, *, partition: int = 0, timeout_ms: int = 5_000) -> DeleteRecordsRequest:
    """DeleteRecords of one partition."""
    wanted = DeleteRecordsPartition(partition_index=partition, offset=offset)
    return DeleteRecordsRequest(
        topics=(DeleteRecordsTopic(name=TopicName(topic), partitions=(wanted,)),), timeout_ms=timeout_ms
    )


# -- groups -----------------------------------------------------------------------------------------------------


def subscription(*topics: str, user_data: bytes | None = None) -> bytes:
    """A ConsumerProtocolSubscription in version 0, which brokers require as the metadata of consumers in JoinGroup."""
    names = b"".join(struct.pack(">h", len(name.encode())) + name.encode() for name in topics)
    own = struct.pack(">i", -1) if user_data is None else struct.pack(">i", len(user_data)) + user_data
    return struct.pack(">hi", 0, len(topics)) + names + own


def join(
    group: str, member_id: str = "", *, protocols: Mapping[str, bytes] | None = None, **more: Any
) -> JoinGroupRequest:
    """JoinGroup as a consumer with the protocol `range`; `more` sets any field."""
    offered = {"range": subscription("orders")} if protocols is None else protocols
    return JoinGroupRequest(
        **{
            "group_id": GroupId(group),
            "session_timeout_ms": SESSION_MS,
            "rebalance_timeout_ms": 10_000,
            "member_id": member_id,
            "protocol_type": "consumer",
            "protocols": tuple(
                JoinGroupRequestProtocol(name=name, metadata=metadata) for name, metadata in offered.items()
            ),
            **more,
        }
    )


def sync(
    group: str, generation: int, member_id: str, assignments: Mapping[str, bytes] | None = None, **more: Any
) -> SyncGroupRequest:
    """SyncGroup with assignments by member id; `more` sets any field."""
    return SyncGroupRequest(
        **{
            "group_id": GroupId(group),
            "generation_id": generation,
            "member_id": member_id,
            "protocol_type": "consumer",
            "protocol_name": "range",
            "assignments": tuple(
                SyncGroupRequestAssignment(member_id=member, assignment=data)
                for member, data in (assignments or {}).items()
            ),
            **more,
        }
    )


def joined(exchange: Exchange, group: str, **more: Any) -> tuple[str, int]:
    """Joins a new group, without observing it; returns (member id, generation). BrokenPromise if refused."""
    answer = exchange.quietly(join(group, **more), 3)
    _prepared(f"joining {group}", answer)
    return answer.member_id, answer.generation_id


def stable(exchange: Exchange, group: str, assignment: bytes = b"all", **more: Any) -> tuple[str, int]:
    """Joins and syncs a new group, without observing it; returns (member id, generation). BrokenPromise if refused."""
    member, generation = joined(exchange, group, **more)
    answer = exchange.quietly(sync(group, generation, member, {member: assignment}), 3)
    _prepared(f"synchronising {group}", answer)
    return member, generation


def commit(
    group: str, topic: str | Uuid, offset: int, *, partition: int = 0, metadata: str | None = "", **more: Any
) -> OffsetCommitRequest:
    """OffsetCommit of one partition, without a member; `more` sets any field."""
    wanted = OffsetCommitRequestPartition(
        partition_index=partition, committed_offset=offset, committed_metadata=metadata
    )
    return OffsetCommitRequest(
        **{
            "group_id": GroupId(group),
            "topics": (_topic(OffsetCommitRequestTopic, topic, "name", partitions=(wanted,)),),
            **more,
        }
    )


def offsets(
    version: int, group: str, topics: Mapping[str | Uuid, tuple[int, ...]] | None, *, stable_only: bool = False
) -> OffsetFetchRequest:
    """OffsetFetch of one group, in the form of this version; of all its topics if `topics` is None."""
    if version >= 8:
        many = None
        if topics is not None:
            many = tuple(
                _topic(OffsetFetchRequestTopics, topic, "name", partition_indexes=indexes)
                for topic, indexes in topics.items()
            )
        one = OffsetFetchRequestGroup(group_id=GroupId(group), topics=many)
        return OffsetFetchRequest(groups=(one,), require_stable=stable_only)
    few = None
    if topics is not None:
        few = tuple(
            OffsetFetchRequestTopic(name=TopicName(str(topic)), partition_indexes=indexes)
            for topic, indexes in topics.items()
        )
    return OffsetFetchRequest(group_id=GroupId(group), topics=few, require_stable=stable_only)


def deposed(exchange: Exchange, topic: str) -> None:
    """Waits, without observing, until an unregistered broker no longer leads the topic nor coordinates any group.

    BrokenPromise if it still does after 10 s.
    """
    groups = tuple(OffsetFetchRequestGroup(group_id=GroupId(f"probe-{number}"), topics=()) for number in range(PROBES))
    for _ in exchange.patience():
        (found,) = exchange.quietly(list_offsets(topic, -1), 7).topics[0].partitions
        answer = exchange.quietly(OffsetFetchRequest(groups=groups), 8)
        if found.error_code and all(one.error_code for one in answer.groups):
            return
    raise BrokenPromise(
        f"The broker still leads {topic}, or groups, though it is not registered any more.",
        promise="a broker that was unregistered leads nothing",
    )


def coordinated(exchange: Exchange) -> None:
    """Waits, without observing, until the broker answers for all groups that it coordinates. The first request creates
    __consumer_offsets. ClientTrouble after 10 s."""
    if exchange.bootstrap in exchange.connections.coordinated:
        return
    probes = [f"probe-{number}" for number in range(PROBES)]
    own = probes if exchange.home is None else exchange.home.coordinated(probes)
    groups = tuple(OffsetFetchRequestGroup(group_id=GroupId(name), topics=None) for name in own)
    for _ in exchange.patience():
        if exchange.quietly(FindCoordinatorRequest(key="any"), 3).error_code == 0:
            answer = exchange.quietly(OffsetFetchRequest(groups=groups), 8)
            if not any(found.error_code for found in answer.groups):
                exchange.connections.coordinated.add(exchange.bootstrap)
                return
    raise ClientTrouble("no group coordinator answers")


def _prepared(what: str, found: Any) -> None:
    """BrokenPromise if the answer to a preparation has an error code."""
    if found.error_code != 0:
        raise BrokenPromise(f"{what}: error {found.error_code}: {found}")


def _topic(cls: Callable[..., Any], topic: str | Uuid, name_field: str, **parts: Any) -> Any:
    """A topic of a request, by name or, if `topic` is a Uuid, by id."""
    if isinstance(topic, bytes):
        return cls(topic_id=topic, **parts)
    return cls(**{name_field: TopicName(topic), "topic_id": ZERO_UUID, **parts})
