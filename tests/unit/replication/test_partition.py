"""One hosted partition: leadership, and what it lets in and out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from broker_in_memory import NOW, BrokerInMemory, batch

from reference_broker.metadata.topics import PartitionImage
from reference_broker.replication.partition import Partition
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError


@pytest.fixture
def broker() -> BrokerInMemory:
    broker = BrokerInMemory()
    broker.create("t")
    return broker


@pytest.fixture
def partition(broker: BrokerInMemory) -> Partition:
    return broker.partition()


@pytest.fixture
def image(broker: BrokerInMemory) -> PartitionImage:
    found = broker.controller.image.partition("t", 0)
    assert found is not None
    return found


def refused(partition: Partition) -> ErrorCode:
    with pytest.raises(KafkaError) as error:
        partition.append_own(batch(b"a"), NOW)
    return error.value.code


def test_older_metadata_changes_nothing(partition: Partition, image: PartitionImage) -> None:
    partition.update(replace(image, partition_epoch=5, leader_epoch=3))
    partition.update(replace(image, partition_epoch=4, leader=-1))
    assert (partition.is_leader, partition.leader_epoch) == (True, 3)


def test_a_new_leadership_begins_at_the_logs_end(partition: Partition, image: PartitionImage) -> None:
    partition.append_own(batch(b"a", b"b"), NOW)
    partition.update(replace(image, partition_epoch=1, leader_epoch=4))
    partition.append_own(batch(b"c"), NOW)
    assert partition.log.epochs.entries == [(0, 0), (4, 2)]
    assert [one.header.partition_leader_epoch for one in partition.log.batches_from(0)] == [0, 4]


def test_who_does_not_lead_writes_nothing(partition: Partition, image: PartitionImage) -> None:
    partition.update(replace(image, partition_epoch=1, leader_epoch=1, leader=-1, isr=()))
    assert refused(partition) == ErrorCode.NOT_LEADER_OR_FOLLOWER
    assert partition.log.log_end_offset == 0


def test_too_few_replicas_in_sync_write_nothing_and_show_nothing_new(
    partition: Partition, image: PartitionImage
) -> None:
    partition.update(replace(image, partition_epoch=1, isr=()))
    assert refused(partition) == ErrorCode.NOT_ENOUGH_REPLICAS
    partition.log.append_own(batch(b"a"), 0, NOW)
    partition.advance_high_watermark()
    assert partition.high_watermark == 0


def test_min_insync_replicas_never_asks_for_more_than_there_are(broker: BrokerInMemory) -> None:
    broker.create("many", min_insync_replicas="3")
    assert broker.append(b"a", name="many") == 0


def test_a_log_that_is_left_answers_whoever_waited(partition: Partition) -> None:
    partition.leave()
    assert partition.acknowledgement(0) is ErrorCode.NOT_LEADER_OR_FOLLOWER
