"""Requests about partition logs: valid and damaged batches, producers with right and wrong sequences, reads of all
kinds.

Up to two topics with up to two partitions, three clients, three producers. At the end, everything is read. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from harness.search.lockstep.actions import Action, Kind, Ref, Request, Restart, WrittenBatch
from harness.search.lockstep.bytes import DAMAGES
from harness.search.sequences.writing import Listed, chosen, version_of
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.compression import Compression
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_records_request import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from reference_broker.wire.messages.describe_producers_request import DescribeProducersRequest, TopicRequest
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic, ForgottenTopic
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.offset_for_leader_epoch_request import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import ZERO_UUID, BrokerId, TopicName, TransactionalId

TOPICS: Final = ("orders", "events")
CLIENTS: Final = 3
T0: Final = 1_700_000_000_000
CONFIGS: Final = (
    ("message.timestamp.type", "LogAppendTime"),
    ("compression.type", "gzip"),
    ("compression.type", "uncompressed"),
    ("max.message.bytes", "200"),
    ("cleanup.policy", "compact"),
    ("message.timestamp.before.max.ms", "1000"),
    ("segment.bytes", "1048576"),
)
LARGEST: Final = -3
SPECIAL_TIMES: Final = (-1, -2, LARGEST, -4, -5, -6, -7)
"""Special timestamps of ListOffsets: latest, earliest, max timestamp, earliest local, latest tiered, earliest pending
upload; the last is unknown to all releases."""


def write(random: Random, listed: Listed) -> list[Action]:
    """Creates topics, then 3 to 30 steps, then requests that read everything."""
    return list(_Writer(random, listed).actions())


@dataclass(slots=True)
class _Producer:
    label: str
    epoch: int = 0
    sequences: dict[tuple[str, int], int] = field(default_factory=dict)
    last: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """(topic, partition) → (base sequence, number of records) of its last batch with the right sequence."""


class _Writer:
    def __init__(self, random: Random, listed: Listed) -> None:
        self.random, self.listed = random, listed
        self.partitions = {topic: random.choice((1, 1, 2)) for topic in TOPICS[: random.choice((1, 1, 2))]}
        self.ends: dict[tuple[str, int], int] = {}
        self.by_append_time: list[str] = []
        """Topics with LogAppendTime, where the offset of the largest timestamp depends on timing."""
        self.producers: list[_Producer] = []
        self.sessions: dict[int, int] = {}

    def actions(self) -> Iterator[Action]:
        for topic, partitions in self.partitions.items():
            yield self.created(topic, partitions)
        if self.random.random() < 0.4:
            yield self.new_producer()
        for _ in range(self.random.randint(3, 30)):
            yield self.step()
        yield from self.closing()

    def created(self, topic: str, partitions: int) -> Request:
        configs = [("retention.ms", "-1")]
        if self.random.random() < 0.4:
            configs.append(self.random.choice(CONFIGS))
        if ("message.timestamp.type", "LogAppendTime") in configs:
            self.by_append_time.append(topic)
        wanted = CreatableTopic(
            name=TopicName(topic),
            num_partitions=partitions,
            replication_factor=1,
            configs=tuple(CreatableTopicConfig(name=name, value=value) for name, value in configs),
        )
        message = CreateTopicsRequest(topics=(wanted,), timeout_ms=15_000)
        learns = (("topics.0.topic_id", Ref(Kind.TOPIC_ID, topic)),)
        return Request(message=message, version=self.listed[ApiKey.CREATE_TOPICS][1], learns=learns)

    def step(self) -> Action:
        write = chosen(
            self.random,
            (40, self.produce),
            (25, self.fetch),
            (12, self.list_offsets),
            (6, self.new_producer),
            (5, self.delete_records),
            (4, self.leader_epoch),
            (4, self.describe_producers),
            (0.1, Restart),
        )
        action: Action = write()
        return action

    # -- clients, topics and partitions -------------------------------------------------------------------------

    def client(self) -> int:
        return self.random.randrange(CLIENTS)

    def place(self) -> tuple[str, int]:
        """(topic, partition), mostly an existing one."""
        topic = chosen(self.random, (30, self.random.choice(list(self.partitions))), (1, "nowhere"), (0.3, ""))
        there = self.partitions.get(topic, 1)
        return topic, chosen(self.random, (40, self.random.randrange(there)), (1, there), (0.5, -1))

    def named(self, topic: str, version: int, ids_from: int) -> dict[str, Any]:
        """The field that names a topic: its name or, from version `ids_from` on, its id."""
        if version >= ids_from:
            topic_id = ZERO_UUID if not topic else Ref(Kind.TOPIC_ID, topic)
            return {"topic_id": topic_id}
        return {"name": TopicName(topic)}

    def offset(self, place: tuple[str, int]) -> int:
        """An offset, mostly one within the log, as far as its end can be predicted."""
        end = self.ends.get(place, 0)
        return int(chosen(self.random, (10, self.random.randint(0, end)), (4, end), (1, end + 1), (1, -1), (0.5, -2)))

    def epoch(self) -> int:
        return int(chosen(self.random, (20, -1), (4, 0), (1, 1), (0.5, -2), (0.5, 100)))

    # -- requests -----------------------------------------------------------------------------------------------

    def produce(self) -> Request:
        version = version_of(self.random, self.listed, ApiKey.PRODUCE)
        place = self.place()
        topic, partition = place
        data: Any = self.batch(place)
        if self.random.random() < 0.01:
            data = b""
        part = PartitionProduceData(index=partition, records=data)
        message = ProduceRequest(
            transactional_id=TransactionalId("payments") if self.random.random() < 0.01 else None,
            acks=chosen(self.random, (20, -1), (10, 1), (0.5, 2), (0.5, -2), (1, 0)),
            timeout_ms=chosen(self.random, (20, 5_000), (1, 0), (1, -1)),
            topic_data=(TopicProduceData(**self.named(topic, version, 13), partition_data=(part,)),),
        )
        return Request(client=self.client(), message=message, version=version)

    def batch(self, place: tuple[str, int]) -> WrittenBatch:
        random = self.random
        count = chosen(random, (10, 1), (5, 2), (3, 3), (1, 10))
        producer = random.choice(self.producers) if self.producers and random.random() < 0.5 else None
        again = producer.last.get(place) if producer is not None and random.random() < 0.15 else None
        if again is not None:
            count = again[1]
        values = tuple(
            chosen(random, (20, f"v{random.randint(0, 99)}"), (1, None), (1, "x" * 250)) for _ in range(count)
        )
        own: dict[str, Any] = {}
        if producer is not None:
            expected = producer.sequences.get(place, 0)
            sequence = chosen(random, (14, expected), (1, max(0, expected - count)), (1, expected + 1), (0.5, 0))
            if again is not None:
                sequence = again[0]
            own = {
                "producer_id": Ref(Kind.PRODUCER_ID, producer.label),
                "producer_epoch": chosen(random, (30, producer.epoch), (1, producer.epoch + 1), (0.5, -1)),
                "base_sequence": chosen(random, (40, sequence), (1, -1), (0.5, 2**31 - 1)),
            }
            if sequence == expected:
                producer.sequences[place] = expected + count
                producer.last[place] = (expected, count)
        damage = random.choice(list(DAMAGES)) if random.random() < 0.08 else ""
        if not damage:
            self.ends[place] = self.ends.get(place, 0) + count
        return WrittenBatch(
            values=values,
            key=chosen(random, (3, None), (2, "k")),
            timestamp=chosen(random, (20, T0 + random.randint(0, 50)), (1, -1), (0.5, 4_000_000_000_000), (1, 0)),
            base_offset=chosen(random, (30, 0), (1, 5)),
            compression=chosen(random, (12, Compression.NONE), *((1, codec) for codec in list(Compression)[1:])),
            log_append_time=random.random() < 0.02,
            is_transactional=random.random() < 0.01,
            is_control=random.random() < 0.01,
            damage=damage,
            **own,
        )

    def fetch(self) -> Request:
        random = self.random
        version = version_of(random, self.listed, ApiKey.FETCH)
        place = self.place()
        topic, partition = place
        part = FetchPartition(
            partition=partition,
            current_leader_epoch=self.epoch(),
            fetch_offset=self.offset(place),
            last_fetched_epoch=-1,
            partition_max_bytes=chosen(random, (10, 1_048_576), (2, 100), (1, 1), (0.5, 0), (0.3, -1)),
        )
        client = self.client()
        session, session_epoch = self.session(client) if version >= 7 else (0, -1)
        own: dict[str, Any] = {"topic": TopicName(topic)}
        if version >= 13:
            # Not the zero id in a session: whether Kafka fails depends on what stands beside it, by accident.
            is_zero = not topic and session_epoch < 0
            own = {"topic_id": ZERO_UUID if is_zero else Ref(Kind.TOPIC_ID, topic or "nowhere")}
        forgotten: tuple[Any, ...] = ()
        if session_epoch > 0 and random.random() < 0.1:
            forgotten = (ForgottenTopic(**own, partitions=(partition,)),)
        wanted = FetchTopic(**own, partitions=(part,))
        waits_ms = chosen(random, (12, 0), (1, 60))
        message = FetchRequest(
            max_wait_ms=waits_ms,
            min_bytes=chosen(random, (10, 1), (1, 0), (1, 100_000)) if waits_ms else 1,
            max_bytes=chosen(random, (10, 52_428_800), (1, 100), (0.5, 0)),
            isolation_level=chosen(random, (5, 0), (3, 1), (0.2, 2)),
            session_id=session,
            session_epoch=session_epoch,
            topics=(wanted,) if session_epoch < 1 or random.random() < 0.5 else (),
            forgotten_topics_data=forgotten,
        )
        learns = (("session_id", Ref(Kind.SESSION_ID, f"s{client}")),) if session_epoch == 0 else ()
        return Request(client=client, message=message, version=version, learns=learns, waits_ms=waits_ms or None)

    def session(self, client: int) -> tuple[Any, int]:
        """(fetch session id, epoch): often none, else of the client's session, sometimes with a wrong id or epoch."""
        random = self.random
        if client not in self.sessions or random.random() < 0.4:
            if random.random() < 0.6:
                return 0, -1
            self.sessions[client] = 1
            return 0, 0
        epoch = self.sessions[client]
        self.sessions[client] += 1
        own = chosen(random, (20, Ref(Kind.SESSION_ID, f"s{client}")), (1, 12_345))
        return own, chosen(random, (20, epoch), (1, epoch + 1), (1, -1), (0.5, 1))

    def list_offsets(self) -> Request:
        random = self.random
        version = version_of(random, self.listed, ApiKey.LIST_OFFSETS)
        topic, partition = self.place()
        timestamp = chosen(random, (10, random.choice(SPECIAL_TIMES)), (8, T0 + random.randint(-2, 60)), (1, 0))
        if timestamp == LARGEST and topic in self.by_append_time:
            timestamp = -1
        part = ListOffsetsPartition(partition_index=partition, current_leader_epoch=self.epoch(), timestamp=timestamp)
        message = ListOffsetsRequest(
            replica_id=BrokerId(-1),
            isolation_level=chosen(random, (5, 0), (3, 1)),
            topics=(ListOffsetsTopic(name=TopicName(topic), partitions=(part,)),),
            timeout_ms=5_000,
        )
        return Request(client=self.client(), message=message, version=version)

    def new_producer(self) -> Request:
        version = version_of(self.random, self.listed, ApiKey.INIT_PRODUCER_ID)
        producer = _Producer(f"p{len(self.producers)}")
        if len(self.producers) < 3:
            self.producers.append(producer)
        message = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
        learns = (("producer_id", Ref(Kind.PRODUCER_ID, producer.label)),)
        return Request(client=self.client(), message=message, version=version, learns=learns)

    def delete_records(self) -> Request:
        version = version_of(self.random, self.listed, ApiKey.DELETE_RECORDS)
        place = self.place()
        part = DeleteRecordsPartition(partition_index=place[1], offset=self.offset(place))
        wanted = DeleteRecordsTopic(name=TopicName(place[0]), partitions=(part,))
        message = DeleteRecordsRequest(topics=(wanted,), timeout_ms=5_000)
        return Request(client=self.client(), message=message, version=version)

    def leader_epoch(self) -> Request:
        random = self.random
        version = version_of(random, self.listed, ApiKey.OFFSET_FOR_LEADER_EPOCH)
        topic, partition = self.place()
        part = OffsetForLeaderPartition(
            partition=partition,
            current_leader_epoch=self.epoch(),
            leader_epoch=chosen(random, (6, 0), (2, 1), (1, -1), (1, 50)),
        )
        message = OffsetForLeaderEpochRequest(
            replica_id=BrokerId(chosen(random, (5, -1), (1, -2))),
            topics=(OffsetForLeaderTopic(topic=TopicName(topic), partitions=(part,)),),
        )
        return Request(client=self.client(), message=message, version=version)

    def describe_producers(self) -> Request:
        topic, partition = self.place()
        wanted = TopicRequest(name=TopicName(topic), partition_indexes=(partition,))
        return Request(client=self.client(), message=DescribeProducersRequest(topics=(wanted,)), version=0)

    def closing(self) -> Iterator[Request]:
        """The requests that read the result: the offsets of each partition, its producers, and all its records."""
        for topic, partitions in self.partitions.items():
            for partition in range(partitions):
                for timestamp in (-2, -1) if topic in self.by_append_time else (-2, -1, LARGEST):
                    part = ListOffsetsPartition(partition_index=partition, timestamp=timestamp)
                    wanted = ListOffsetsTopic(name=TopicName(topic), partitions=(part,))
                    message = ListOffsetsRequest(replica_id=BrokerId(-1), topics=(wanted,))
                    yield Request(message=message, version=8)
                producers = TopicRequest(name=TopicName(topic), partition_indexes=(partition,))
                yield Request(message=DescribeProducersRequest(topics=(producers,)), version=0)
                everything = FetchPartition(partition=partition, fetch_offset=0, partition_max_bytes=1_048_576)
                read = FetchTopic(topic=TopicName(topic), partitions=(everything,))
                yield Request(message=FetchRequest(max_wait_ms=0, min_bytes=1, topics=(read,)), version=12)
