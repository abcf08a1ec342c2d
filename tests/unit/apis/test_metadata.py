"""Metadata and DescribeTopicPartitions: what is told of replicas whose log folder has failed."""

from __future__ import annotations

from broker_in_memory import BrokerInMemory

from reference_broker.apis import describe_topic_partitions, metadata
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_topic_partitions_request import (
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import TopicName, Uuid


def with_a_failed_folder() -> tuple[BrokerInMemory, int]:
    """A broker with two folders of which one has failed; the partition of topic t that was in it."""
    broker = BrokerInMemory(folders={"/one": Uuid(b"1" * 16), "/two": Uuid(b"2" * 16)})
    broker.create(partitions=2)
    broker.partitions.on_time(broker.now)
    lost = broker.partitions.folders.folders["/two"]
    ((_, index),) = lost.logs
    lost.fail("the disk is broken")
    broker.partitions.on_time(broker.now)
    return broker, index


def test_a_replica_in_a_failed_folder_is_offline_and_the_others_are_not() -> None:
    broker, lost = with_a_failed_folder()
    request = MetadataRequest(topics=(MetadataRequestTopic(name=TopicName("t")),))
    told = {one.partition_index: one for one in broker.call(metadata, request).topics[0].partitions}
    assert (told[lost].error_code, told[lost].offline_replicas) == (ErrorCode.LEADER_NOT_AVAILABLE, (1,))
    assert (told[1 - lost].error_code, told[1 - lost].offline_replicas) == (ErrorCode.NONE, ())


def test_a_partition_without_a_leader_is_described_without_an_error() -> None:
    broker, lost = with_a_failed_folder()
    request = DescribeTopicPartitionsRequest(topics=(TopicRequest(name=TopicName("t")),))
    found = broker.call(describe_topic_partitions, request).topics[0].partitions[lost]
    assert (found.error_code, found.leader_id, found.offline_replicas) == (ErrorCode.NONE, -1, (1,))
