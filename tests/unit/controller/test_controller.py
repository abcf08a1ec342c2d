"""The controller bootstraps, registers, survives restarts, and changes its image by replay only."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from own_broker import OwnBroker
from quorum_of_one import lead_metadata

from reference_broker.broker.topic_creation import wanted_topic
from reference_broker.controller.controller import Controller
from reference_broker.controller.producer_ids import decide_producer_ids
from reference_broker.controller.registration import decide_unregistration
from reference_broker.environment import Now
from reference_broker.metadata.brokers import UNASSIGNED
from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import BROKER, TOPIC, MetadataImage
from reference_broker.releases import RELEASES
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.allocate_producer_ids_request import AllocateProducerIdsRequest
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest, CreatePartitionsTopic
from reference_broker.wire.messages.create_topics_request import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.create_topics_response import CreatableTopicResult
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.user_scram_credential_record import UserScramCredentialRecord
from reference_broker.wire.primitives import BrokerId, Uuid
from reference_broker.wire.refusal import KafkaError

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listeners": "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.bootstrap.servers": "127.0.0.1:9093",
    "log.dirs": "/data",
    "offsets.topic.replication.factor": "1",
}
FOLDER = Uuid(b"f" * 16)


def at(ms: int) -> Now:
    return Now(ms, ms)


@dataclass(frozen=True)
class Batch:
    last_offset: int
    epoch: int
    records: tuple[Any, ...]
    is_snapshot: bool = False


class LogInMemory:
    """A metadata log that is committed as soon as it is written."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.leader_epoch = 0
        self.high_watermark = 0
        self.voters = None

    def load(self) -> Iterator[Batch]:
        yield from list(self.batches)

    def bootstrap_records(self) -> tuple[Any, ...]:
        return ()

    def lead(self, now_ms: int) -> None:
        self.leader_epoch += 1
        self.high_watermark += 1

    def append(self, records: Sequence[Any], now_ms: int, *, must_last: bool = True) -> int:
        self.high_watermark += len(records)
        self.batches.append(Batch(self.high_watermark - 1, self.leader_epoch, tuple(records)))
        return self.high_watermark - 1

    def is_snapshot_due(self, now_ms: int) -> bool:
        return False

    def write_snapshot(self, records: Sequence[Any], now_ms: int) -> None:
        self.batches = [Batch(self.high_watermark - 1, self.leader_epoch, tuple(records))]

    def sweep(self, now_ms: int) -> None:
        pass

    def close(self, now_ms: int) -> None:
        pass

    def names(self) -> list[str]:
        return [type(message).__name__ for batch in self.batches for message, _ in batch.records]


def lead(log: LogInMemory, config: BrokerConfig) -> Controller:
    halts: list[str] = []
    return lead_metadata(
        log=log,
        cluster_id="C",
        config=config,
        now=at(1_000),
        random=random.Random(7 + log.high_watermark),  # each start is another incarnation
        halt=halts.append,
    ).controller


def start(log: LogInMemory, previous_broker_epoch: int = -1, **settings: str) -> Controller:
    config = BrokerConfig.of(SETTINGS | {name.replace("_", "."): value for name, value in settings.items()})
    controller = lead(log, config)
    OwnBroker(controller).start(log_dirs=(FOLDER,), previous_broker_epoch=previous_broker_epoch, now=at(1_000))
    return controller


@pytest.fixture
def log() -> LogInMemory:
    return LogInMemory()


@pytest.fixture
def controller(log: LogInMemory) -> Controller:
    return start(log)


def create(controller: Controller, *topics: CreatableTopic, validate_only: bool = False) -> list[CreatableTopicResult]:
    request = CreateTopicsRequest(topics=topics, validate_only=validate_only)
    return list(controller.submit(lambda image: controller.topics(image).decide_creation(request), at(2_000)).topics)


def topic(name: str = "t", partitions: int = 1, factor: int = 1, **configs: str) -> CreatableTopic:
    settings = tuple(CreatableTopicConfig(name=key.replace("_", "."), value=value) for key, value in configs.items())
    return CreatableTopic(name=name, num_partitions=partitions, replication_factor=factor, configs=settings)


def test_a_new_cluster_begins_with_the_features_of_its_release(controller: Controller) -> None:
    assert controller.image.features["metadata.version"] == 30


def test_a_cluster_that_is_ahead_of_the_release_is_not_led(log: LogInMemory, controller: Controller) -> None:
    older = BrokerConfig.of(SETTINGS, release=RELEASES["4.0"])
    with pytest.raises(KafkaError, match=r"metadata\.version is 4\.3-IV0, and 4\.0\.2 knows none after 4\.0-IV3"):
        lead(log, older)


