"""Metadata: brokers, topics, partitions and their leaders; the first question of every client.

**Promises** One answer for each topic asked for, by name or by id; all topics where none is named. A topic that is not
there is created on demand where the broker and the request allow it, and answered UNKNOWN_TOPIC_OR_PARTITION once.
**Refuses** INVALID_REQUEST: a null name or a topic id below version 12. Per topic: UNKNOWN_TOPIC_OR_PARTITION,
UNKNOWN_TOPIC_ID, INVALID_TOPIC_EXCEPTION: the name cannot be; UNKNOWN_SERVER_ERROR: neither name nor id. Per partition:
LEADER_NOT_AVAILABLE, LISTENER_NOT_FOUND: the leader does not listen where the request came in; REPLICA_NOT_AVAILABLE:
version 0, a replica is down.
**Versions** 1 null means all topics; 4 allow_auto_topic_creation; 5 offline replicas; 8 authorized operations; 10 topic
ids in answers; 12 topic ids in requests; 13 an error of the whole answer.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from reference_broker.apis.context import BrokerContext
from reference_broker.apis.operations import CLUSTER_OPERATIONS, NOT_ASKED, TOPIC_OPERATIONS
from reference_broker.metadata.brokers import BrokerImage
from reference_broker.metadata.image import MetadataImage
from reference_broker.metadata.topic_names import reason_invalid
from reference_broker.metadata.topics import INTERNAL_TOPICS, PartitionImage, TopicImage
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.messages.metadata_response import (
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponsePartition,
    MetadataResponseTopic,
)
from reference_broker.wire.primitives import ZERO_UUID, BrokerId, TopicName, Uuid
from reference_broker.wire.refusal import KafkaError
from reference_broker.wire.refusal_response import refusal_response

API: Final = ApiKey.METADATA
VERSIONS: Final = range(14)
LISTENERS: Final = ("broker",)


def handle(request: MetadataRequest, ctx: BrokerContext) -> MetadataResponse:
    """Answer from the image, creating topics on the way where that is allowed."""
    version = ctx.api_version
    asked = request.topics
    is_all = asked is None or (version == 0 and not asked)
    if version < 12:
        _check_plain_names(request, version)
    ids = () if asked is None else tuple(dict.fromkeys(one.topic_id for one in asked if one.topic_id != ZERO_UUID))
    topics: list[MetadataResponseTopic] = []
    if is_all:
        topics = [_described(topic, ctx, request) for topic in ctx.image.topics]
    elif ids:
        topics = [_by_id(topic_id, ctx, request) for topic_id in ids]
    else:
        names = dict.fromkeys(one.name for one in asked or () if one.name is not None)
        if len(names) < len({one.name for one in asked or ()}):
            # Kafka trips over a topic with neither name nor id (4.3.1), and says so by its error of last resort.
            raise KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR)
        topics = [_by_name(name, ctx, request) for name in names]
    alive = ctx.image.cluster.alive()
    brokers = []
    for broker in alive:
        if endpoint := broker.endpoint(ctx.listener):
            host, port = endpoint
            brokers.append(MetadataResponseBroker(node_id=BrokerId(broker.id), host=host, port=port, rack=broker.rack))
    return MetadataResponse(
        brokers=tuple(brokers),
        cluster_id=ctx.image.cluster_id,
        controller_id=BrokerId(alive[ctx.random.randrange(0, len(alive))].id if alive else -1),
        topics=tuple(topics),
        cluster_authorized_operations=CLUSTER_OPERATIONS
        if 8 <= version <= 10 and request.include_cluster_authorized_operations
        else NOT_ASKED,
    )


def error_response(request: MetadataRequest, version: int, code: ErrorCode, message: str | None) -> MetadataResponse:
    """Unlike others it has the error for every topic also beside the one at the top; a null name is answered as ""."""
    response: MetadataResponse = refusal_response(request, version, code, with_rows=True)
    topics = tuple(one if one.name is not None else replace(one, name=TopicName("")) for one in response.topics)
    return replace(response, topics=topics)


def _check_plain_names(request: MetadataRequest, version: int) -> None:
    for topic in request.topics or ():
        if topic.name is None:
            raise KafkaError(ErrorCode.INVALID_REQUEST, f"Topic name can not be null for version {version}")
        if topic.topic_id != ZERO_UUID:
            raise KafkaError(
                ErrorCode.INVALID_REQUEST, f"Topic IDs are not supported in requests for version {version}"
            )


def _by_id(topic_id: Uuid, ctx: BrokerContext, request: MetadataRequest) -> MetadataResponseTopic:
    topic = ctx.image.topics.by_id.get(topic_id)
    if topic is None:
        return MetadataResponseTopic(error_code=ErrorCode.UNKNOWN_TOPIC_ID, name=None, topic_id=topic_id)
    return _described(topic, ctx, request)


def _by_name(name: str, ctx: BrokerContext, request: MetadataRequest) -> MetadataResponseTopic:
    topic = ctx.image.topics.get(name)
    if topic is not None:
        return _described(topic, ctx, request)
    code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if reason_invalid(name) is not None:
        code = ErrorCode.INVALID_TOPIC_EXCEPTION
    elif request.allow_auto_topic_creation and ctx.config.flag("auto.create.topics.enable"):
        ctx.broker.topic_creation.ask(name, ctx.config, ctx.now)
    return MetadataResponseTopic(
        error_code=code,
        name=TopicName(name),
        is_internal=name in INTERNAL_TOPICS,
        topic_authorized_operations=_topic_operations(request, ctx),
    )


def _topic_operations(request: MetadataRequest, ctx: BrokerContext) -> int:
    return TOPIC_OPERATIONS if ctx.api_version >= 8 and request.include_topic_authorized_operations else NOT_ASKED


def _described(topic: TopicImage, ctx: BrokerContext, request: MetadataRequest) -> MetadataResponseTopic:
    reachable = reachable_brokers(ctx.image, ctx.listener)
    return MetadataResponseTopic(
        name=TopicName(topic.name),
        topic_id=topic.id,
        is_internal=topic.is_internal,
        partitions=tuple(_partition(one, ctx, reachable) for one in topic.partitions.values()),
        topic_authorized_operations=_topic_operations(request, ctx),
    )


def _partition(
    partition: PartitionImage, ctx: BrokerContext, reachable: Mapping[int, BrokerImage]
) -> MetadataResponsePartition:
    image, version = ctx.image, ctx.api_version
    replicas, isr = partition.replicas, partition.isr
    if version == 0:
        # Version 0 leaves out what is not alive, and says so with an error.
        replicas = tuple(one for one in replicas if one in reachable)
        isr = tuple(one for one in isr if one in reachable)
    code, leader = ErrorCode.NONE, partition.leader
    if not is_alive(image, leader):
        code, leader = ErrorCode.LEADER_NOT_AVAILABLE, -1
    elif leader not in reachable:
        code = ErrorCode.LISTENER_NOT_FOUND if version >= 6 else ErrorCode.LEADER_NOT_AVAILABLE
        leader = -1
    elif len(replicas) < len(partition.replicas) or len(isr) < len(partition.isr):
        code = ErrorCode.REPLICA_NOT_AVAILABLE
    return MetadataResponsePartition(
        error_code=code,
        partition_index=partition.index,
        leader_id=BrokerId(leader),
        leader_epoch=partition.leader_epoch,
        replica_nodes=tuple(map(BrokerId, replicas)),
        isr_nodes=tuple(map(BrokerId, isr)),
        offline_replicas=offline_replicas(partition, reachable),
    )


def offline_replicas(partition: PartitionImage, reachable: Mapping[int, BrokerImage]) -> tuple[BrokerId, ...]:
    """The replicas that cannot be reached, or whose log folder has failed (KIP-112)."""
    return tuple(
        BrokerId(one)
        for one in partition.replicas
        if (broker := reachable.get(one)) is None or not broker.has_online(partition.directory_of(one))
    )


def reachable_brokers(image: MetadataImage, listener: str) -> dict[int, BrokerImage]:
    """The brokers that are alive and listen on a listener of this name, by id: found once for many partitions."""
    return {one: broker for one, broker in image.brokers.items() if is_reachable(image, one, listener)}


def is_alive(image: MetadataImage, broker_id: int) -> bool:
    """Whether a broker is registered and not fenced."""
    broker = image.brokers.get(broker_id)
    return broker is not None and not broker.is_fenced


def is_reachable(image: MetadataImage, broker_id: int, listener: str) -> bool:
    """Whether a broker is alive and listens on a listener of this name."""
    broker = image.brokers.get(broker_id)
    return broker is not None and not broker.is_fenced and broker.endpoint(listener) is not None
