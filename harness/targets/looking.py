"""Asks a cluster what it looks like: Metadata, DescribeQuorum and FindCoordinator, from the first that answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from harness.clients.leader_connections import TROUBLE, asking, first_answer
from harness.clients.stepped.connection import Connection
from harness.targets.cluster_view import ClusterView, TopicPartition
from harness.targets.target import TargetTrouble
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest, PartitionData, TopicData
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import TopicName

_ANSWER_S = 3.0
_METADATA, _DESCRIBE_QUORUM, _FIND_COORDINATOR = 9, 1, 4
_METADATA_LOG = "__cluster_metadata"
_T = TypeVar("_T")


def look_at(
    bootstrap: str, nodes: Sequence[int] = (), topics: Sequence[str] | None = None, groups: Sequence[str] = ()
) -> ClusterView:
    """The cluster as its brokers tell it now. TargetTrouble when none of them answers.

    `nodes` are ids that are known already. Without `topics`, all, internal ones too. The quorum and coordinators are
    left empty while nobody says who they are.
    """
    wanted = None if topics is None else tuple(MetadataRequestTopic(name=TopicName(topic)) for topic in topics)
    request = MetadataRequest(topics=wanted, allow_auto_topic_creation=False)
    metadata = _answered(bootstrap, asking(ApiKey.METADATA, _METADATA, request))
    voters, active = _quorum(bootstrap)
    leaders: dict[TopicPartition, int] = {}
    epochs: dict[TopicPartition, int] = {}
    replicas: dict[TopicPartition, tuple[int, ...]] = {}
    isr: dict[TopicPartition, tuple[int, ...]] = {}
    for topic in metadata.topics:
        for partition in topic.partitions:
            where = (str(topic.name), int(partition.partition_index))
            replicas[where], isr[where] = tuple(partition.replica_nodes), tuple(partition.isr_nodes)
            if partition.leader_id >= 0:
                leaders[where], epochs[where] = int(partition.leader_id), int(partition.leader_epoch)
    brokers = tuple(sorted(int(broker.node_id) for broker in metadata.brokers))
    return ClusterView(
        nodes=tuple(sorted({*nodes, *brokers, *voters})),
        brokers=brokers,
        controllers=voters,
        active_controller=active,
        leaders=leaders,
        leader_epochs=epochs,
        replicas=replicas,
        isr=isr,
        coordinators=_coordinators(bootstrap, groups),
    )


def _answered(bootstrap: str, ask: Callable[[Connection], Awaitable[_T]]) -> _T:
    try:
        return first_answer(bootstrap, ask, client_id="view", timeout_s=_ANSWER_S)
    except TROUBLE as trouble:
        raise TargetTrouble(f"no broker of {bootstrap} answers Metadata: {trouble}") from trouble


def _quorum(bootstrap: str) -> tuple[tuple[int, ...], int | None]:
    """(voters, active controller)."""
    asked = TopicData(topic_name=TopicName(_METADATA_LOG), partitions=(PartitionData(partition_index=0),))

    async def ask(connection: Connection) -> Any:
        request = DescribeQuorumRequest(topics=(asked,))
        version = await connection.highest(ApiKey.DESCRIBE_QUORUM, _DESCRIBE_QUORUM)
        found = (await connection.request(ApiKey.DESCRIBE_QUORUM, version, request)).topics[0].partitions[0]
        if found.error_code:
            raise ConnectionError(f"DescribeQuorum: error {found.error_code}")
        return found

    try:
        found = _answered(bootstrap, ask)
    except (TargetTrouble, IndexError):
        return (), None
    voters = tuple(sorted(int(voter.replica_id) for voter in found.current_voters))
    return voters, int(found.leader_id) if found.leader_id >= 0 else None


def _coordinators(bootstrap: str, groups: Sequence[str]) -> dict[str, int]:
    if not groups:
        return {}
    request = FindCoordinatorRequest(key_type=0, coordinator_keys=tuple(groups))
    found = _answered(bootstrap, asking(ApiKey.FIND_COORDINATOR, _FIND_COORDINATOR, request)).coordinators
    return {one.key: int(one.node_id) for one in found if not one.error_code and one.node_id >= 0}
