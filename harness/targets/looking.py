"""Asks a cluster what it looks like: Metadata, DescribeQuorum and FindCoordinator, from the first that answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from harness.clients.connection import RawConnection
from harness.targets.cluster_view import ClusterView, TopicPartition
from harness.targets.target import TargetTrouble
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest, PartitionData, TopicData
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import MalformedRequest, TopicName

_ANSWER_S = 3.0
_METADATA_LOG = "__cluster_metadata"
_T = TypeVar("_T")


def look_at(
    bootstrap: str, nodes: Sequence[int] = (), topics: Sequence[str] | None = None, groups: Sequence[str] = ()
) -> ClusterView:
    """The cluster as its brokers tell it now. TargetTrouble when none of them answers.

    `nodes` are ids that are known already. Without `topics`, all, internal ones too. The quorum and coordinators are
    left empty while nobody says who they are.
    """
    metadata = _first_answer(bootstrap, lambda connection: _metadata(connection, topics))
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


def _first_answer(bootstrap: str, ask: Callable[[RawConnection], _T]) -> _T:
    trouble: Exception = ConnectionError("no address")
    for address in bootstrap.split(","):
        try:
            with RawConnection.to(address, client_id="view", timeout_s=_ANSWER_S) as connection:
                return ask(connection)
        except (OSError, MalformedRequest) as error:
            trouble = error
    raise TargetTrouble(f"no broker of {bootstrap} answers Metadata: {trouble}") from trouble


def _metadata(connection: RawConnection, topics: Sequence[str] | None) -> Any:
    wanted = None if topics is None else tuple(MetadataRequestTopic(name=TopicName(topic)) for topic in topics)
    request = MetadataRequest(topics=wanted, allow_auto_topic_creation=False)
    return connection.request(ApiKey.METADATA, connection.highest(ApiKey.METADATA, 9), request)


def _quorum(bootstrap: str) -> tuple[tuple[int, ...], int | None]:
    """(voters, active controller)."""
    asked = TopicData(topic_name=TopicName(_METADATA_LOG), partitions=(PartitionData(partition_index=0),))

    def ask(connection: RawConnection) -> Any:
        request = DescribeQuorumRequest(topics=(asked,))
        version = connection.highest(ApiKey.DESCRIBE_QUORUM, 1)
        found = connection.request(ApiKey.DESCRIBE_QUORUM, version, request).topics[0].partitions[0]
        if found.error_code:
            raise ConnectionError(f"DescribeQuorum: error {found.error_code}")
        return found

    try:
        found = _first_answer(bootstrap, ask)
    except (TargetTrouble, IndexError):
        return (), None
    voters = tuple(sorted(int(voter.replica_id) for voter in found.current_voters))
    return voters, int(found.leader_id) if found.leader_id >= 0 else None


def _coordinators(bootstrap: str, groups: Sequence[str]) -> dict[str, int]:
    def ask(connection: RawConnection) -> Any:
        request = FindCoordinatorRequest(key_type=0, coordinator_keys=tuple(groups))
        return connection.request(ApiKey.FIND_COORDINATOR, connection.highest(ApiKey.FIND_COORDINATOR, 4), request)

    if not groups:
        return {}
    found = _first_answer(bootstrap, ask).coordinators
    return {one.key: int(one.node_id) for one in found if not one.error_code and one.node_id >= 0}
