"""A second broker lives by messages beside the node's own: it registers, serves, is moved to, and is missed."""

from __future__ import annotations

from typing import Any

import pytest
from broker_in_memory import BrokerInMemory

from reference_broker.apis import (
    allocate_producer_ids,
    alter_partition,
    alter_partition_reassignments,
    assign_replicas_to_dirs,
    broker_heartbeat,
    broker_registration,
    controller_registration,
    elect_leaders,
    list_partition_reassignments,
    unregister_broker,
    update_features,
)
from reference_broker.metadata.topics import PartitionImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.allocate_producer_ids_request import AllocateProducerIdsRequest
from reference_broker.wire.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from reference_broker.wire.messages.alter_partition_request import (
    AlterPartitionRequest,
    BrokerState,
    PartitionData,
    TopicData,
)
from reference_broker.wire.messages.assign_replicas_to_dirs_request import AssignReplicasToDirsRequest
from reference_broker.wire.messages.broker_heartbeat_request import BrokerHeartbeatRequest
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest, Feature
from reference_broker.wire.messages.controller_registration_request import ControllerRegistrationRequest
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from reference_broker.wire.messages.list_partition_reassignments_request import ListPartitionReassignmentsRequest
from reference_broker.wire.messages.unregister_broker_request import UnregisterBrokerRequest
from reference_broker.wire.messages.update_features_request import FeatureUpdateKey, UpdateFeaturesRequest
from reference_broker.wire.primitives import BrokerId, TopicName, Uuid

SECOND = BrokerId(2)
FOLDER = Uuid(b"second's folder!")


class Pair:
    """The node, and a second broker that only sends requests."""

    def __init__(self) -> None:
        self.node = BrokerInMemory()
        self.epoch = -1

    def register(self, start: int = 1) -> int:
        """Its error code; the answered epoch counts from then on."""
        features = self.node.parts.settings.static.release.supported_features()
        request = BrokerRegistrationRequest(
            broker_id=SECOND,
            cluster_id="C",
            incarnation_id=Uuid(bytes([start]) * 16),
            features=tuple(
                Feature(name=name, min_supported_version=low, max_supported_version=high)
                for name, (low, high) in features.items()
            ),
            rack=None,
            log_dirs=(FOLDER,),
        )
        response = self.node.call(broker_registration, request, version=4)
        self.epoch = response.broker_epoch if response.error_code == 0 else self.epoch
        return int(response.error_code)

    def beat(self, **wishes: Any) -> Any:
        request = BrokerHeartbeatRequest(
            broker_id=SECOND,
            broker_epoch=self.epoch,
            current_metadata_offset=self.node.controller.image.offset,
            **wishes,
        )
        return self.node.call(broker_heartbeat, request, version=2)

    def move(self, *replicas: int) -> int:
        wanted = ReassignablePartition(partition_index=0, replicas=tuple(map(BrokerId, replicas)))
        topics = (ReassignableTopic(name=TopicName("t"), partitions=(wanted,)),)
        request = AlterPartitionReassignmentsRequest(topics=topics)
        response = self.node.call(alter_partition_reassignments, request, version=1)
        return int(response.responses[0].partitions[0].error_code)

    def set_isr(self, *isr: int) -> int:
        one = self.partition
        asked = PartitionData(
            partition_index=0,
            leader_epoch=one.leader_epoch,
            partition_epoch=one.partition_epoch,
            new_isr_with_epochs=tuple(BrokerState(broker_id=BrokerId(each)) for each in isr),
        )
        topic_id = self.node.controller.image.topics.by_name["t"].id
        request = AlterPartitionRequest(
            broker_id=BrokerId(one.leader),
            broker_epoch=self.node.controller.image.brokers[one.leader].epoch,
            topics=(TopicData(topic_id=topic_id, partitions=(asked,)),),
        )
        return int(self.node.call(alter_partition, request, version=3).topics[0].partitions[0].error_code)

    @property
    def partition(self) -> PartitionImage:
        found = self.node.controller.image.partition("t", 0)
        assert found is not None
        return found


@pytest.fixture
def pair() -> Pair:
    """Both serve, and a topic is on both, led by the node."""
    made = Pair()
    made.register()
    made.beat()
    made.node.create()
    made.move(1, 2)
    made.set_isr(1, 2)
    return made


