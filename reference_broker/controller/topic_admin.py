"""Deciders for topics: create, add partitions, delete. Orders and messages are those of a live 4.3.1 controller."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from reference_broker.controller.config_admin import ConfigAdmin
from reference_broker.controller.config_description import ConfigDescriptions
from reference_broker.controller.decision import Decision, Refusal, random_uuid
from reference_broker.controller.placement import check_manual, new_partition, place
from reference_broker.environment import Random
from reference_broker.metadata.image import TOPIC, MetadataImage
from reference_broker.metadata.node_config import NodeConfig
from reference_broker.metadata.topic_names import CLUSTER_METADATA, reason_invalid
from reference_broker.metadata.topics import PartitionImage
from reference_broker.releases.behaviours import Behaviour
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest, CreatePartitionsTopic
from reference_broker.wire.messages.create_partitions_response import (
    CreatePartitionsResponse,
    CreatePartitionsTopicResult,
)
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.create_topics_response import (
    CreatableTopicConfigs,
    CreatableTopicResult,
    CreateTopicsResponse,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.delete_topics_response import DeletableTopicResult, DeleteTopicsResponse
from reference_broker.wire.messages.remove_topic_record import RemoveTopicRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import ZERO_UUID, TopicName, Uuid
from reference_broker.wire.refusal import KafkaError

MAX_PARTITIONS_PER_REQUEST: Final = 10_000
"""Kafka refuses to create more, and until 4.4 fails with UNKNOWN_SERVER_ERROR when it is to add more."""
Made = tuple[CreatableTopicResult, tuple[VersionedRecord, ...]]


@dataclass(frozen=True, slots=True)
class TopicAdmin:
    """Decides over an image what CreateTopics, CreatePartitions and DeleteTopics write."""

    image: MetadataImage
    settings: NodeConfig
    random: Random

    @property
    def config(self) -> BrokerConfig:
        """This node's settings: the defaults of topics."""
        return self.settings.current

    # -- create -------------------------------------------------------------------------------------------------

    def decide_creation(self, request: CreateTopicsRequest) -> Decision:
        """CreateTopics. POLICY_VIOLATION for the whole request when it takes over 10,000 partitions, or records."""
        self._check_total(request)
        counts = Counter(topic.name for topic in request.topics)
        results: list[CreatableTopicResult] = []
        refused: list[CreatableTopicResult] = []
        records: list[VersionedRecord] = []
        for topic in request.topics:
            if counts[topic.name] > 1:
                continue
            if topic.name == CLUSTER_METADATA:
                text = f"Creation of internal topic {CLUSTER_METADATA} is prohibited."
                refused.append(_refused(topic.name, Refusal(ErrorCode.INVALID_REQUEST, text)))
                continue
            try:
                result, made = self.make(topic)
            except KafkaError as error:
                results.append(_refused(topic.name, Refusal.of(error)))
                continue
            results.append(result)
            records += made
        duplicates = [
            _refused(name, Refusal(ErrorCode.INVALID_REQUEST, "Duplicate topic name."))
            for name, count in counts.items()
            if count > 1
        ]
        response = CreateTopicsResponse(topics=(*results, *duplicates, *refused))
        return Decision.of_a_client(records, response, validate_only=request.validate_only)

    def _check_total(self, request: CreateTopicsRequest) -> None:
        default = self.config.number("num.partitions")
        total = 0
        for topic in request.topics:
            asked = default if topic.num_partitions == -1 else max(topic.num_partitions, 0)
            total += len(topic.assignments) or asked
        if total > MAX_PARTITIONS_PER_REQUEST:
            raise KafkaError(ErrorCode.POLICY_VIOLATION, "Excessively large number of partitions per request.")

    def make(self, topic: CreatableTopic) -> Made:
        """The records and the result of one topic; KafkaError where it is refused."""
        image = self.image
        reason = reason_invalid(topic.name)
        if reason is None and topic.name in image.topics:
            raise KafkaError(ErrorCode.TOPIC_ALREADY_EXISTS, f"Topic '{topic.name}' already exists.")
        if other := image.topics.colliding(topic.name):
            reason = f"Topic '{topic.name}' collides with existing topic: {other}"
        if reason is not None:
            raise KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, reason)
        overrides = self._overrides(topic)
        partitions = self._assigned(topic) if topic.assignments else self._placed(topic)
        topic_id = random_uuid(self.random)
        records: list[VersionedRecord] = [(TopicRecord(name=topic.name, topic_id=topic_id), 0)]
        for name, value in overrides.items():
            record = ConfigRecord(resource_type=TOPIC, resource_name=topic.name, name=name, value=value)
            records.append((record, 0))
        records += [partition.record(topic_id, version=image.partition_version) for partition in partitions]
        result = CreatableTopicResult(
            name=topic.name,
            topic_id=topic_id,
            num_partitions=len(partitions),
            replication_factor=len(partitions[0].replicas),
            configs=self._effective_configs(overrides),
            error_message=None,
        )
        return result, tuple(records)

    def _overrides(self, topic: CreatableTopic) -> dict[str, str]:
        nulls = [config.name for config in topic.configs if config.value is None]
        if nulls:
            text = f"Null value not supported for topic configs: {','.join(nulls)}"
            raise KafkaError(ErrorCode.INVALID_CONFIG, text)
        overrides = {config.name: config.value for config in topic.configs if config.value is not None}
        ConfigAdmin(self.image, self.config).check_topic(overrides)
        return overrides

    def _effective_configs(self, overrides: dict[str, str]) -> tuple[CreatableTopicConfigs, ...]:
        described = ConfigDescriptions(self.image, self.settings).topic_entries(overrides, is_literal=True)
        return tuple(
            CreatableTopicConfigs(
                name=one.name,
                value=None if one.is_sensitive else one.value,
                read_only=one.is_read_only,
                config_source=one.source,
                is_sensitive=one.is_sensitive,
            )
            for one in described
        )

    def _assigned(self, topic: CreatableTopic) -> list[PartitionImage]:
        if topic.replication_factor != -1:
            raise KafkaError(
                ErrorCode.INVALID_REQUEST,
                "A manual partition assignment was specified, but replication factor was not set to -1.",
            )
        if topic.num_partitions != -1:
            raise KafkaError(
                ErrorCode.INVALID_REQUEST,
                "A manual partition assignment was specified, but numPartitions was not set to -1.",
            )
        cluster = self.image.cluster
        partitions: dict[int, PartitionImage] = {}
        factor = None
        for assignment in topic.assignments:
            index = assignment.partition_index
            if index in partitions:
                text = f"Found multiple manual partition assignments for partition {index}"
                raise KafkaError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, text)
            check_manual(cluster, assignment.broker_ids, factor)
            factor = len(assignment.broker_ids)
            partitions[index] = self._with_isr(index, tuple(assignment.broker_ids))
        if sorted(partitions) != list(range(len(partitions))):
            raise KafkaError(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT, "partitions should be a consecutive 0-based integer sequence"
            )
        return [partitions[index] for index in sorted(partitions)]

    def _with_isr(self, index: int, replicas: tuple[int, ...]) -> PartitionImage:
        cluster = self.image.cluster
        active = [broker.id for broker in cluster.active()]
        isr = [broker for broker in replicas if broker in active]
        if not isr:
            raise KafkaError(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                f"All brokers specified in the manual partition assignment for partition {index} are fenced or in "
                "controlled shutdown.",
            )
        return new_partition(cluster, index, replicas, isr)

    def _placed(self, topic: CreatableTopic) -> list[PartitionImage]:
        config = self.config
        if topic.replication_factor < -1 or topic.replication_factor == 0:
            raise KafkaError(
                ErrorCode.INVALID_REPLICATION_FACTOR,
                "Replication factor must be larger than 0, or -1 to use the default value.",
            )
        if topic.num_partitions < -1 or topic.num_partitions == 0:
            raise KafkaError(
                ErrorCode.INVALID_PARTITIONS, "Number of partitions was set to an invalid non-positive value."
            )
        count = config.number("num.partitions") if topic.num_partitions == -1 else topic.num_partitions
        factor = topic.replication_factor
        if factor == -1:
            factor = config.number("default.replication.factor")
        try:
            return self._spread(0, count, factor)
        except KafkaError as error:
            text = f"Unable to replicate the partition {factor} time(s): {error.detail}"
            raise KafkaError(ErrorCode.INVALID_REPLICATION_FACTOR, text) from error

    def _spread(self, start: int, count: int, factor: int) -> list[PartitionImage]:
        cluster = self.image.cluster
        active = [broker.id for broker in cluster.active()]
        has_cordons = self.config.release.does(Behaviour.KIP_1066_CORDONED_FOLDERS)
        placed = place(cluster, self.random, count=count, factor=factor, has_cordons=has_cordons)
        return [
            new_partition(cluster, start + index, replicas, [one for one in replicas if one in active])
            for index, replicas in enumerate(placed)
        ]

    # -- topics that the broker asks for itself -----------------------------------------------------------------

    # -- add partitions -----------------------------------------------------------------------------------------

    def decide_growth(self, request: CreatePartitionsRequest) -> Decision:
        """CreatePartitions."""
        self._limit_growth(request)
        counts = Counter(topic.name for topic in request.topics)
        results = [
            CreatePartitionsTopicResult(
                name=name, error_code=ErrorCode.INVALID_REQUEST, error_message="Duplicate topic name."
            )
            for name, count in counts.items()
            if count > 1
        ]
        records: list[VersionedRecord] = []
        for topic in request.topics:
            if counts[topic.name] > 1:
                continue
            try:
                records += self._grown(topic)
                results.append(CreatePartitionsTopicResult(name=topic.name, error_message=None))
            except KafkaError as error:
                results.append(
                    CreatePartitionsTopicResult(name=topic.name, error_code=error.code, error_message=error.detail)
                )
        response = CreatePartitionsResponse(results=tuple(results))
        return Decision.of_a_client(records, response, validate_only=request.validate_only)

    def _limit_growth(self, request: CreatePartitionsRequest) -> None:
        known = [(topic.count, self.image.topics.get(topic.name)) for topic in request.topics]
        total = sum(max(0, count - len(topic.partitions)) for count, topic in known if topic is not None)
        if total > MAX_PARTITIONS_PER_REQUEST:
            text = "Excessively large number of additional partitions per request."
            raise KafkaError(ErrorCode.POLICY_VIOLATION, text)

    def _grown(self, topic: CreatePartitionsTopic) -> list[VersionedRecord]:
        image = self.image
        known = image.topics.get(topic.name)
        if known is None:
            raise KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        has = len(known.partitions)
        if topic.count == has:
            raise KafkaError(ErrorCode.INVALID_PARTITIONS, f"Topic already has {has} partition(s).")
        if topic.count < has:
            raise KafkaError(
                ErrorCode.INVALID_PARTITIONS,
                f"The topic {topic.name} currently has {has} partition(s); {topic.count} would not be an increase.",
            )
        factor = len(known.partitions[0].replicas)
        if topic.assignments is None:
            partitions = self._spread(has, topic.count - has, factor)
        else:
            if len(topic.assignments) != topic.count - has:
                raise KafkaError(
                    ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                    f"Attempted to add {topic.count - has} additional partition(s), but only "
                    f"{len(topic.assignments)} assignment(s) were specified.",
                )
            partitions = []
            for index, assignment in enumerate(topic.assignments, has):
                check_manual(image.cluster, assignment.broker_ids, factor)
                partitions.append(self._with_isr(index, tuple(assignment.broker_ids)))
        return [partition.record(known.id, version=image.partition_version) for partition in partitions]

    # -- delete -------------------------------------------------------------------------------------------------

    def decide_deletion(self, request: DeleteTopicsRequest, version: int) -> Decision:
        """DeleteTopics, by name or by id. TOPIC_DELETION_DISABLED where delete.topic.enable is false."""
        if not self.config.flag("delete.topic.enable"):
            if version < 3:
                raise KafkaError(ErrorCode.INVALID_REQUEST, "This version does not support topic deletion.")
            raise KafkaError(ErrorCode.TOPIC_DELETION_DISABLED)
        topics = self.image.topics
        results: list[DeletableTopicResult] = []
        names: list[str] = list(request.topic_names)
        ids: list[Uuid] = []
        for topic in request.topics:
            if topic.name is not None and topic.topic_id != ZERO_UUID:
                text = "You may not specify both topic name and topic id."
                results.append(_not_deleted(topic.name, topic.topic_id, Refusal(ErrorCode.INVALID_REQUEST, text)))
            elif topic.name is not None:
                names.append(topic.name)
            elif topic.topic_id != ZERO_UUID:
                ids.append(topic.topic_id)
            else:
                text = "Neither topic name nor id were specified."
                results.append(_not_deleted(None, ZERO_UUID, Refusal(ErrorCode.INVALID_REQUEST, text)))
        name_counts, id_counts = Counter(names), Counter(ids)
        for name, count in name_counts.items():
            if count > 1:
                text = "Duplicate topic name."
                results.append(_not_deleted(name, ZERO_UUID, Refusal(ErrorCode.INVALID_REQUEST, text)))
        chosen: dict[Uuid, str] = {}
        for topic_id, count in id_counts.items():
            if count > 1:
                text = "Duplicate topic id."
                results.append(_not_deleted(None, topic_id, Refusal(ErrorCode.INVALID_REQUEST, text)))
            elif topic_id not in topics.by_id:
                results.append(_not_deleted(None, topic_id, Refusal.plain(ErrorCode.UNKNOWN_TOPIC_ID)))
            else:
                chosen[topic_id] = topics.by_id[topic_id].name
        for name, count in name_counts.items():
            if count > 1:
                continue
            known = topics.get(name)
            if known is None:
                results.append(_not_deleted(name, ZERO_UUID, Refusal.plain(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)))
            elif known.id in id_counts:
                chosen.pop(known.id, None)
                text = "The provided topic name maps to an ID that was already supplied."
                results.append(_not_deleted(name, known.id, Refusal(ErrorCode.INVALID_REQUEST, text)))
            else:
                chosen[known.id] = name
        for topic_id, name in chosen.items():
            results.append(DeletableTopicResult(name=TopicName(name), topic_id=topic_id, error_message=None))
        records = tuple((RemoveTopicRecord(topic_id=topic_id), 0) for topic_id in chosen)
        return Decision.of_a_client(records, DeleteTopicsResponse(responses=tuple(results)))


def _refused(name: str, refusal: Refusal) -> CreatableTopicResult:
    return CreatableTopicResult(name=TopicName(name), error_code=refusal.code, error_message=refusal.text)


def _not_deleted(name: str | None, topic_id: Uuid, refusal: Refusal) -> DeletableTopicResult:
    return DeletableTopicResult(
        name=None if name is None else TopicName(name),
        topic_id=topic_id,
        error_code=refusal.code,
        error_message=refusal.text,
    )
