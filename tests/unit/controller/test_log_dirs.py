"""A broker says where it has put replicas; ids of producers come in blocks."""

from __future__ import annotations

import pytest
from cluster_in_memory import CONFIG, Cluster, directory, partition, topic_id_of

from reference_broker.controller.log_dirs import decide_assignments
from reference_broker.controller.producer_ids import decide_producer_ids
from reference_broker.metadata.brokers import LOST
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.allocate_producer_ids_request import AllocateProducerIdsRequest
from reference_broker.wire.messages.assign_replicas_to_dirs_request import (
    AssignReplicasToDirsRequest,
    DirectoryData,
    PartitionData,
    TopicData,
)
from reference_broker.wire.primitives import BrokerId, Uuid
from reference_broker.wire.refusal import KafkaError


def assign(cluster: Cluster, directory_id: Uuid, *, broker_id: int = 1, topic: str = "t", index: int = 0) -> int:
    """The error code."""
    topics = (TopicData(topic_id=topic_id_of(topic), partitions=(PartitionData(partition_index=index),)),)
    request = AssignReplicasToDirsRequest(
        broker_id=BrokerId(broker_id),
        broker_epoch=cluster.epoch(broker_id),
        directories=(DirectoryData(id=directory_id, topics=topics),),
    )
    response = cluster.apply(decide_assignments(cluster.image, CONFIG, request))
    code: int = response.directories[0].topics[0].partitions[0].error_code
    return code


def of_two() -> Cluster:
    cluster = Cluster.of(2, 3)
    cluster.add_broker(1, folders=2)
    cluster.add_topic(partition(1, 2))
    return cluster


def test_the_metadata_names_the_folder_of_a_replica() -> None:
    cluster = of_two()
    code = assign(cluster, directory(1, 1))
    assert (code, cluster.partition().directories) == (0, (directory(1, 1), directory(2)))


def test_a_folder_that_is_known_already_is_not_written_again() -> None:
    cluster = of_two()
    assign(cluster, directory(1, 0))
    assert cluster.partition().partition_epoch == 9


@pytest.mark.parametrize("directory_id", [LOST, directory(1, 7)])
def test_a_replica_in_a_folder_that_is_not_online_leads_no_more(directory_id: Uuid) -> None:
    cluster = of_two()
    code = assign(cluster, directory_id)
    assert (code, cluster.partition().leader, cluster.partition().isr) == (0, 2, (2,))


@pytest.mark.parametrize(
    ("broker_id", "topic", "index", "code"),
    [
        (1, "u", 0, ErrorCode.UNKNOWN_TOPIC_ID),
        (1, "t", 5, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        (3, "t", 0, ErrorCode.NOT_LEADER_OR_FOLLOWER),
    ],
)
def test_a_replica_that_is_not_there_has_no_folder(broker_id: int, topic: str, index: int, code: ErrorCode) -> None:
    assert assign(of_two(), directory(broker_id), broker_id=broker_id, topic=topic, index=index) == code


def test_before_metadata_version_17_folders_are_not_named() -> None:
    cluster = Cluster.of(1, metadata_version=16, has_elr=False)
    request = AssignReplicasToDirsRequest(broker_id=BrokerId(1), broker_epoch=cluster.epoch(1))
    with pytest.raises(KafkaError) as refused:
        decide_assignments(cluster.image, CONFIG, request)
    assert refused.value.code is ErrorCode.UNSUPPORTED_VERSION


def test_blocks_of_producer_ids_follow_one_another() -> None:
    cluster = Cluster.of(1, 2)
    blocks = []
    for broker_id in (1, 2):
        request = AllocateProducerIdsRequest(broker_id=BrokerId(broker_id), broker_epoch=cluster.epoch(broker_id))
        response = cluster.apply(decide_producer_ids(cluster.image, request))
        blocks.append((response.producer_id_start, response.producer_id_len))
    assert blocks == [(0, 1000), (1000, 1000)]


def test_a_broker_that_is_not_the_registered_one_gets_no_producer_ids() -> None:
    with pytest.raises(KafkaError) as refused:
        decide_producer_ids(Cluster.of(1).image, AllocateProducerIdsRequest(broker_id=BrokerId(1), broker_epoch=99))
    assert refused.value.code is ErrorCode.STALE_BROKER_EPOCH
