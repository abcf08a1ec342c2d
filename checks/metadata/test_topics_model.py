"""The model allows each answer to random sequences of requests about topics and their settings.

**Claim** In whatever order topics are created, given more partitions, altered and deleted, each answer is one that
Kafka's documentation allows, and topics are described as they were created and altered.
**Why it matters** Tools that manage topics rely on answers that agree with the state of the topics.
**Kafka says** KIP-4 (topics by request), KIP-195 (partitions), KIP-339 (incremental alteration), KIP-516 (ids); topic
configuration.
**Cannot see** Several brokers; assignments in requests; policies; anything that harness/model does not judge.
**Rejects** tests/plants/adds_no_partitions.py, tests/plants/keeps_settings_that_were_left_out.py,
tests/plants/keeps_deleted_topics.py
"""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from harness.pytest_plugin.names import Names
from harness.pytest_plugin.options import OPTIONS, ChosenTarget
from harness.pytest_plugin.record import CheckRecord
from harness.search.lockstep.actions import Kind, Ref
from harness.search.lockstep.barrier import MARKER
from harness.search.lockstep.machine import ModelMachine, explore
from harness.search.lockstep.played import LeastPlayed
from harness.targets.target import Cluster
from reference_broker.wire.messages.alter_configs_request import (
    AlterableConfig,
    AlterConfigsRequest,
    AlterConfigsResource,
)
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest, CreatePartitionsTopic
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig as Alteration,
)
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterConfigsResource as AlteredResource,
)
from reference_broker.wire.messages.incremental_alter_configs_request import (
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import TopicName

pytestmark = [
    pytest.mark.cluster(is_exact=True),  # the model assumes one broker
    pytest.mark.feature("Topics"),
    pytest.mark.kip(4, 195, 339, 516),
]

TOPIC = 2
CLIENTS = 2
topics = st.sampled_from(("orders", "orders", "a.b", "a_b"))
clients = st.integers(0, CLIENTS - 1)
SOUND = (
    ("retention.ms", "1000"),
    ("retention.ms", "-1"),
    ("retention.bytes", "5000000"),
    ("cleanup.policy", "compact"),
    ("cleanup.policy", "compact,delete"),
    ("compression.type", "zstd"),
    ("max.message.bytes", "1000"),
    ("message.timestamp.type", "LogAppendTime"),
    ("segment.bytes", "2000000"),
    ("preallocate", "true"),
)
UNSOUND = (
    ("retention.ms", "-2"),
    ("cleanup.policy", "burn"),
    ("compression.type", "rar"),
    ("max.message.bytes", "many"),
    ("flush.messages", "0"),
    ("nonsense", "1"),
)
settings = st.one_of(st.sampled_from(SOUND), st.sampled_from(SOUND), st.sampled_from(UNSOUND))
some_settings = st.lists(settings, max_size=2, unique_by=lambda setting: setting[0])
keys = st.sampled_from((None, ("retention.ms",), ("cleanup.policy", "max.message.bytes"), ("nonsense",)))


class Topics(ModelMachine):
    """Three topic names, two of which collide in metric names; two clients."""

    @initialize(configs=st.lists(st.sampled_from(SOUND), max_size=2, unique_by=lambda one: one[0]))
    def begin(self, configs: list[tuple[str, str]]) -> None:
        self.create_as("orders", 1, 1, configs, is_trial=False, version=7, client=0)

    @rule(
        name=topics,
        partitions=st.sampled_from((1, 1, 2, 3, 0, -2)),
        replicas=st.sampled_from((1, 1, 1, -1, 0, 2)),
        configs=some_settings,
        is_trial=st.sampled_from((False, False, False, True)),
        version=st.sampled_from((2, 5, 7)),
        client=clients,
    )
    def create(
        self,
        name: str,
        partitions: int,
        replicas: int,
        configs: list[tuple[str, str]],
        is_trial: bool,
        version: int,
        client: int,
    ) -> None:
        self.create_as(name, partitions, replicas, configs, is_trial, version, client)

    def create_as(
        self,
        name: str,
        partitions: int,
        replicas: int,
        configs: list[tuple[str, str]],
        is_trial: bool,
        version: int,
        client: int,
    ) -> None:
        wanted = CreatableTopic(
            name=TopicName(name),
            num_partitions=partitions,
            replication_factor=replicas,
            configs=tuple(CreatableTopicConfig(name=key, value=value) for key, value in configs),
        )
        learns = (("topics.0.topic_id", Ref(Kind.TOPIC_ID, name)),) if version >= 7 and not is_trial else ()
        message = CreateTopicsRequest(topics=(wanted,), timeout_ms=15_000, validate_only=is_trial)
        self.ask(message, version, client, learns=learns)

    @rule(name=st.sampled_from(("", ".", "..", "x" * 250, "a b", "Zürich")), client=clients)
    def create_with_a_name_that_is_none(self, name: str, client: int) -> None:
        wanted = CreatableTopic(name=TopicName(name), num_partitions=1, replication_factor=1)
        self.ask(CreateTopicsRequest(topics=(wanted,), timeout_ms=15_000), 7, client)

    @rule(name=topics, by_id=st.booleans(), client=clients)
    def delete(self, name: str, by_id: bool, client: int) -> None:
        wanted = (
            DeleteTopicState(topic_id=Ref(Kind.TOPIC_ID, name)) if by_id else DeleteTopicState(name=TopicName(name))
        )  # type: ignore[arg-type]
        self.ask(DeleteTopicsRequest(topics=(wanted,), timeout_ms=15_000), 6, client)

    @rule(name=topics, count=st.integers(0, 5), is_trial=st.sampled_from((False, False, True)), client=clients)
    def widen(self, name: str, count: int, is_trial: bool, client: int) -> None:
        wanted = CreatePartitionsTopic(name=TopicName(name), count=count, assignments=None)
        message = CreatePartitionsRequest(topics=(wanted,), timeout_ms=15_000, validate_only=is_trial)
        self.ask(message, 3, client)

    @rule(
        name=topics,
        changes=st.lists(
            st.tuples(settings, st.sampled_from((0, 0, 0, 1, 2, 3))), max_size=2, unique_by=lambda one: one[0][0]
        ),
        is_trial=st.sampled_from((False, False, False, True)),
        client=clients,
    )
    def alter(self, name: str, changes: list[tuple[tuple[str, str], int]], is_trial: bool, client: int) -> None:
        configs = tuple(
            Alteration(name=key, config_operation=operation, value=None if operation == 1 else value)
            for (key, value), operation in changes
        )
        wanted = AlteredResource(resource_type=TOPIC, resource_name=Ref(Kind.NAME, name), configs=configs)  # type: ignore[arg-type]
        self.ask(IncrementalAlterConfigsRequest(resources=(wanted,), validate_only=is_trial), 1, client)

    @rule(name=topics, configs=some_settings, client=clients)
    def alter_whole(self, name: str, configs: list[tuple[str, str]], client: int) -> None:
        entries = tuple(AlterableConfig(name=key, value=value) for key, value in configs)
        wanted = AlterConfigsResource(resource_type=TOPIC, resource_name=Ref(Kind.NAME, name), configs=entries)  # type: ignore[arg-type]
        self.ask(AlterConfigsRequest(resources=(wanted,)), 2, client)

    @rule(name=topics, keys=keys, version=st.sampled_from((1, 4)), client=clients)
    def describe(self, name: str, keys: tuple[str, ...] | None, version: int, client: int) -> None:
        wanted = DescribeConfigsResource(
            resource_type=TOPIC,
            resource_name=Ref(Kind.NAME, name),  # type: ignore[arg-type]
            configuration_keys=keys,
        )
        self.ask(DescribeConfigsRequest(resources=(wanted,)), version, client)

    @rule(name=topics, by_id=st.booleans(), version=st.sampled_from((4, 9, 12, 13)), client=clients)
    def tell(self, name: str, by_id: bool, version: int, client: int) -> None:
        wanted = MetadataRequestTopic(name=TopicName(name))
        if by_id and version >= 12:
            wanted = MetadataRequestTopic(name=None, topic_id=Ref(Kind.TOPIC_ID, name))  # type: ignore[arg-type]
        self.ask(MetadataRequest(topics=(wanted,), allow_auto_topic_creation=False), version, client)

    @rule(client=clients)
    def tell_all(self, client: int) -> None:
        self.ask(MetadataRequest(topics=None, allow_auto_topic_creation=False), 12, client)


LEAST = LeastPlayed(
    sound=(
        "CreateTopics",
        "CreatePartitions",
        "AlterConfigs",
        "IncrementalAlterConfigs",
        "DeleteTopics",
        "DescribeConfigs",
        "Metadata",
    )
)


def test_each_answer_about_topics_is_allowed(
    target: ChosenTarget, cluster: Cluster, names: Names, record: CheckRecord, pytestconfig: pytest.Config
) -> None:
    """In whatever order requests about topics are sent, the model allows each answer."""
    options = pytestconfig.stash[OPTIONS]
    names.topics.append(MARKER)
    found = explore(Topics, target, cluster, run_seed=options.seed, duration_s=options.duration_s, least=LEAST)
    record.operations, record.verdicts = found.played.steps, (found.verdict,)
    names.topics += found.topics
    found.require_enough()