def test_a_cluster_that_is_behind_the_release_is_led(log: LogInMemory, controller: Controller) -> None:
    newer = BrokerConfig.of(SETTINGS, release=RELEASES["4.4"])
    again = lead(log, newer)
    assert again.image.features["metadata.version"] == 30


def test_bootstrap_sets_min_insync_replicas_for_the_cluster_where_elr_is_on(controller: Controller) -> None:
    assert controller.image.config(BROKER, "") == {"min.insync.replicas": "1"}


def test_a_broker_that_starts_alone_is_registered_unfenced(controller: Controller) -> None:
    assert [broker.id for broker in controller.image.cluster.active()] == [1]


def test_a_brokers_epoch_is_the_offset_of_its_registration(log: LogInMemory, controller: Controller) -> None:
    (batch,) = [one for one in log.batches if type(one.records[0][0]).__name__ == "RegisterBrokerRecord"]
    assert controller.image.brokers[1].epoch == batch.last_offset


def test_a_created_topic_has_a_leader_for_each_partition(controller: Controller) -> None:
    create(controller, topic(partitions=3))
    assert [one.leader for one in controller.image.topics.by_name["t"].partitions.values()] == [1, 1, 1]


def test_validate_only_writes_nothing(log: LogInMemory, controller: Controller) -> None:
    before = log.high_watermark
    create(controller, topic(), validate_only=True)
    assert log.high_watermark == before


@pytest.mark.parametrize(
    ("wanted", "code", "text"),
    [
        (topic(""), ErrorCode.INVALID_TOPIC_EXCEPTION, "Topic name is invalid: the empty string is not allowed"),
        (topic("a b"), ErrorCode.INVALID_TOPIC_EXCEPTION, "ASCII alphanumerics"),
        (topic("x" * 250), ErrorCode.INVALID_TOPIC_EXCEPTION, "longer than the max allowed length 249"),
        (topic("there"), ErrorCode.TOPIC_ALREADY_EXISTS, "Topic 'there' already exists."),
        (topic("dot_ted"), ErrorCode.INVALID_TOPIC_EXCEPTION, "collides with existing topic: dot.ted"),
        (topic("__cluster_metadata"), ErrorCode.INVALID_REQUEST, "is prohibited"),
        (topic(partitions=0), ErrorCode.INVALID_PARTITIONS, "non-positive"),
        (topic(factor=0), ErrorCode.INVALID_REPLICATION_FACTOR, "must be larger than 0"),
        (topic(factor=2), ErrorCode.INVALID_REPLICATION_FACTOR, "only 1 broker(s) are registered"),
        (topic(retention_ms="abc"), ErrorCode.INVALID_CONFIG, "Not a number of type LONG"),
        (topic(nonsense="1"), ErrorCode.INVALID_CONFIG, "Unknown topic config name: nonsense"),
        (topic(segment_bytes="1"), ErrorCode.INVALID_CONFIG, "Value must be at least 1048576"),
    ],
)
def test_a_topic_that_cannot_be_is_refused_with_kafkas_words(
    controller: Controller, wanted: CreatableTopic, code: ErrorCode, text: str
) -> None:
    create(controller, topic("there"), topic("dot.ted"))
    (result,) = create(controller, wanted)
    assert (result.error_code, text in (result.error_message or "")) == (code, True)


