"""Topics and their partitions are created and deleted; what cannot be is refused with Kafka's words."""

from __future__ import annotations

import pytest
from controller_in_memory import FOLDER, SETTINGS, at, create, lead, topic
from metadata_log_in_memory import MetadataLogInMemory
from own_broker import OwnBroker

from reference_broker.controller.controller import Controller
from reference_broker.metadata.brokers import UNASSIGNED
from reference_broker.metadata.image import TOPIC
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest, CreatePartitionsTopic
from reference_broker.wire.messages.create_topics_request import (
    CreatableReplicaAssignment,
    CreatableTopic,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError


def test_a_created_topic_has_a_leader_for_each_partition(controller: Controller) -> None:
    create(controller, topic(partitions=3))
    assert [one.leader for one in controller.image.topics.by_name["t"].partitions.values()] == [1, 1, 1]


def test_validate_only_writes_nothing(log: MetadataLogInMemory, controller: Controller) -> None:
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


def test_where_a_broker_has_to_choose_a_folder_a_new_replica_has_none_yet(log: MetadataLogInMemory) -> None:
    config = BrokerConfig.of(SETTINGS)
    controller = lead(log, config)
    two = (FOLDER, Uuid(b"g" * 16))
    OwnBroker(controller).start(log_dirs=two, previous_broker_epoch=-1, now=at(1_000))
    create(controller, topic())
    assert controller.image.topics.by_name["t"].partitions[0].directories == (UNASSIGNED,)
