"""Requests about topics and configs: create, add partitions, alter, describe, delete, by name and id, valid and
invalid.

Up to three topics, and three clients. At the end, the topics and their configs are read. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from harness.search.lockstep.actions import Action, Kind, Ref, Request
from harness.search.sequences.configs import Configs
from harness.search.sequences.settings import legal_settings, setting
from harness.search.sequences.writing import Listed, chosen, version_of
from harness.search.strategies.setting_values import TOPIC
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.create_partitions_request import (
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
)
from reference_broker.wire.messages.create_topics_request import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState
from reference_broker.wire.messages.describe_cluster_request import DescribeClusterRequest
from reference_broker.wire.messages.describe_log_dirs_request import DescribableLogDirTopic, DescribeLogDirsRequest
from reference_broker.wire.messages.describe_topic_partitions_request import (
    Cursor,
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import ZERO_UUID, BrokerId, TopicName

TOPICS: Final = ("orders", "events", "a.b", "a_b")
ODD_NAMES: Final = ("", ".", "..", "white space", "x" * 200, "x" * 250, "__marks", "__cluster_metadata", "é")
CLIENTS: Final = 3
NODE: Final = BrokerId(1)
TIMEOUT_MS: Final = 15_000


def write(random: Random, listed: Listed) -> list[Action]:
    """A CreateTopics, then 10 to 40 steps, most of which read, then requests that read the result."""
    return list(_Writer(random, listed).actions())


class _Writer:
    def __init__(self, random: Random, listed: Listed) -> None:
        self.random, self.listed = random, listed
        self.names: list[str] = random.sample(TOPICS, random.choice((1, 2, 2, 3)))
        self.configs = Configs(random, listed, self.names)

    def actions(self) -> Iterator[Action]:
        yield self.create_topics()
        for _ in range(self.random.randint(10, 40)):
            yield self.step()
        yield from self.closing()

    def step(self) -> Request:
        write = chosen(
            self.random,
            (7, self.create_topics),
            (4, self.delete_topics),
            (4, self.create_partitions),
            (4, self.configs.incremental_alter),
            (2, self.configs.alter),
            (20, self.metadata),
            (16, self.describe_topic_partitions),
            (16, self.configs.describe),
            (3, self.configs.list_resources),
            (3, self.describe_cluster),
            (6, self.describe_log_dirs),
        )
        request: Request = write()
        return request

    # -- clients, topics and nodes ------------------------------------------------------------------------------

    def client(self) -> int:
        return self.random.randrange(CLIENTS)

    def name(self) -> TopicName:
        """A topic name, mostly one that may exist."""
        odd = self.random.choice(ODD_NAMES)
        return TopicName(chosen(self.random, (25, self.random.choice(self.names)), (2, "nowhere"), (1, odd)))

    def some_names(self) -> list[TopicName]:
        return [self.name() for _ in range(chosen(self.random, (12, 1), (5, 2), (1, 3), (0.5, 0)))]

    def topic_id(self) -> Any:
        topic = self.random.choice(self.names)
        return chosen(self.random, (20, Ref(Kind.TOPIC_ID, topic)), (2, Ref(Kind.TOPIC_ID, "nowhere")), (1, ZERO_UUID))

    def node(self) -> BrokerId:
        return BrokerId(chosen(self.random, (20, NODE), (1, 2), (0.5, -1)))

    def request(self, key: int, message: Any, **more: Any) -> Request:
        version = version_of(self.random, self.listed, key)
        return Request(client=self.client(), message=message, version=version, **more)

    # -- changes ------------------------------------------------------------------------------------------------

    def create_topics(self) -> Request:
        names = self.some_names()
        version = version_of(self.random, self.listed, ApiKey.CREATE_TOPICS)
        validate_only = self.random.random() < 0.2
        message = CreateTopicsRequest(
            topics=tuple(self.creatable(name) for name in names), timeout_ms=TIMEOUT_MS, validate_only=validate_only
        )
        is_one = len(names) == 1 and version >= 7 and not validate_only
        learns = (("topics.0.topic_id", Ref(Kind.TOPIC_ID, names[0])),) if is_one else ()
        return Request(client=self.client(), message=message, version=version, learns=learns)

    def creatable(self, name: TopicName) -> CreatableTopic:
        random = self.random
        count = chosen(random, (10, 0), (5, 1), (2, 2), (1, 3))
        configs = [setting(random, TOPIC)][:count] + legal_settings(random, TOPIC, count - 1)
        own: dict[str, Any] = {}
        if random.random() < 0.15:
            assignments = tuple(
                CreatableReplicaAssignment(partition_index=self.index(at), broker_ids=self.replicas())
                for at in range(random.choice((1, 1, 2)))
            )
            own = {"assignments": assignments}
        has_own = bool(own)
        usual = (-1, -1) if has_own else (1, 1)
        return CreatableTopic(
            name=name,
            num_partitions=chosen(random, (15, usual[0]), (3, 2), (2, 3), (3, -1), (0.5, 0), (0.5, -2)),
            replication_factor=chosen(random, (25, usual[1]), (4, -1), (0.5, 0), (1, 2), (0.5, -2)),
            configs=tuple(CreatableTopicConfig(name=key, value=value) for key, value in configs),
            **own,
        )

    def index(self, usual: int) -> int:
        return int(chosen(self.random, (20, usual), (1, usual + 1), (0.5, -1)))

    def replicas(self) -> tuple[BrokerId, ...]:
        return tuple(self.node() for _ in range(chosen(self.random, (20, 1), (1, 0), (1, 2))))

    def delete_topics(self) -> Request:
        version = version_of(self.random, self.listed, ApiKey.DELETE_TOPICS)
        states = tuple(
            DeleteTopicState(name=None, topic_id=self.topic_id())
            if self.random.random() < 0.3
            else DeleteTopicState(
                name=self.name(), topic_id=self.topic_id() if self.random.random() < 0.02 else ZERO_UUID
            )
            for _ in range(chosen(self.random, (10, 1), (3, 2), (0.5, 0)))
        )
        if version >= 6:
            message = DeleteTopicsRequest(topics=states, timeout_ms=TIMEOUT_MS)
        else:
            message = DeleteTopicsRequest(topic_names=tuple(self.some_names()), timeout_ms=TIMEOUT_MS)
        return Request(client=self.client(), message=message, version=version)

    def create_partitions(self) -> Request:
        random = self.random
        topics = []
        for name in self.some_names():
            count = chosen(random, (5, 2), (5, 3), (4, 4), (1, 1), (0.5, 0), (0.5, -1))
            assignments = None
            if random.random() < 0.2:
                several = range(chosen(random, (6, 1), (2, 2), (1, 0)))
                assignments = tuple(CreatePartitionsAssignment(broker_ids=self.replicas()) for _ in several)
            topics.append(CreatePartitionsTopic(name=name, count=count, assignments=assignments))
        message = CreatePartitionsRequest(
            topics=tuple(topics), timeout_ms=TIMEOUT_MS, validate_only=random.random() < 0.2
        )
        return self.request(ApiKey.CREATE_PARTITIONS, message)

    # -- reads --------------------------------------------------------------------------------------------------

    def metadata(self) -> Request:
        random = self.random
        version = version_of(random, self.listed, ApiKey.METADATA)
        topics: Any = tuple(
            MetadataRequestTopic(name=None, topic_id=self.topic_id())
            if version >= 10 and random.random() < 0.3
            else MetadataRequestTopic(name=self.name())
            for _ in range(chosen(random, (10, 1), (4, 2), (1, 3)))
        )
        message = MetadataRequest(
            topics=chosen(random, (20, topics), (2, None), (1, ())),
            allow_auto_topic_creation=random.random() < 0.5,
            include_cluster_authorized_operations=random.random() < 0.2,
            include_topic_authorized_operations=random.random() < 0.2,
        )
        return Request(client=self.client(), message=message, version=version)

    def describe_topic_partitions(self) -> Request:
        random = self.random
        cursor = Cursor(topic_name=self.name(), partition_index=random.choice((0, 0, 1, 2, -1)))
        message = DescribeTopicPartitionsRequest(
            topics=tuple(TopicRequest(name=name) for name in [*self.some_names(), self.name()]),
            response_partition_limit=chosen(random, (10, 2000), (3, 1), (3, 2), (0.5, 0), (0.5, -1), (0.5, 3000)),
            cursor=cursor if random.random() < 0.3 else None,
        )
        return self.request(ApiKey.DESCRIBE_TOPIC_PARTITIONS, message)

    def describe_cluster(self) -> Request:
        message = DescribeClusterRequest(
            include_cluster_authorized_operations=self.random.random() < 0.3,
            endpoint_type=chosen(self.random, (10, 1), (1, 2), (1, 0), (1, 3)),
            include_fenced_brokers=self.random.random() < 0.3,
        )
        return self.request(ApiKey.DESCRIBE_CLUSTER, message)

    def describe_log_dirs(self) -> Request:
        random = self.random
        topics = tuple(
            DescribableLogDirTopic(topic=name, partitions=tuple(random.sample((0, 1, 2, 9, -1), random.randint(1, 2))))
            for name in [*self.some_names(), self.name()]
        )
        everything = chosen(random, (9, topics), (1, None))
        return self.request(ApiKey.DESCRIBE_LOG_DIRS, DescribeLogDirsRequest(topics=everything))

    def closing(self) -> Iterator[Request]:
        """The requests that read the result: topics, their partitions and their configs."""
        names = [TopicName(name) for name in self.names]
        asked = MetadataRequest(
            topics=tuple(MetadataRequestTopic(name=name) for name in names), allow_auto_topic_creation=False
        )
        yield Request(message=asked, version=self.listed[ApiKey.METADATA][1])
        for name in names:
            wanted = DescribeTopicPartitionsRequest(topics=(TopicRequest(name=name),))
            yield Request(message=wanted, version=0)
            yield self.configs.all_of(TOPIC, name)
        yield self.configs.all_resources()
