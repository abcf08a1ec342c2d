"""What a leader says of its quorum: DescribeQuorum (KIP-595, KIP-836, KIP-853)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reference_broker.environment import Now
from reference_broker.raft.leader import Leader, Progress
from reference_broker.raft.member import Member
from reference_broker.raft.messages import NAME, only_partition
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest
from reference_broker.wire.messages.describe_quorum_response import (
    DescribeQuorumResponse,
    Listener,
    Node,
    PartitionData,
    ReplicaState,
    TopicData,
)
from reference_broker.wire.primitives import ZERO_UUID, BrokerId

REFUSALS: Final = {
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: "This server does not host this topic-partition.",
    ErrorCode.NOT_LEADER_OR_FOLLOWER: "This node does not lead the metadata quorum.",
}


def describe(member: Member, request: DescribeQuorumRequest, version: int, now: Now) -> DescribeQuorumResponse:
    """Voters and observers, and how far each has got; NOT_LEADER_OR_FOLLOWER from others than the leader."""
    if only_partition(request) is None:
        return _refused(request, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, version)
    leader = member.role
    if not isinstance(leader, Leader):
        return _refused(request, ErrorCode.NOT_LEADER_OR_FOLLOWER, version)
    leader.forget_silent_observers(now)
    partition = PartitionData(
        error_message="",
        leader_id=BrokerId(member.node_id),
        leader_epoch=member.epoch,
        high_watermark=member.high_watermark if leader.is_established else -1,
        current_voters=_states(member, leader.voters.values(), version, now),
        observers=_states(member, leader.observers.values(), version, now),
    )
    return DescribeQuorumResponse(
        error_message="",
        topics=(TopicData(topic_name=NAME, partitions=(partition,)),),
        nodes=_nodes(leader) if version >= 2 else (),
    )


def _states(member: Member, replicas: Iterable[Progress], version: int, now: Now) -> tuple[ReplicaState, ...]:
    states = []
    for one in replicas:
        is_own = one.voter.node_id == member.node_id
        states.append(
            ReplicaState(
                replica_id=BrokerId(one.voter.node_id),
                replica_directory_id=one.voter.key.directory_id if version >= 2 else ZERO_UUID,
                log_end_offset=member.store.end_offset if is_own else one.end_offset,
                last_fetch_timestamp=now.wall_ms if is_own else one.last_fetch_wall_ms,
                last_caught_up_timestamp=now.wall_ms if is_own else one.last_caught_up_wall_ms,
            )
        )
    return tuple(states)


def _nodes(leader: Leader) -> tuple[Node, ...]:
    return tuple(
        Node(
            node_id=BrokerId(node_id),
            listeners=tuple(
                Listener(name=one.listener, host=one.host, port=one.port) for one in progress.voter.endpoints
            ),
        )
        for node_id, progress in leader.voters.items()
    )


def _refused(request: DescribeQuorumRequest, code: ErrorCode, version: int) -> DescribeQuorumResponse:
    text = REFUSALS[code] if version >= 2 else ""
    return DescribeQuorumResponse(
        error_message="",
        topics=tuple(
            TopicData(
                topic_name=topic.topic_name,
                partitions=tuple(
                    PartitionData(partition_index=one.partition_index, error_code=code, error_message=text)
                    for one in topic.partitions
                ),
            )
            for topic in request.topics
        ),
    )