@pytest.mark.parametrize(
    ("assignments", "code"),
    [
        ([(0, (1,)), (0, (1,))], ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ([(1, (1,))], ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ([(0, (1, 1))], ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ([(0, (9,))], ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ([(0, ())], ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ([(0, (1,)), (1, (1,))], ErrorCode.NONE),
    ],
)
def test_a_manual_assignment_is_checked(
    controller: Controller, assignments: list[tuple[int, tuple[int, ...]]], code: ErrorCode
) -> None:
    told = tuple(CreatableReplicaAssignment(partition_index=index, broker_ids=ids) for index, ids in assignments)
    wanted = CreatableTopic(name="t", num_partitions=-1, replication_factor=-1, assignments=told)
    (result,) = create(controller, wanted)
    assert result.error_code == code


def test_a_name_that_stands_twice_is_refused_once(controller: Controller) -> None:
    results = create(controller, topic("t"), topic("t", 2))
    assert [(one.error_code, one.error_message) for one in results] == [
        (ErrorCode.INVALID_REQUEST, "Duplicate topic name.")
    ]


def test_a_request_for_too_many_partitions_is_refused_whole(controller: Controller) -> None:
    with pytest.raises(KafkaError, match="POLICY_VIOLATION"):
        create(controller, topic(partitions=10_001))


def test_partitions_are_added_behind_those_there_are(controller: Controller) -> None:
    create(controller, topic(partitions=2))
    request = CreatePartitionsRequest(topics=(CreatePartitionsTopic(name="t", count=4, assignments=None),))
    controller.submit(lambda image: controller.topics(image).decide_growth(request), at(3_000))
    assert list(controller.image.topics.by_name["t"].partitions) == [0, 1, 2, 3]


def test_too_many_added_partitions_fail_before_they_are_placed(controller: Controller) -> None:
    create(controller, topic())
    request = CreatePartitionsRequest(topics=(CreatePartitionsTopic(name="t", count=50_000_000, assignments=None),))

    with pytest.raises(KafkaError, match="POLICY_VIOLATION"):
        controller.topics(controller.pending).decide_growth(request)


def test_a_deleted_topic_takes_its_configuration_along(controller: Controller) -> None:
    create(controller, topic(retention_ms="5"))
    request = DeleteTopicsRequest(topics=(DeleteTopicState(name="t"),))
    controller.submit(lambda image: controller.topics(image).decide_deletion(request, 6), at(3_000))
    assert (controller.image.topics.get("t"), controller.image.config(TOPIC, "t")) == (None, {})


def test_subscribers_hear_of_a_deleted_topic(controller: Controller) -> None:
    heard: list[str] = []
    create(controller, topic())
    controller.publisher.subscribe(lambda delta, _: heard.extend(one.name for one in delta.deleted_topics.values()))
    request = DeleteTopicsRequest(topics=(DeleteTopicState(name="t"),))
    controller.submit(lambda image: controller.topics(image).decide_deletion(request, 6), at(3_000))
    assert heard == ["t"]


def test_a_controlled_shutdown_leaves_no_leader_and_an_eligible_one(log: LogInMemory) -> None:
    controller = lead(log, BrokerConfig.of(SETTINGS))
    own = OwnBroker(controller)
    own.start(log_dirs=(FOLDER,), previous_broker_epoch=-1, now=at(1_000))
    create(controller, topic())
    own.stop(at(4_000))
    partition = controller.image.topics.by_name["t"].partitions[0]
    assert (partition.leader, partition.isr, partition.elr) == (-1, (), (1,))


def test_a_restart_after_a_clean_stop_leads_again_in_a_later_epoch(log: LogInMemory) -> None:
    first = lead(log, BrokerConfig.of(SETTINGS))
    own = OwnBroker(first)
    own.start(log_dirs=(FOLDER,), previous_broker_epoch=-1, now=at(1_000))
    create(first, topic())
    own.stop(at(4_000))
    again = start(log, previous_broker_epoch=own.epoch)
    partition = again.image.topics.by_name["t"].partitions[0]
    assert (partition.leader, partition.isr, partition.leader_epoch) == (1, (1,), 2)


def test_a_restart_after_a_crash_leads_again_in_a_later_epoch(log: LogInMemory) -> None:
    create(start(log), topic())
    partition = start(log).image.topics.by_name["t"].partitions[0]
    assert (partition.leader, partition.isr, partition.leader_epoch) == (1, (1,), 2)


def test_an_image_made_of_a_snapshot_is_the_image(controller: Controller) -> None:
    create(controller, topic(partitions=2, retention_ms="5"))
    controller.submit(lambda image: decide_producer_ids(image, block_for(image)), at(3_000))
    controller.commit(((UserScramCredentialRecord(name="u", mechanism=1), 0),), at(3_000))
    copy = MetadataDelta.of(MetadataImage(cluster_id="C"), controller.image.records(), 0, 0).after
    assert list(copy.records()) == list(controller.image.records())


def test_a_record_of_a_later_steps_family_is_kept(log: LogInMemory, controller: Controller) -> None:
    record = UserScramCredentialRecord(name="u", mechanism=1)
    controller.commit(((record, 0),), at(3_000))
    assert (record, 0) in list(start(log).image.records())


def test_producer_ids_never_repeat_over_a_restart(log: LogInMemory) -> None:
    first = start(log).submit(lambda image: decide_producer_ids(image, block_for(image)), at(2_000))
    second = start(log).submit(lambda image: decide_producer_ids(image, block_for(image)), at(5_000))
    assert second.producer_id_start == first.producer_id_start + first.producer_id_len


def test_an_idle_log_gets_a_no_op_record(log: LogInMemory, controller: Controller) -> None:
    controller.on_time(at(controller.next_deadline_ms()))
    assert log.names()[-1] == "NoOpRecord"


def test_the_internal_topic_of_offsets_is_compacted(controller: Controller) -> None:
    create(controller, wanted_topic("__consumer_offsets", controller.config))
    assert controller.settings.log_settings("__consumer_offsets")["cleanup.policy"] == "compact"


def test_dynamic_settings_of_all_brokers_reach_topics_without_their_own(controller: Controller) -> None:
    create(controller, topic())
    records, _ = controller.configs(controller.pending).change(BROKER, "", [("log.retention.ms", 0, "77")])
    controller.commit(records, at(3_000))
    assert controller.settings.log_settings("t")["retention.ms"] == "77"


@pytest.mark.parametrize(
    ("resource", "change", "code"),
    [
        ((TOPIC, "t"), ("retention.ms", 0, "x"), ErrorCode.INVALID_CONFIG),
        ((TOPIC, "t"), ("retention.ms", 2, "1"), ErrorCode.INVALID_CONFIG),
        ((TOPIC, "t"), ("retention.ms", 0, None), ErrorCode.INVALID_REQUEST),
        ((TOPIC, "none"), ("retention.ms", 0, "1"), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ((TOPIC, ""), ("retention.ms", 0, "1"), ErrorCode.INVALID_REQUEST),
        ((BROKER, "2"), ("log.retention.ms", 0, "2"), ErrorCode.BROKER_ID_NOT_REGISTERED),
        ((BROKER, "two"), ("log.retention.ms", 0, "2"), ErrorCode.INVALID_REQUEST),
        ((BROKER, "1"), ("min.insync.replicas", 0, "1"), ErrorCode.INVALID_CONFIG),
        ((3, "x"), ("a", 0, "b"), ErrorCode.INVALID_REQUEST),
    ],
)
def test_a_change_of_configuration_that_cannot_be_is_refused(
    controller: Controller, resource: tuple[int, str], change: tuple[str, int, str | None], code: ErrorCode
) -> None:
    create(controller, topic())
    records, refusal = controller.configs(controller.pending).change(*resource, [change])
    assert (records, refusal.code if refusal else None) == ((), code)


def test_a_request_without_time_is_refused_and_decides_nothing(controller: Controller) -> None:
    with pytest.raises(KafkaError) as refused:
        controller.submit(lambda image: pytest.fail("it has decided"), at(3_000), timeout_ms=0)
    assert refused.value.code is ErrorCode.REQUEST_TIMED_OUT


def test_append_begins_from_the_default(controller: Controller) -> None:
    create(controller, topic())
    records, _ = controller.configs(controller.pending).change(TOPIC, "t", [("cleanup.policy", 2, "compact")])
    controller.commit(records, at(3_000))
    assert controller.image.config(TOPIC, "t")["cleanup.policy"] == "delete,compact"


def test_a_topics_setting_tells_its_synonyms_in_the_order_in_which_they_count(log: LogInMemory) -> None:
    controller = start(log, log_retention_hours="5")
    entries = {one.name: one for one in controller.descriptions.topic_entries({"retention.ms": "9"})}
    assert [(one.name, one.value) for one in entries["retention.ms"].synonyms] == [("retention.ms", "9")]


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


def test_a_broker_that_was_unregistered_leads_again_after_a_restart(log: LogInMemory, controller: Controller) -> None:
    create(controller, topic())
    unregister(controller)
    partition = start(log).image.topics.by_name["t"].partitions[0]
    assert (partition.leader, partition.isr, partition.elr, partition.leader_epoch) == (1, (1,), (), 2)


def test_a_leader_that_is_only_the_last_known_one_recovers(log: LogInMemory) -> None:
    create(start(log), topic())
    start(log)
    (change,) = [
        message
        for message, _ in log.batches[-1].records
        if isinstance(message, PartitionChangeRecord) and message.leader == 1
    ]
    assert (change.leader_recovery_state, change.eligible_leader_replicas, change.last_known_elr) == (1, None, ())


def test_where_a_broker_has_to_choose_a_folder_a_new_replica_has_none_yet(log: LogInMemory) -> None:
    config = BrokerConfig.of(SETTINGS)
    controller = lead(log, config)
    two = (FOLDER, Uuid(b"g" * 16))
    OwnBroker(controller).start(log_dirs=two, previous_broker_epoch=-1, now=at(1_000))
    create(controller, topic())
    assert controller.image.topics.by_name["t"].partitions[0].directories == (UNASSIGNED,)