def test_the_second_broker_serves_after_its_first_heartbeat(pair: Pair) -> None:
    assert [one.id for one in pair.node.controller.image.cluster.active()] == [1, 2]


def test_a_partition_grows_to_the_second_broker_once_it_is_in_sync(pair: Pair) -> None:
    one = pair.partition
    assert (one.replicas, one.isr, one.adding_replicas, one.leader) == ((1, 2), (1, 2), (), 1)


def test_a_move_is_listed_until_the_new_replica_is_in_sync(pair: Pair) -> None:
    pair.set_isr(1)
    pair.move(2)
    request = ListPartitionReassignmentsRequest(topics=None)
    listed = pair.node.call(list_partition_reassignments, request, version=0).topics[0].partitions[0]
    assert (listed.replicas, listed.removing_replicas) == ((2, 1), (1,))


def test_a_move_away_costs_the_leadership(pair: Pair) -> None:
    pair.move(2)
    assert (pair.partition.replicas, pair.partition.leader) == ((2,), 2)


def test_a_preferred_leader_is_elected(pair: Pair) -> None:
    pair.move(2, 1)
    topics = (TopicPartitions(topic=TopicName("t"), partitions=(0,)),)
    response = pair.node.call(elect_leaders, ElectLeadersRequest(topic_partitions=topics), version=2)
    code = response.replica_election_results[0].partition_result[0].error_code
    assert (code, pair.partition.leader) == (0, 2)


def test_a_silent_broker_is_fenced_in_time(pair: Pair) -> None:
    for _ in range(20):
        pair.node.now_ms += 500
        pair.node.controller.on_time(pair.node.now)
    assert [one.id for one in pair.node.controller.image.cluster.active()] == [1]
    assert pair.partition.isr == (1,)


def test_a_controller_that_was_paused_fences_nobody_for_its_own_silence(pair: Pair) -> None:
    pair.node.now_ms += 9_001
    pair.node.controller.on_time(pair.node.now)
    assert [one.id for one in pair.node.controller.image.cluster.active()] == [1, 2]


def test_another_start_of_a_broker_that_lives_is_refused_until_its_session_is_over(pair: Pair) -> None:
    before = pair.register(start=2)
    pair.node.now_ms += 9_001
    assert (before, pair.register(start=2)) == (ErrorCode.DUPLICATE_BROKER_REGISTRATION, ErrorCode.NONE)


def test_a_broker_that_stops_is_told_so_and_out_of_sync(pair: Pair) -> None:
    response = pair.beat(want_shut_down=True)
    assert (response.should_shut_down, response.is_fenced, pair.partition.isr) == (True, True, (1,))


def test_an_unregistered_broker_is_stale(pair: Pair) -> None:
    pair.node.call(unregister_broker, UnregisterBrokerRequest(broker_id=SECOND), version=0)
    assert pair.beat().error_code == ErrorCode.STALE_BROKER_EPOCH


def test_blocks_of_producer_ids_are_given_once(pair: Pair) -> None:
    request = AllocateProducerIdsRequest(broker_id=SECOND, broker_epoch=pair.epoch)
    first, second = (pair.node.call(allocate_producer_ids, request, version=0) for _ in range(2))
    assert second.producer_id_start == first.producer_id_start + first.producer_id_len


def test_folders_of_a_broker_under_another_epoch_are_refused(pair: Pair) -> None:
    request = AssignReplicasToDirsRequest(broker_id=SECOND, broker_epoch=pair.epoch + 1)
    response = pair.node.call(assign_replicas_to_dirs, request, version=0)
    assert response.error_code == ErrorCode.STALE_BROKER_EPOCH


def test_a_second_controller_is_registered(pair: Pair) -> None:
    pair.node.call(controller_registration, ControllerRegistrationRequest(controller_id=3), version=0)
    assert 3 in pair.node.controller.image.cluster.controllers


def test_a_level_that_the_second_broker_does_not_support_is_refused(pair: Pair) -> None:
    update = FeatureUpdateKey(feature="metadata.version", max_version_level=99)
    response = pair.node.call(update_features, UpdateFeaturesRequest(feature_updates=(update,)), version=2)
    assert response.error_code == ErrorCode.INVALID_UPDATE_VERSION
