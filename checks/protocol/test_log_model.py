"""The model allows each answer to random sequences of requests by several clients about a partition's log.

**Claim** In whatever order clients produce, retry, fetch, delete records and ask for offsets, each answer is one that
Kafka's documentation allows, also after a restart; the same holds for reads and writes by confluent-kafka in between.
**Why it matters** A combination of requests may fail even if each of them works alone.
**Kafka says** KIP-98 (idempotence), KIP-227 (fetch sessions), KIP-107 (deleting records), KIP-320 (leader epochs); the
protocol guide.
**Cannot see** Several brokers; transactions; retention by time; anything that harness/model does not judge.
**Rejects** tests/plants/accepts_a_sequence_gap.py, tests/plants/list_offsets_wrong_by_one.py,
tests/plants/serves_deleted_records.py
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from harness.hosts import cluster_time as time
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.options import OPTIONS, ChosenTarget
from harness.pytest_plugin.record import CheckRecord
from harness.search.lockstep.actions import Kind, Ref, Restart, WrittenBatch
from harness.search.lockstep.barrier import MARKER
from harness.search.lockstep.bytes import DAMAGES
from harness.search.lockstep.library_steps import LibraryProduce, LibraryRead
from harness.search.lockstep.machine import Explored, ModelMachine, explore
from harness.search.lockstep.played import LeastPlayed
from harness.targets.target import Cluster
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
from reference_broker.wire.primitives import BrokerId, TopicName

pytestmark = [
    pytest.mark.cluster(is_exact=True),  # the model assumes one broker
    pytest.mark.feature("Log"),
    pytest.mark.kip(98, 227, 107, 320),
    pytest.mark.document("Protocol guide", "https://kafka.apache.org/protocol.html"),
]

TOPIC = "orders"
PARTITIONS = 2
CLIENTS = 3
T0 = int(time.time()) // 3600 * 3_600_000
"""The last full hour (ms): the state of a producer whose records are a day old may expire at any time."""
SETTINGS = (
    (),
    (("message.timestamp.type", "LogAppendTime"),),
    (("compression.type", "gzip"),),
    (("max.message.bytes", "200"),),
    (("cleanup.policy", "compact"),),
)

partitions = st.sampled_from((0, 0, 0, 1, 1, PARTITIONS))
"""The last one does not exist."""
offsets = st.one_of(st.sampled_from((0, 0, 1, 2)), st.integers(-2, 12))
"""Logs are short, so most offsets are out of range."""
clients = st.integers(0, CLIENTS - 1)
epochs = st.sampled_from((-1, -1, -1, 0, 1))
values = st.lists(st.sampled_from(("a", "b", "x" * 150, None)), min_size=1, max_size=3).map(tuple)
codecs = st.sampled_from((Compression.NONE, Compression.NONE, Compression.GZIP, Compression.LZ4, Compression.ZSTD))
times = st.sampled_from((-5, -3, -2, -1, T0 - 1, T0, T0 + 1, T0 + 5, T0 + 20))
versions = st.sampled_from((0, 5, 9, 12, 13, 99))
"""A version that a target does not list is replaced by the nearest one that it lists."""


class Log(ModelMachine):
    """One topic, three clients, two producers."""

    def __init__(self) -> None:
        super().__init__()
        self.producers = 0
        self.sequences: dict[tuple[int, int], int] = {}
        self.sessions: dict[int, tuple[int, bool]] = {}
        """(next session epoch, whether the session uses topic ids), by client."""

    @initialize(settings=st.sampled_from(SETTINGS), producers=st.sampled_from((0, 1, 2)))
    def create(self, settings: tuple[tuple[str, str], ...], producers: int) -> None:
        configs = tuple(
            CreatableTopicConfig(name=name, value=value) for name, value in (("retention.ms", "-1"), *settings)
        )
        wanted = CreatableTopic(name=TopicName(TOPIC), num_partitions=PARTITIONS, replication_factor=1, configs=configs)
        learns = (("topics.0.topic_id", Ref(Kind.TOPIC_ID, TOPIC)),)
        self.ask(CreateTopicsRequest(topics=(wanted,), timeout_ms=15_000), 7, learns=learns)
        for _ in range(producers):
            self.make_producer(4, 0)

    def produce_batch(self, batch: WrittenBatch, partition: int, version: int, client: int, acks: int = -1) -> None:
        own: dict[str, Any] = {"name": TopicName(TOPIC)} if version < 13 else {"topic_id": Ref(Kind.TOPIC_ID, TOPIC)}
        part: Any = PartitionProduceData(index=partition, records=batch)
        topic = TopicProduceData(**own, partition_data=(part,))
        self.ask(ProduceRequest(acks=acks, timeout_ms=5_000, topic_data=(topic,)), version, client)

    @rule(
        values=values,
        key=st.sampled_from((None, "k")),
        codec=codecs,
        partition=partitions,
        version=st.sampled_from((3, 8, 12, 13)),
        client=clients,
        acks=st.sampled_from((-1, -1, 1, 0, 2)),
        at=st.integers(0, 10),
    )
    def produce(
        self,
        values: Any,
        key: str | None,
        codec: Compression,
        partition: int,
        version: int,
        client: int,
        acks: int,
        at: int,
    ) -> None:
        batch = WrittenBatch(values=values, key=key, compression=codec, timestamp=T0 + at)
        self.produce_batch(batch, partition, version, client, acks)

    @rule(damage=st.sampled_from([name for name in DAMAGES if name]), partition=partitions, client=clients)
    def produce_damaged(self, damage: str, partition: int, client: int) -> None:
        self.produce_batch(WrittenBatch(values=("a", "b"), timestamp=T0, damage=damage), partition, 12, client)

    @precondition(lambda self: self.producers < 2)
    @rule(version=st.sampled_from((0, 2, 4)), client=clients)
    def new_producer(self, version: int, client: int) -> None:
        self.make_producer(version, client)

    def make_producer(self, version: int, client: int) -> None:
        learns = (("producer_id", Ref(Kind.PRODUCER_ID, f"p{self.producers}")),)
        self.producers += 1
        message = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
        self.ask(message, version, client, learns=learns)

    @precondition(lambda self: self.producers > 0)
    @rule(
        producer=st.integers(0, 1),
        partition=st.integers(0, PARTITIONS - 1),
        count=st.integers(1, 3),
        step=st.sampled_from((0, 0, 0, 1, -1, -2, -3, -6)),
        epoch=st.sampled_from((0, 0, 0, 0, 1)),
        client=clients,
    )
    def produce_in_sequence(
        self, producer: int, partition: int, count: int, step: int, epoch: int, client: int
    ) -> None:
        producer = min(producer, self.producers - 1)
        expected = self.sequences.get((producer, partition), 0)
        batch = WrittenBatch(
            values=tuple("abc"[:count]),
            key="k",
            timestamp=T0,
            producer_id=Ref(Kind.PRODUCER_ID, f"p{producer}"),
            producer_epoch=epoch,
            base_sequence=max(0, expected + step),
        )
        if step == 0:
            self.sequences[producer, partition] = expected + count
        self.produce_batch(batch, partition, 12, client)

    def named(self, version: int) -> dict[str, Any]:
        return {"topic": TopicName(TOPIC)} if version < 13 else {"topic_id": Ref(Kind.TOPIC_ID, TOPIC)}

    @rule(
        partition=partitions,
        offset=offsets,
        version=st.sampled_from((4, 7, 11, 12, 13, 18)),
        client=clients,
        epoch=epochs,
        limit=st.sampled_from((1_048_576, 1_048_576, 150, 1)),
        isolation=st.sampled_from((0, 1)),
        opens=st.booleans(),
    )
    def fetch(
        self,
        partition: int,
        offset: int,
        version: int,
        client: int,
        epoch: int,
        limit: int,
        isolation: int,
        opens: bool,
    ) -> None:
        opens = opens and version >= 7
        part = FetchPartition(
            partition=partition, current_leader_epoch=epoch, fetch_offset=offset, partition_max_bytes=limit
        )
        message = FetchRequest(
            max_wait_ms=0,
            min_bytes=1,
            isolation_level=isolation,
            session_epoch=0 if opens else -1,
            topics=(FetchTopic(**self.named(version), partitions=(part,)),),
        )
        learns = (("session_id", Ref(Kind.SESSION_ID, f"s{client}")),) if opens else ()
        if opens:
            self.sessions[client] = (1, version >= 13)
        self.ask(message, version, client, learns=learns)

    @rule(
        partition=st.integers(0, PARTITIONS - 1),
        offset=st.sampled_from((0, 0, 1, 2, 3)),
        version=st.sampled_from((4, 12, 13)),
        client=clients,
    )
    def read(self, partition: int, offset: int, version: int, client: int) -> None:
        """A fetch in which at most the offset is invalid: few of the fetches above return records."""
        part = FetchPartition(partition=partition, fetch_offset=offset, partition_max_bytes=1_048_576)
        topic = FetchTopic(**self.named(version), partitions=(part,))
        self.ask(FetchRequest(max_wait_ms=0, min_bytes=1, topics=(topic,)), version, client)

    @precondition(lambda self: bool(self.sessions))
    @rule(
        client=clients,
        reads=st.sampled_from((None, None, (0, 0), (1, 2), (0, 5))),
        forgets=st.sampled_from((None, None, None, 0, 1)),
        skips=st.sampled_from((0, 0, 0, 0, 1)),
    )
    def fetch_in_session(self, client: int, reads: tuple[int, int] | None, forgets: int | None, skips: int) -> None:
        client = client if client in self.sessions else min(self.sessions)
        epoch, by_id = self.sessions[client]
        self.sessions[client] = (epoch + (not skips), by_id)
        own = self.named(13 if by_id else 12)
        topics, forgotten = (), ()
        if reads is not None:
            part = FetchPartition(partition=reads[0], fetch_offset=reads[1], partition_max_bytes=1_048_576)
            topics = (FetchTopic(**own, partitions=(part,)),)
        if forgets is not None:
            forgotten = (ForgottenTopic(**own, partitions=(forgets,)),)
        message = FetchRequest(
            max_wait_ms=0,
            min_bytes=1,
            session_id=Ref(Kind.SESSION_ID, f"s{client}"),
            session_epoch=epoch + skips,
            topics=topics,
            forgotten_topics_data=forgotten,
        )
        self.ask(message, 13 if by_id else 12, client)

    @rule(partition=partitions, at=times, version=st.sampled_from((1, 5, 7, 8, 9)), client=clients, epoch=epochs)
    def list_offsets(self, partition: int, at: int, version: int, client: int, epoch: int) -> None:
        part = ListOffsetsPartition(partition_index=partition, current_leader_epoch=epoch, timestamp=at)
        topic = ListOffsetsTopic(name=TopicName(TOPIC), partitions=(part,))
        self.ask(ListOffsetsRequest(replica_id=BrokerId(-1), topics=(topic,)), version, client)

    @rule(partition=partitions, offset=offsets, client=clients)
    def delete_records(self, partition: int, offset: int, client: int) -> None:
        part = DeleteRecordsPartition(partition_index=partition, offset=offset)
        topic = DeleteRecordsTopic(name=TopicName(TOPIC), partitions=(part,))
        self.ask(DeleteRecordsRequest(topics=(topic,), timeout_ms=5_000), 2, client)

    @rule(partition=partitions, epoch=epochs, asked=st.sampled_from((-1, 0, 0, 1, 9)), client=clients)
    def end_of_epoch(self, partition: int, epoch: int, asked: int, client: int) -> None:
        part = OffsetForLeaderPartition(partition=partition, current_leader_epoch=epoch, leader_epoch=asked)
        topic = OffsetForLeaderTopic(topic=TopicName(TOPIC), partitions=(part,))
        self.ask(OffsetForLeaderEpochRequest(replica_id=BrokerId(-1), topics=(topic,)), 4, client)

    @rule(partition=partitions, client=clients)
    def describe_producers(self, partition: int, client: int) -> None:
        topic = TopicRequest(name=TopicName(TOPIC), partition_indexes=(partition,))
        self.ask(DescribeProducersRequest(topics=(topic,)), 0, client)

    @rule(partition=st.integers(0, PARTITIONS - 1), values=st.sampled_from((("a",), ("b", "c"))))
    def produce_by_confluent(self, partition: int, values: tuple[str, ...]) -> None:
        self.do(LibraryProduce(topic=TOPIC, partition=partition, values=values))

    @rule(partition=st.integers(0, PARTITIONS - 1), offset=st.integers(0, 6))
    def read_by_confluent(self, partition: int, offset: int) -> None:
        self.do(LibraryRead(topic=TOPIC, partition=partition, offset=offset))


class RestartedLog(Log):
    """The same as Log, with one restart of the node."""

    @precondition(lambda self: len(self.steps) > 8 and Restart() not in self.steps)
    @rule()
    def restart(self) -> None:
        self.do(Restart())
        self.sessions.clear()


ASKED = ("Produce", "Fetch", "ListOffsets", "DeleteRecords", "OffsetForLeaderEpoch", "DescribeProducers")
LEAST = LeastPlayed(sound=ASKED, library=2)
LEAST_RESTARTED = LeastPlayed(answers=20, sound=("Produce",), restarts=1, after_restart=5)


def explored(machine: type[ModelMachine], target: ChosenTarget, cluster: Cluster, config: pytest.Config) -> Explored:
    """Plays the machine for as long as --duration says."""
    options = config.stash[OPTIONS]
    more: dict[str, Any] = {"run_seed": options.seed, "duration_s": options.duration_s}
    if machine is RestartedLog:
        return explore(machine, target, cluster, least=LEAST_RESTARTED, examples=2, **more)
    return explore(machine, target, cluster, least=LEAST, **more)


def test_each_answer_about_a_log_is_allowed(
    target: ChosenTarget, cluster: Cluster, names: Names, record: CheckRecord, pytestconfig: pytest.Config
) -> None:
    """In whatever order requests about a log are sent, the model allows each answer."""
    names.topics.append(MARKER)
    found = explored(Log, target, cluster, pytestconfig)
    record.operations, record.verdicts = found.played.steps, (found.verdict,)
    names.topics += found.topics
    found.require_enough()


def test_each_answer_after_a_restart_is_allowed(
    target: ChosenTarget,
    cluster: Cluster,
    names: Names,
    record: CheckRecord,
    pytestconfig: pytest.Config,
    require_fault: Callable[[str], None],
) -> None:
    """The model also allows each answer if the node is restarted cleanly between the requests."""
    require_fault("restart")
    names.topics.append(MARKER)
    found = explored(RestartedLog, target, cluster, pytestconfig)
    record.operations, record.verdicts = found.played.steps, (found.verdict,)
    names.topics += found.topics
    found.require_enough()
