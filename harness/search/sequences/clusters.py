"""Sequences for clusters of three nodes: replicas that are placed, moved, elected and killed. Pure.

Every topic says where its replicas are, and every request which node gets it, so that both clusters do the same. One
node at a time is down: the other two are a majority.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from harness.search.lockstep.actions import Action, Fault, NodeFault, Request, WrittenBatch
from harness.search.sequences.writing import Listed, chosen, version_of
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
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
from reference_broker.wire.messages.delete_records_request import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from reference_broker.wire.messages.describe_topic_partitions_request import (
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.list_partition_reassignments_request import (
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsTopics,
)
from reference_broker.wire.messages.offset_for_leader_epoch_request import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import BrokerId, TopicName

NODES: Final = (1, 2, 3)
TOPIC: Final = TopicName("orders")
MOST_ACTIONS: Final = 24
NAMED_BY_NAME: Final = 12
"""The last version of Produce that names topics by name."""
OF_LEADERS: Final = 10
"""The last version of Fetch that followers refuse (KIP-392): how far a follower is depends on how fast it is."""
FAULTS: Final = 0.35
"""How many of the sequences have a node killed or stopped: these take seconds, the others none."""


class _Writer:
    def __init__(self, random: Random, listed: Listed) -> None:
        self.random, self.listed = random, listed
        self.partitions = 0
        self.is_moved = False
        self.down = 0
        self.has_faults = random.random() < FAULTS

    def write(self) -> Iterator[Action]:
        """A topic, then what happens to it; after each change a node is asked what it knows."""
        yield self._created()
        yield from self._asked()
        for _ in range(self.random.randrange(6, MOST_ACTIONS)):
            action = chosen(
                self.random,
                (5, self._produced),
                (3, self._fetched),
                (2, self._offsets),
                (1, self._epochs),
                (1, self._deleted),
                (3, self._elected),
                (3, self._moved),
                (1 if self._may_grow() else 0, self._grown),
                (2 if self.has_faults else 0, self._struck),
            )()
            yield action
            if isinstance(action, NodeFault) or action.message.API_KEY in CHANGES:
                yield from self._asked()

    def _node(self) -> int:
        return self.random.choice([one for one in NODES if one != self.down])

    def _partition(self) -> int:
        return self.random.randrange(self.partitions)

    def _replicas(self) -> tuple[BrokerId, ...]:
        count = chosen(self.random, (5, 3), (3, 2), (1, 1))
        return tuple(map(BrokerId, self.random.sample(NODES, count)))

    def _request(self, message: Any, *, at_most: int = 32_767) -> Request:
        version = min(version_of(self.random, self.listed, message.API_KEY), at_most)
        return Request(message=message, version=version, node=self._node())

    # -- changes ------------------------------------------------------------------------------------------------

    def _created(self) -> Request:
        self.partitions = self.random.randrange(1, 4)
        factor = self.random.choice((2, 3))
        assignments = tuple(
            CreatableReplicaAssignment(
                partition_index=index, broker_ids=tuple(map(BrokerId, self.random.sample(NODES, factor)))
            )
            for index in range(self.partitions)
        )
        configs = tuple(
            CreatableTopicConfig(name=name, value=value)
            for name, value in (
                ("min.insync.replicas", str(self.random.choice((1, 2)))),
                ("unclean.leader.election.enable", self.random.choice(("false", "false", "true"))),
                ("retention.ms", "-1"),
            )
        )
        wanted = CreatableTopic(
            name=TOPIC, num_partitions=-1, replication_factor=-1, assignments=assignments, configs=configs
        )
        return self._request(CreateTopicsRequest(topics=(wanted,), timeout_ms=15_000))

    def _elected(self) -> Request:
        asked = TopicPartitions(topic=TOPIC, partitions=(self._partition(),))
        kind = chosen(self.random, (4, 0), (1, 1))
        return self._request(ElectLeadersRequest(election_type=kind, topic_partitions=(asked,), timeout_ms=15_000))

    def _moved(self) -> Request:
        replicas = None if self.random.random() < 0.15 else self._replicas()
        self.is_moved = True
        one = ReassignablePartition(partition_index=self._partition(), replicas=replicas)
        message = AlterPartitionReassignmentsRequest(
            timeout_ms=15_000, topics=(ReassignableTopic(name=TOPIC, partitions=(one,)),)
        )
        return self._request(message)

    def _may_grow(self) -> bool:
        """Whether all partitions have the same number of replicas. Kafka compares a new partition with one of them, and
        by accident that is the first one in a hash map: which one, no client can know."""
        return self.partitions == 1 or not self.is_moved

    def _grown(self) -> Request:
        self.partitions += 1
        assignment = CreatePartitionsAssignment(broker_ids=self._replicas())
        topic = CreatePartitionsTopic(name=TOPIC, count=self.partitions, assignments=(assignment,))
        return self._request(CreatePartitionsRequest(topics=(topic,), timeout_ms=15_000))

    def _struck(self) -> NodeFault:
        if self.down:
            node, self.down = self.down, 0
            return NodeFault(Fault.START, node)
        self.down = self._node()
        return NodeFault(self.random.choice((Fault.KILL, Fault.STOP)), self.down)

    # -- records ------------------------------------------------------------------------------------------------

    def _produced(self) -> Request:
        values = tuple(self.random.choice("abcdefgh") for _ in range(self.random.randrange(1, 4)))
        data = PartitionProduceData(index=self._partition(), records=WrittenBatch(values=values))
        topic = TopicProduceData(name=TOPIC, partition_data=(data,))
        return self._request(ProduceRequest(acks=-1, timeout_ms=20_000, topic_data=(topic,)), at_most=NAMED_BY_NAME)

    def _fetched(self) -> Request:
        one = FetchPartition(
            partition=self._partition(), fetch_offset=self.random.randrange(4), partition_max_bytes=1 << 20
        )
        topic = FetchTopic(topic=TOPIC, partitions=(one,))
        return self._request(FetchRequest(min_bytes=1, topics=(topic,)), at_most=OF_LEADERS)

    def _offsets(self) -> Request:
        one = ListOffsetsPartition(partition_index=self._partition(), timestamp=self.random.choice((-1, -2)))
        topic = ListOffsetsTopic(name=TOPIC, partitions=(one,))
        return self._request(ListOffsetsRequest(replica_id=BrokerId(-1), topics=(topic,)))

    def _epochs(self) -> Request:
        one = OffsetForLeaderPartition(
            partition=self._partition(), current_leader_epoch=-1, leader_epoch=self.random.randrange(6)
        )
        topic = OffsetForLeaderTopic(topic=TOPIC, partitions=(one,))
        return self._request(OffsetForLeaderEpochRequest(replica_id=BrokerId(-1), topics=(topic,)))

    def _deleted(self) -> Request:
        one = DeleteRecordsPartition(partition_index=self._partition(), offset=self.random.choice((-1, 0, 1, 2)))
        topic = DeleteRecordsTopic(name=TOPIC, partitions=(one,))
        return self._request(DeleteRecordsRequest(topics=(topic,), timeout_ms=15_000))

    # -- what a node knows --------------------------------------------------------------------------------------

    def _asked(self) -> Iterator[Request]:
        yield self._request(DescribeTopicPartitionsRequest(topics=(TopicRequest(name=TOPIC),)))
        of_topic = ListPartitionReassignmentsTopics(name=TOPIC, partition_indexes=tuple(range(self.partitions)))
        yield self._request(ListPartitionReassignmentsRequest(topics=(of_topic,)))


CHANGES: Final = frozenset(
    {
        *(ApiKey.CREATE_TOPICS, ApiKey.CREATE_PARTITIONS, ApiKey.ELECT_LEADERS),
        ApiKey.ALTER_PARTITION_REASSIGNMENTS,
    }
)


def write(random: Random, listed: Listed) -> tuple[Action, ...]:
    """One sequence."""
    return tuple(_Writer(random, listed).write())
