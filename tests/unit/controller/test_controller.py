"""The controller bootstraps, registers, survives restarts, and changes its image by replay only."""

from __future__ import annotations

import pytest
from controller_in_memory import FOLDER, SETTINGS, at, create, lead, start, topic
from metadata_log_in_memory import MetadataLogInMemory
from own_broker import OwnBroker

from reference_broker.controller.controller import Controller
from reference_broker.controller.producer_ids import decide_producer_ids
from reference_broker.controller.registration import decide_unregistration
from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import BROKER, MetadataImage
from reference_broker.releases import RELEASES
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.allocate_producer_ids_request import AllocateProducerIdsRequest
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.user_scram_credential_record import UserScramCredentialRecord
from reference_broker.wire.primitives import BrokerId
from reference_broker.wire.refusal import KafkaError


def test_a_new_cluster_begins_with_the_features_of_its_release(controller: Controller) -> None:
    assert controller.image.features["metadata.version"] == 30


def test_a_cluster_that_is_ahead_of_the_release_is_not_led(log: MetadataLogInMemory, controller: Controller) -> None:
    older = BrokerConfig.of(SETTINGS, release=RELEASES["4.0"])
    with pytest.raises(KafkaError, match=r"metadata\.version is 4\.3-IV0, and 4\.0\.2 knows none after 4\.0-IV3"):
        lead(log, older)


def test_a_cluster_that_is_behind_the_release_is_led(log: MetadataLogInMemory, controller: Controller) -> None:
    newer = BrokerConfig.of(SETTINGS, release=RELEASES["4.4"])
    again = lead(log, newer)
    assert again.image.features["metadata.version"] == 30


def test_bootstrap_sets_min_insync_replicas_for_the_cluster_where_elr_is_on(controller: Controller) -> None:
    assert controller.image.config(BROKER, "") == {"min.insync.replicas": "1"}


def test_a_broker_that_starts_alone_is_registered_unfenced(controller: Controller) -> None:
    assert [broker.id for broker in controller.image.cluster.active()] == [1]


def test_a_brokers_epoch_is_the_offset_of_its_registration(log: MetadataLogInMemory, controller: Controller) -> None:
    (batch,) = [one for one in log.batches if type(one.records[0][0]).__name__ == "RegisterBrokerRecord"]
    assert controller.image.brokers[1].epoch == batch.last_offset


def test_a_controlled_shutdown_leaves_no_leader_and_an_eligible_one(log: MetadataLogInMemory) -> None:
    controller = lead(log, BrokerConfig.of(SETTINGS))
    own = OwnBroker(controller)
    own.start(log_dirs=(FOLDER,), previous_broker_epoch=-1, now=at(1_000))
    create(controller, topic())
    own.stop(at(4_000))
    partition = controller.image.topics.by_name["t"].partitions[0]
    assert (partition.leader, partition.isr, partition.elr) == (-1, (), (1,))


def test_a_restart_after_a_clean_stop_leads_again_in_a_later_epoch(log: MetadataLogInMemory) -> None:
    first = lead(log, BrokerConfig.of(SETTINGS))
    own = OwnBroker(first)
    own.start(log_dirs=(FOLDER,), previous_broker_epoch=-1, now=at(1_000))
    create(first, topic())
    own.stop(at(4_000))
    again = start(log, previous_broker_epoch=own.epoch)
    partition = again.image.topics.by_name["t"].partitions[0]
    assert (partition.leader, partition.isr, partition.leader_epoch) == (1, (1,), 2)


def test_a_restart_after_a_crash_leads_again_in_a_later_epoch(log: MetadataLogInMemory) -> None:
    create(start(log), topic())
    partition = start(log).image.topics.by_name["t"].partitions[0]
    assert (partition.leader, partition.isr, partition.leader_epoch) == (1, (1,), 2)


def test_an_image_made_of_a_snapshot_is_the_image(controller: Controller) -> None:
    create(controller, topic(partitions=2, retention_ms="5"))
    controller.submit(lambda image: decide_producer_ids(image, block_for(image)), at(3_000))
    controller.commit(((UserScramCredentialRecord(name="u", mechanism=1), 0),), at(3_000))
    copy = MetadataDelta.of(MetadataImage(cluster_id="C"), controller.image.records(), 0, 0).after
    assert list(copy.records()) == list(controller.image.records())


def test_a_record_of_a_later_steps_family_is_kept(log: MetadataLogInMemory, controller: Controller) -> None:
    record = UserScramCredentialRecord(name="u", mechanism=1)
    controller.commit(((record, 0),), at(3_000))
    assert (record, 0) in list(start(log).image.records())


def test_producer_ids_never_repeat_over_a_restart(log: MetadataLogInMemory) -> None:
    first = start(log).submit(lambda image: decide_producer_ids(image, block_for(image)), at(2_000))
    second = start(log).submit(lambda image: decide_producer_ids(image, block_for(image)), at(5_000))
    assert second.producer_id_start == first.producer_id_start + first.producer_id_len


def test_an_idle_log_gets_a_no_op_record(log: MetadataLogInMemory, controller: Controller) -> None:
    controller.on_time(at(controller.next_deadline_ms()))
    assert log.names()[-1] == "NoOpRecord"


def test_a_request_without_time_is_refused_and_decides_nothing(controller: Controller) -> None:
    with pytest.raises(KafkaError) as refused:
        controller.submit(lambda image: pytest.fail("it has decided"), at(3_000), timeout_ms=0)
    assert refused.value.code is ErrorCode.REQUEST_TIMED_OUT


def block_for(image: MetadataImage) -> AllocateProducerIdsRequest:
    (broker,) = image.brokers.values()
    return AllocateProducerIdsRequest(broker_id=BrokerId(broker.id), broker_epoch=broker.epoch)


def unregister(controller: Controller) -> None:
    (broker,) = controller.image.brokers.values()
    controller.commit(decide_unregistration(controller.pending, controller.config, broker.id).records, at(3_000))


def test_an_unregistered_broker_leads_nothing_and_stays_eligible(controller: Controller) -> None:
    create(controller, topic())
    unregister(controller)
    partition = controller.image.topics.by_name["t"].partitions[0]
    assert (partition.leader, partition.isr, partition.elr, controller.image.brokers) == (-1, (), (1,), {})


def test_a_broker_that_was_unregistered_leads_again_after_a_restart(
    log: MetadataLogInMemory, controller: Controller
) -> None:
    create(controller, topic())
    unregister(controller)
    partition = start(log).image.topics.by_name["t"].partitions[0]
    assert (partition.leader, partition.isr, partition.elr, partition.leader_epoch) == (1, (1,), (), 2)


def test_a_leader_that_is_only_the_last_known_one_recovers(log: MetadataLogInMemory) -> None:
    create(start(log), topic())
    start(log)
    (change,) = [
        message
        for message, _ in log.batches[-1].records
        if isinstance(message, PartitionChangeRecord) and message.leader == 1
    ]
    assert (change.leader_recovery_state, change.eligible_leader_replicas, change.last_known_elr) == (1, None, ())
