"""A whole node in memory: bytes in, effects out, and time only as an argument."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "log"))

from memory_disk import MemoryDisk

from reference_broker.apis import describe_cluster, metadata
from reference_broker.apis.context import BrokerContext
from reference_broker.connection import Connection
from reference_broker.effects import Close, Effect, Halt, Peer, PeerLost, Reply, Send
from reference_broker.environment import Now
from reference_broker.node import Node, Observers
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.simulation.at_once import bring_to_life, carried_out
from reference_broker.startup import start_node
from reference_broker.storage import load_folders, run
from reference_broker.waiting import Later
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import decode_response, encode_request
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.describe_cluster_request import DescribeClusterRequest
from reference_broker.wire.messages.describe_cluster_response import DescribeClusterResponse
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.messages.metadata_response import MetadataResponse
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import Record, encode_batch
from reference_broker.wire.refusal import KafkaError

SETTINGS = """
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:9093
log.dirs=/data
offsets.topic.replication.factor=1
"""
START_MS = 1_700_000_000_000
ORDERS = TopicName("orders")


def at(ms: int) -> Now:
    """So long after the start; the monotonic clock counts from another start than the wall clock."""
    return Now(START_MS + ms, 77_000 + ms)


@dataclass
class World:
    """A node, the disk below it, and the time that it is told."""

    disk: MemoryDisk
    node: Node
    now: Now = field(default_factory=lambda: at(0))
    seen: list[str] = field(default_factory=list)

    def connect(self, listener: str = "PLAINTEXT") -> Connection:
        return self.node.connect(listener, "127.0.0.1")

    def send(self, client: Connection, key: int, version: int, message: Any, number: int = 1) -> list[Effect]:
        sent = b"".join(bytes(part) for part in encode_request(key, version, number, "test", message))  # type: ignore[arg-type]
        return carried_out(self.node, self.node.receive(client, sent, self.now), self.now)

    def on_time(self, now: Now) -> list[Effect]:
        return carried_out(self.node, self.node.on_time(now), now)

    def ask(self, client: Connection, key: int, version: int, message: Any) -> Any:
        (reply,) = self.send(client, key, version, message)
        return self.read(client, reply, key, version)

    def read(self, client: Connection, reply: Effect, key: int, version: int) -> Any:
        assert isinstance(reply, Reply)
        data = b"".join(bytes(part) for part in reply.buffers)  # type: ignore[arg-type]
        self.node.on_written(client, self.now)
        return decode_response(key, version, data[4:])[1]


@pytest.fixture
def world() -> World:
    disk, chance = MemoryDisk(), Random(7)
    disk.make_directories("/etc")
    disk.write_plainly("/etc/server.properties", SETTINGS.encode())
    arguments = ["format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", "/etc/server.properties"]
    said: list[str] = []
    assert run(arguments, disk=disk, random=chance, now_ms=START_MS, say=said.append, complain=said.append) == 0
    config = BrokerConfig.load(SETTINGS)
    seen: list[str] = []
    node = start_node(
        config=config,
        folders=load_folders(disk, config),
        disk=disk,
        random=chance,
        now=at(-5_000),
        bound={"PLAINTEXT": 9092, "CONTROLLER": 9093},
        observers=Observers(lambda level, text: seen.append(text)),
    )
    bring_to_life(node, "PLAINTEXT", at(-5_000))
    return World(disk, node, seen=seen)


def produce(acks: int = 1) -> ProduceRequest:
    batch = encode_batch([Record(offset=0, timestamp=START_MS, key=None, value=b"one", headers=())])
    data = PartitionProduceData(index=0, records=memoryview(batch))
    return ProduceRequest(
        acks=acks, timeout_ms=1000, topic_data=(TopicProduceData(name=ORDERS, partition_data=(data,)),)
    )


def fetch(max_wait_ms: int) -> FetchRequest:
    topic = FetchTopic(topic=ORDERS, partitions=(FetchPartition(partition=0, partition_max_bytes=1000),))
    return FetchRequest(max_wait_ms=max_wait_ms, min_bytes=1, max_bytes=1000, topics=(topic,))


def create(world: World, client: Connection) -> None:
    topic = CreatableTopic(name=ORDERS, num_partitions=1, replication_factor=1)
    answer = world.ask(client, ApiKey.CREATE_TOPICS, 7, CreateTopicsRequest(topics=(topic,), timeout_ms=1000))
    assert answer.topics[0].error_code == 0


def test_it_answers_what_it_serves(world: World) -> None:
    request = ApiVersionsRequest(client_software_name="test", client_software_version="1")
    answer = world.ask(world.connect(), ApiKey.API_VERSIONS, 4, request)
    assert {one.api_key for one in answer.api_keys} >= {ApiKey.PRODUCE, ApiKey.FETCH, ApiKey.METADATA}


def test_the_controller_listener_serves_other_apis(world: World) -> None:
    (effect,) = world.send(world.connect("CONTROLLER"), ApiKey.PRODUCE, 9, produce())
    assert isinstance(effect, Close)


def test_a_topic_is_there_once_its_creation_is_answered(world: World) -> None:
    client = world.connect()
    create(world, client)
    asked = MetadataRequest(topics=(MetadataRequestTopic(name=ORDERS),))
    answer = world.ask(client, ApiKey.METADATA, 12, asked)
    assert answer.topics[0].partitions[0].leader_id == 1


def test_a_fetch_that_finds_nothing_waits_for_a_record(world: World) -> None:
    reader, writer = world.connect(), world.connect()
    create(world, writer)
    waiting = world.send(reader, ApiKey.FETCH, 12, fetch(500))
    effects = world.send(writer, ApiKey.PRODUCE, 9, produce())
    assert (waiting, {effect.connection for effect in effects if isinstance(effect, Reply)}) == (
        [],
        {reader.id, writer.id},
    )


def test_a_fetch_that_finds_nothing_is_answered_when_its_time_is_over(world: World) -> None:
    reader = world.connect()
    create(world, reader)
    world.send(reader, ApiKey.FETCH, 12, fetch(500))
    early = world.on_time(at(499))
    (late,) = world.on_time(at(500))
    answer = world.read(reader, late, ApiKey.FETCH, 12)
    assert (early, answer.responses[0].partitions[0].error_code) == ([], ErrorCode.NONE)


def test_the_node_asks_to_be_woken_when_a_request_s_time_is_over(world: World) -> None:
    reader = world.connect()
    create(world, reader)
    world.on_time(at(0))
    world.send(reader, ApiKey.FETCH, 12, fetch(5))
    assert world.node.next_deadline_ms() <= at(5).monotonic_ms


def test_a_produce_without_acks_is_not_answered(world: World) -> None:
    client = world.connect()
    create(world, client)
    assert world.send(client, ApiKey.PRODUCE, 9, produce(acks=0)) == []


def test_a_refused_produce_without_acks_closes_the_connection(world: World) -> None:
    (effect,) = world.send(world.connect(), ApiKey.PRODUCE, 9, produce(acks=0))
    assert isinstance(effect, Close)


def test_a_broker_that_has_stopped_hangs_up_and_tells_nothing_more(world: World) -> None:
    before, controllers = world.connect(), world.connect("CONTROLLER")
    closed = carried_out(world.node, world.node.stop(world.now), world.now)
    after = world.connect()

    effects = world.send(after, ApiKey.METADATA, 12, MetadataRequest(topics=None))

    assert [one.connection for one in closed if isinstance(one, Close)] == [before.id]
    assert [type(one) for one in effects] == [Close]
    assert isinstance(world.send(controllers, ApiKey.API_VERSIONS, 3, ApiVersionsRequest())[0], Reply)


def test_what_a_client_waits_for_is_dropped_when_it_goes(world: World) -> None:
    reader, writer = world.connect(), world.connect()
    create(world, writer)
    world.send(reader, ApiKey.FETCH, 12, fetch(500))
    world.node.disconnect(reader.id)
    effects = world.send(writer, ApiKey.PRODUCE, 9, produce())
    assert [effect.connection for effect in effects if isinstance(effect, Reply)] == [writer.id]


def test_an_idle_node_writes_no_more_than_a_no_op_now_and_then(world: World) -> None:
    before = world.node.parts.controller.log.end_offset
    for second in range(1, 11):
        world.on_time(at(second * 1000))
    assert 10 <= world.node.parts.controller.log.end_offset - before <= 22


def test_a_full_disk_refuses_the_record_and_halts_the_node(world: World) -> None:
    client = world.connect()
    create(world, client)
    world.disk.free = 0
    answer = world.ask(client, ApiKey.PRODUCE, 9, produce())
    (halt,) = world.on_time(Now(START_MS, world.node.next_deadline_ms()))
    assert (answer.responses[0].partition_responses[0].error_code, isinstance(halt, Halt)) == (
        ErrorCode.KAFKA_STORAGE_ERROR,
        True,
    )


def test_a_topic_that_cannot_be_recorded_halts_the_node(world: World) -> None:
    world.disk.free = 0
    topic = CreatableTopic(name=ORDERS, num_partitions=1, replication_factor=1)
    (halt,) = world.send(world.connect(), ApiKey.CREATE_TOPICS, 7, CreateTopicsRequest(topics=(topic,)))
    assert isinstance(halt, Halt)
    assert "metadata log" in halt.reason


def test_what_follows_a_malformed_request_is_not_served(world: World) -> None:
    client = world.connect()
    create(world, client)
    good = b"".join(bytes(part) for part in encode_request(ApiKey.PRODUCE, 9, 2, "test", produce()))  # type: ignore[arg-type]
    effects = world.node.receive(client, b"\0\0\0\3abc" + good, world.now)
    end = world.node.parts.broker.partitions.get(ORDERS, 0).log.log_end_offset
    assert ([type(effect) for effect in effects], end) == ([Close], 0)


# -- answers that come later, outcomes, and the node as its own peer --------------------------------------------------

OWN = Peer(1, "127.0.0.1", 9093)


def answered_with(world: World, monkeypatch: pytest.MonkeyPatch, result: Any) -> None:
    """Metadata is answered with this, whatever is asked."""
    monkeypatch.setattr(metadata, "handle", lambda request, ctx: result)


def test_a_later_that_is_completed_becomes_the_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    later = Later()
    answered_with(world, monkeypatch, later)
    client = world.connect()
    waiting = world.send(client, ApiKey.METADATA, 12, MetadataRequest())
    later.complete(MetadataResponse(cluster_id="then"))
    (reply,) = world.node.take(world.now)
    assert (waiting, world.read(client, reply, ApiKey.METADATA, 12).cluster_id) == ([], "then")


def test_a_later_that_is_refused_becomes_a_refusal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    later = Later()
    answered_with(world, monkeypatch, later)
    client = world.connect()
    asked = MetadataRequest(topics=(MetadataRequestTopic(name=ORDERS),))
    world.send(client, ApiKey.METADATA, 12, asked)
    later.complete(KafkaError(ErrorCode.NOT_CONTROLLER))
    (reply,) = world.node.take(world.now)
    assert world.read(client, reply, ApiKey.METADATA, 12).topics[0].error_code == ErrorCode.NOT_CONTROLLER


def test_a_later_is_answered_at_its_deadline(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answered_with(world, monkeypatch, Later(at(50).monotonic_ms, lambda now: MetadataResponse(cluster_id="late")))
    client = world.connect()
    world.send(client, ApiKey.METADATA, 12, MetadataRequest())
    (reply,) = [one for one in world.on_time(at(50)) if isinstance(one, Reply)]
    assert world.read(client, reply, ApiKey.METADATA, 12).cluster_id == "late"


def test_requests_behind_one_that_waits_are_served_after_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    later = Later()
    answered_with(world, monkeypatch, later)
    client = world.connect()
    world.send(client, ApiKey.METADATA, 12, MetadataRequest(), number=1)
    behind = world.send(client, ApiKey.API_VERSIONS, 2, ApiVersionsRequest(), number=2)
    later.complete(MetadataResponse())
    first = world.node.take(world.now)
    second = world.node.on_written(client, world.now)
    assert (behind, len(first), len(second)) == ([], 1, 1)


def test_a_fetch_that_waits_keeps_no_request(world: World) -> None:
    client = world.connect()
    create(world, client)
    world.send(client, ApiKey.FETCH, 12, fetch(500))
    assert client.in_progress.request is None


def test_a_part_hears_the_outcome_of_its_request_to_a_peer(world: World) -> None:
    told: list[Any] = []
    ask(world, Peer(2, "127.0.0.1", 9093), DescribeClusterRequest(), told)
    (sent,) = world.node.take(world.now)
    assert isinstance(sent, Send)
    world.node.settle(sent.token, PeerLost("refused"), at(3))
    assert told == [(PeerLost("refused"), at(3))]


def test_a_request_to_the_node_itself_is_served_by_it(world: World) -> None:
    told: list[Any] = []
    ask(world, OWN, DescribeClusterRequest(), told)
    effects = world.node.take(world.now)
    ((answer, _),) = told
    assert (effects, answer.cluster_id) == ([], "4L6g3nShT-eMCtK--X86sw")


def test_a_refused_request_to_the_node_itself_is_answered_as_to_a_peer(world: World) -> None:
    told: list[Any] = []
    ask(world, OWN, DescribeClusterRequest(endpoint_type=9), told)
    world.node.take(world.now)
    ((answer, _),) = told
    assert answer.error_code == ErrorCode.UNSUPPORTED_ENDPOINT_TYPE


def ask(world: World, peer: Peer, request: Any, told: list[Any]) -> None:
    """A part sends a request; what it is told is kept."""
    world.node.outbox.send(
        peer,
        ApiKey.DESCRIBE_CLUSTER,
        request,
        channel="test",
        timeout_ms=1000,
        then=lambda outcome, now: told.append((outcome, now)),
    )


def test_who_comes_in_without_authentication_is_anonymous(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def handle(request: Any, ctx: BrokerContext) -> MetadataResponse:
        seen.append(str(ctx.principal))
        return MetadataResponse()

    monkeypatch.setattr(metadata, "handle", handle)
    world.ask(world.connect(), ApiKey.METADATA, 12, MetadataRequest())
    assert seen == ["User:ANONYMOUS"]


def test_a_controllers_listener_gives_no_access_to_partitions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def handle(request: Any, ctx: Any) -> DescribeClusterResponse:
        seen.append(hasattr(ctx, "partitions"))
        return DescribeClusterResponse()

    monkeypatch.setattr(describe_cluster, "handle", handle)
    world.ask(world.connect("CONTROLLER"), ApiKey.DESCRIBE_CLUSTER, 1, DescribeClusterRequest())
    world.ask(world.connect(), ApiKey.DESCRIBE_CLUSTER, 1, DescribeClusterRequest())
    assert seen == [False, True]
