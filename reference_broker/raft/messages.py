"""Requests and responses of the quorum's protocol: each names one partition, the metadata log's (KIP-595, KIP-853).

Responses name the leader that the answering member knows and, from the version that has them on, where that leader
listens on the listener that the request came in on.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.raft.member import Member
from reference_broker.raft.resigned import Resigned
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.raft.store import TOPIC, TOPIC_ID
from reference_broker.raft.voters import Voter, VoterEndpoint
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages import begin_quorum_epoch_request as begin_request
from reference_broker.wire.messages import begin_quorum_epoch_response as begin_response
from reference_broker.wire.messages import end_quorum_epoch_request as end_request
from reference_broker.wire.messages import end_quorum_epoch_response as end_response
from reference_broker.wire.messages import (
    fetch_request,
    fetch_response,
    vote_request,
    vote_response,
)
from reference_broker.wire.messages import fetch_snapshot_request as snapshot_request
from reference_broker.wire.primitives import BrokerId, TopicName

NAME: Final = TopicName(TOPIC)


def leader_endpoint(member: Member, listener: str) -> VoterEndpoint | None:
    """Where the leader that a member knows listens; None where it knows none, or not on that listener."""
    return next((one for one in member.role.leader_endpoints if one.listener == listener), None)


def leader_id_of(member: Member) -> BrokerId:
    """The leader that a member knows; -1 for none."""
    leader_id = member.role.leader_id
    return BrokerId(-1 if leader_id is None else leader_id)


def leader_nodes(kind: Any, member: Member, listener: str, version: int, first_version: int = 1) -> tuple[Any, ...]:
    """The field node_endpoints of a response; `kind` is the message's own class for it."""
    endpoint = leader_endpoint(member, listener) if version >= first_version else None
    if endpoint is None or member.role.leader_id is None:
        return ()
    return (kind(node_id=leader_id_of(member), host=endpoint.host, port=endpoint.port),)


def named_leader(member: Member, leader_id: int, nodes: Any) -> tuple[int | None, tuple[VoterEndpoint, ...]]:
    """(leader, its endpoints) as a response names them; no endpoints where it is silent about them."""
    if leader_id < 0:
        return None, ()
    listener = member.identity.listener
    return leader_id, tuple(VoterEndpoint(listener, one.host, one.port) for one in nodes if one.node_id == leader_id)


def only_partition(message: Any) -> Any | None:
    """The one partition of a message by topic name, where it is the metadata log's; else None."""
    if len(message.topics) != 1 or message.topics[0].topic_name != NAME or len(message.topics[0].partitions) != 1:
        return None
    partition = message.topics[0].partitions[0]
    return partition if partition.partition_index == 0 else None


def only_fetched(topics: Any) -> Any | None:
    """The one partition of a Fetch request's topics or response's responses, where the topic is the metadata log."""
    if len(topics) != 1 or topics[0].topic_id != TOPIC_ID or len(topics[0].partitions) != 1:
        return None
    return topics[0].partitions[0]


# -- elections --------------------------------------------------------------------------------------------------


def make_vote_request(member: Member, voter: Voter, *, is_pre_vote: bool) -> vote_request.VoteRequest:
    """Ask a voter for its vote, in the member's present epoch."""
    partition = vote_request.PartitionData(
        replica_epoch=member.epoch,
        replica_id=BrokerId(member.node_id),
        replica_directory_id=member.key.directory_id,
        voter_directory_id=voter.key.directory_id,
        last_offset_epoch=member.store.last_epoch,
        last_offset=member.store.end_offset,
        pre_vote=is_pre_vote,
    )
    return vote_request.VoteRequest(
        cluster_id=member.identity.cluster_id,
        voter_id=BrokerId(voter.node_id),
        topics=(vote_request.TopicData(topic_name=NAME, partitions=(partition,)),),
    )


def make_vote_response(
    member: Member, version: int, listener: str, error: int, is_granted: bool
) -> vote_response.VoteResponse:
    """The member's answer to a candidate."""
    partition = vote_response.PartitionData(
        error_code=error, leader_id=leader_id_of(member), leader_epoch=member.epoch, vote_granted=is_granted
    )
    return vote_response.VoteResponse(
        topics=(vote_response.TopicData(topic_name=NAME, partitions=(partition,)),),
        node_endpoints=leader_nodes(vote_response.NodeEndpoint, member, listener, version),
    )


def make_begin_request(member: Member, voter: Voter) -> begin_request.BeginQuorumEpochRequest:
    """Tell a voter who leads."""
    module = begin_request
    partition = module.PartitionData(
        voter_directory_id=voter.key.directory_id, leader_id=BrokerId(member.node_id), leader_epoch=member.epoch
    )
    return module.BeginQuorumEpochRequest(
        cluster_id=member.identity.cluster_id,
        voter_id=BrokerId(voter.node_id),
        topics=(module.TopicData(topic_name=NAME, partitions=(partition,)),),
        leader_endpoints=tuple(
            module.LeaderEndpoint(name=one.listener, host=one.host, port=one.port) for one in member.identity.endpoints
        ),
    )


