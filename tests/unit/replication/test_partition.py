"""One hosted partition: leadership, and what it lets in and out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from broker_in_memory import NOW, BrokerInMemory, batch

from reference_broker.environment import Now
from reference_broker.metadata.topics import PartitionImage
from reference_broker.replication.follower import Follower
from reference_broker.replication.leader import Leader
from reference_broker.replication.offline import Dropped, Loaded, Offline
from reference_broker.replication.partition import Partition
from reference_broker.replication.roles import TRANSITIONS, Event, Role, WrongTransition
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError

TIME = Now(NOW, 0)
ROLES: tuple[type[Role], ...] = (Loaded, Leader, Follower, Offline, Dropped)


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
    partition.update(replace(image, partition_epoch=5, leader_epoch=3), TIME)
    partition.update(replace(image, partition_epoch=4, leader=-1), TIME)
    assert (partition.is_leader, partition.leader_epoch) == (True, 3)


def test_a_new_leadership_begins_at_the_logs_end(partition: Partition, image: PartitionImage) -> None:
    partition.append_own(batch(b"a", b"b"), NOW)
    partition.update(replace(image, partition_epoch=1, leader_epoch=4), TIME)
    partition.append_own(batch(b"c"), NOW)
    assert partition.log.epochs.entries == [(0, 0), (4, 2)]
    assert [one.header.partition_leader_epoch for one in partition.log.batches_from(0)] == [0, 4]


def test_who_does_not_lead_writes_nothing(partition: Partition, image: PartitionImage) -> None:
    partition.update(replace(image, partition_epoch=1, leader_epoch=1, leader=-1, isr=()), TIME)
    assert refused(partition) == ErrorCode.NOT_LEADER_OR_FOLLOWER
    assert partition.log.log_end_offset == 0


def test_too_few_replicas_in_sync_show_nothing_new(partition: Partition, image: PartitionImage) -> None:
    partition.update(replace(image, partition_epoch=1, isr=()), TIME)
    partition.log.append_own(batch(b"a"), 0, NOW)
    partition.led.advance_high_watermark()
    assert partition.high_watermark == 0


def test_min_insync_replicas_never_asks_for_more_than_there_are(broker: BrokerInMemory) -> None:
    broker.create("many", min_insync_replicas="3")
    assert broker.append(b"a", name="many") == 0


def test_a_log_that_is_left_answers_whoever_waited(partition: Partition) -> None:
    partition.leave()
    assert partition.acknowledgement(0) is ErrorCode.NOT_LEADER_OR_FOLLOWER


def act(partition: Partition, image: PartitionImage, event: Event) -> None:
    match event:
        case Event.MADE_LEADER:
            partition.update(replace(image, partition_epoch=9), TIME)
        case Event.MADE_FOLLOWER:
            partition.update(replace(image, partition_epoch=9, leader=5), TIME)
        case Event.FOLDER_FAILED:
            partition.fail()
        case Event.DROPPED:
            partition.leave()


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_changes_by_the_table_of_transitions_only(
    broker: BrokerInMemory, image: PartitionImage, role: type[Role], event: Event
) -> None:
    partition = Partition(log=broker.partition().log, local=broker.partition()._local)
    to_role = {Leader: Event.MADE_LEADER, Follower: Event.MADE_FOLLOWER, Offline: Event.FOLDER_FAILED}
    if role is Dropped:
        partition.leave()
    elif role is not Loaded:
        act(partition, replace(image, partition_epoch=1), to_role[role])
    expected = TRANSITIONS.get((role, event))
    if expected is None:
        with pytest.raises(WrongTransition):
            act(partition, image, event)
    else:
        act(partition, image, event)
        assert type(partition.role) is expected


def test_a_partition_in_a_failed_folder_refuses_writes_with_a_storage_error(partition: Partition) -> None:
    partition.fail()
    assert refused(partition) == ErrorCode.KAFKA_STORAGE_ERROR


def test_who_waits_for_a_partition_in_a_failed_folder_is_refused(partition: Partition) -> None:
    answers: list[ErrorCode] = []
    partition.when_replicated(1, answers.append)
    partition.fail()
    assert answers == [ErrorCode.KAFKA_STORAGE_ERROR]
