"""DescribeQuorum: the metadata log's leader, voters and observers, and how far each has got (KIP-595, KIP-836).

**Promises** The leader's own view of its quorum, voters with directory ids and endpoints from version 2.
**Refuses** Per partition: UNKNOWN_TOPIC_OR_PARTITION where the request names anything but __cluster_metadata-0.
**Versions** 1 fetch and caught-up times; 2 directory ids, endpoints and error messages.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import Context
from reference_broker.wire.api_keys import ApiKey
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

API: Final = ApiKey.DESCRIBE_QUORUM
VERSIONS: Final = range(3)
LISTENERS: Final = ("broker", "controller")
TOPIC: Final = "__cluster_metadata"


def handle(request: DescribeQuorumRequest, ctx: Context) -> DescribeQuorumResponse:
    """The quorum of one as its leader sees it."""
    asked = [(topic.topic_name, one.partition_index) for topic in request.topics for one in topic.partitions]
    if asked != [(TOPIC, 0)]:
        return _unknown(request, ctx.api_version)
    log, node_id = ctx.parts.quorum.log, ctx.controller.static_config.node_id
    has_ids = ctx.api_version >= 2
    voters = () if log.voters is None else log.voters.voters
    own = next((voter for voter in voters if voter.voter_id == node_id), None)
    state = ReplicaState(
        replica_id=BrokerId(node_id),
        replica_directory_id=own.voter_directory_id if own is not None and has_ids else ZERO_UUID,
        log_end_offset=log.high_watermark,
        last_fetch_timestamp=ctx.now_ms,
        last_caught_up_timestamp=ctx.now_ms,
    )
    partition = PartitionData(
        error_message="",
        leader_id=BrokerId(node_id),
        leader_epoch=log.leader_epoch,
        high_watermark=log.high_watermark,
        current_voters=(state,),
    )
    return DescribeQuorumResponse(
        error_message="",
        topics=(TopicData(topic_name=request.topics[0].topic_name, partitions=(partition,)),),
        nodes=_nodes(ctx) if has_ids else (),
    )


def _nodes(ctx: Context) -> tuple[Node, ...]:
    """The voters' endpoints: from the voter set, or as registered where the voters are static (KIP-853)."""
    voters = ctx.parts.quorum.log.voters
    endpoints: dict[int, list[tuple[str, str, int]]]
    if voters is not None:
        endpoints = {
            voter.voter_id: [(one.name, one.host, one.port) for one in voter.endpoints] for voter in voters.voters
        }
    else:
        endpoints = {
            node_id: [(one.name, one.host, one.port) for one in controller.end_points]
            for node_id, controller in sorted(ctx.image.cluster.controllers.items())
        }
    return tuple(
        Node(node_id=BrokerId(node_id), listeners=tuple(Listener(name=a, host=b, port=c) for a, b, c in listed))
        for node_id, listed in endpoints.items()
    )


def _unknown(request: DescribeQuorumRequest, version: int) -> DescribeQuorumResponse:
    text = "This server does not host this topic-partition."
    return DescribeQuorumResponse(
        error_message="",
        topics=tuple(
            TopicData(
                topic_name=topic.topic_name,
                partitions=tuple(
                    PartitionData(
                        partition_index=one.partition_index,
                        error_code=ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
                        error_message=text if version >= 2 else "",
                    )
                    for one in topic.partitions
                ),
            )
            for topic in request.topics
        ),
    )