def make_end_request(member: Member, resigned: Resigned) -> end_request.EndQuorumEpochRequest:
    """Tell a voter that the leader has resigned, and who should follow it."""
    module = end_request
    partition = module.PartitionData(
        leader_id=BrokerId(member.node_id),
        leader_epoch=member.epoch,
        preferred_successors=tuple(key.node_id for key in resigned.successors),
        preferred_candidates=tuple(
            module.ReplicaInfo(candidate_id=BrokerId(key.node_id), candidate_directory_id=key.directory_id)
            for key in resigned.successors
        ),
    )
    return module.EndQuorumEpochRequest(
        cluster_id=member.identity.cluster_id,
        topics=(module.TopicData(topic_name=NAME, partitions=(partition,)),),
        leader_endpoints=tuple(
            module.LeaderEndpoint(name=one.listener, host=one.host, port=one.port) for one in member.identity.endpoints
        ),
    )


def make_begin_response(
    member: Member, version: int, listener: str, error: int
) -> begin_response.BeginQuorumEpochResponse:
    """The answer to BeginQuorumEpoch."""
    module = begin_response
    partition = module.PartitionData(error_code=error, leader_id=leader_id_of(member), leader_epoch=member.epoch)
    return module.BeginQuorumEpochResponse(
        topics=(module.TopicData(topic_name=NAME, partitions=(partition,)),),
        node_endpoints=leader_nodes(module.NodeEndpoint, member, listener, version),
    )


def make_end_response(member: Member, version: int, listener: str, error: int) -> end_response.EndQuorumEpochResponse:
    """The answer to EndQuorumEpoch."""
    module = end_response
    partition = module.PartitionData(error_code=error, leader_id=leader_id_of(member), leader_epoch=member.epoch)
    return module.EndQuorumEpochResponse(
        topics=(module.TopicData(topic_name=NAME, partitions=(partition,)),),
        node_endpoints=leader_nodes(module.NodeEndpoint, member, listener, version),
    )


# -- replication ------------------------------------------------------------------------------------------------


def make_fetch_request(member: Member) -> fetch_request.FetchRequest:
    """Ask for what follows the end of the own log."""
    store, settings = member.store, member.settings
    partition = fetch_request.FetchPartition(
        current_leader_epoch=member.epoch,
        fetch_offset=store.end_offset,
        last_fetched_epoch=store.last_epoch,
        replica_directory_id=member.key.directory_id,
        high_watermark=member.high_watermark,
    )
    return fetch_request.FetchRequest(
        cluster_id=member.identity.cluster_id,
        replica_state=fetch_request.ReplicaState(replica_id=BrokerId(member.node_id)),
        max_wait_ms=settings.fetch_max_wait_ms,
        max_bytes=settings.fetch_max_bytes,
        topics=(fetch_request.FetchTopic(topic=NAME, topic_id=TOPIC_ID, partitions=(partition,)),),
    )


def make_fetch_response(
    member: Member,
    version: int,
    listener: str,
    *,
    error: int = ErrorCode.NONE,
    high_watermark: int = -1,
    records: bytes = b"",
    diverging: tuple[int, int] | None = None,
    snapshot: SnapshotId | None = None,
) -> fetch_response.FetchResponse:
    """Records, or the snapshot to fetch instead, or (epoch, end offset) where the follower's log is to be cut."""
    partition = fetch_response.PartitionData(
        error_code=error,
        high_watermark=high_watermark,
        log_start_offset=member.store.log_start_offset,
        diverging_epoch=fetch_response.EpochEndOffset()
        if diverging is None
        else fetch_response.EpochEndOffset(epoch=diverging[0], end_offset=diverging[1]),
        current_leader=fetch_response.LeaderIdAndEpoch(leader_id=leader_id_of(member), leader_epoch=member.epoch),
        snapshot_id=fetch_response.SnapshotId()
        if snapshot is None
        else fetch_response.SnapshotId(end_offset=snapshot.end_offset, epoch=snapshot.epoch),
        records=records,
    )
    return fetch_response.FetchResponse(
        responses=(fetch_response.FetchableTopicResponse(topic=NAME, topic_id=TOPIC_ID, partitions=(partition,)),),
        node_endpoints=leader_nodes(fetch_response.NodeEndpoint, member, listener, version, first_version=17),
    )


def make_fetch_snapshot_request(
    member: Member, end_offset: int, epoch: int, position: int
) -> snapshot_request.FetchSnapshotRequest:
    """Ask for the next bytes of a snapshot."""
    module = snapshot_request
    partition = module.PartitionSnapshot(
        current_leader_epoch=member.epoch,
        snapshot_id=module.SnapshotId(end_offset=end_offset, epoch=epoch),
        position=position,
        replica_directory_id=member.key.directory_id,
    )
    return module.FetchSnapshotRequest(
        cluster_id=member.identity.cluster_id,
        replica_id=BrokerId(member.node_id),
        max_bytes=member.settings.fetch_snapshot_max_bytes,
        topics=(module.TopicSnapshot(name=NAME, partitions=(partition,)),),
    )
