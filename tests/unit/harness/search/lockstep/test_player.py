"""What a player makes of a sequence's labels and Refs, and of answers."""

from __future__ import annotations

from typing import Any, cast

import pytest

from harness.comparing.observation import RequestOutcome
from harness.search.lockstep import player as module
from harness.search.lockstep.actions import Kind, Ref, Request, WrittenBatch
from harness.search.lockstep.clusters import Opened
from harness.search.lockstep.player import LONGEST_NAME, UNLEARNED, Player
from harness.targets.target import Cluster, Target, TargetKind
from reference_broker.wire.framing import encode_response
from reference_broker.wire.messages.delete_records_request import DeleteRecordsRequest, DeleteRecordsTopic
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.heartbeat_response import HeartbeatResponse
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.messages.init_producer_id_response import InitProducerIdResponse
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import GroupId, ProducerId, TopicName, TransactionalId

PRODUCER = Ref(Kind.PRODUCER_ID, "p0")
NEW_PRODUCER = Request(
    message=InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=1),
    version=4,
    learns=(("producer_id", PRODUCER),),
)


class FakeConnection:
    """Sends into a list; answers what lies ready."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.answers: list[Any] = []
        self.is_closed = False
        self.more = b""
        self._asked: tuple[int, int] = (0, 0)

    def send_only(self, key: int, version: int, message: Any) -> None:
        self.sent.append(message)
        self._asked = key, version

    def has_answer(self, within_s: float) -> bool:
        return bool(self.answers)

    def receive_frame(self, timeout_s: float) -> bytes:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        frame = b"".join(map(bytes, encode_response(*self._asked, 1, answer)))  # type: ignore[arg-type]
        return frame[4:] + self.more

    def close(self) -> None:
        self.is_closed = True


class FakeTarget:
    kind = TargetKind.KAFKA


class FakeCluster:
    bootstrap = "127.0.0.1:1"
    nodes = ()


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> FakeConnection:
    fake = FakeConnection()
    monkeypatch.setattr(module.RawConnection, "to", lambda *words, **more: fake)
    return fake


@pytest.fixture
def player() -> Player:
    found = Player(Opened("fake", cast(Target, FakeTarget()), cast(Cluster, FakeCluster())))
    found.begin("run")
    return found


def beat(group: str = "workers") -> Request:
    return Request(message=HeartbeatRequest(group_id=GroupId(group)), version=4)


def test_names_of_topics_and_groups_are_made_unique(player: Player, connection: FakeConnection) -> None:
    player.send(beat())

    assert connection.sent[0].group_id == "run-workers"


def test_names_that_nothing_may_have_stay(player: Player) -> None:
    odd = ["", ".", "..", "__consumer_offsets", "x" * (LONGEST_NAME + 1)]

    assert [player.real(name) for name in odd] == odd


def test_a_longest_name_stays_a_legal_one(player: Player) -> None:
    assert len(player.real("x" * LONGEST_NAME)) == LONGEST_NAME


def test_a_name_in_a_field_of_no_kind_is_given_by_a_ref(player: Player, connection: FakeConnection) -> None:
    name: Any = Ref(Kind.NAME, "orders")
    wanted = DescribeConfigsResource(resource_type=2, resource_name=name)
    player.send(Request(message=DescribeConfigsRequest(resources=(wanted,)), version=4))

    assert connection.sent[0].resources[0].resource_name == "run-orders"


def test_what_nobody_told_has_a_value_of_its_own(player: Player, connection: FakeConnection) -> None:
    topic_id: Any = Ref(Kind.TOPIC_ID, "orders")
    topics = (MetadataRequestTopic(topic_id=topic_id, name=None),)
    player.send(Request(message=MetadataRequest(topics=topics), version=12))

    assert connection.sent[0].topics[0].topic_id == UNLEARNED[Kind.TOPIC_ID]


def produced_by(producer: Ref) -> Request:
    batch: Any = WrittenBatch(producer_id=producer, producer_epoch=0, base_sequence=0)
    part = PartitionProduceData(index=0, records=batch)
    topic = TopicProduceData(name=TopicName("orders"), partition_data=(part,))
    return Request(message=ProduceRequest(topic_data=(topic,), acks=-1, timeout_ms=1), version=9)


def test_what_an_answer_told_stands_in_later_requests(player: Player, connection: FakeConnection) -> None:
    connection.answers.append(InitProducerIdResponse(producer_id=ProducerId(4711)))
    player.play(NEW_PRODUCER)
    player.send(produced_by(PRODUCER))

    records = bytes(connection.sent[1].topic_data[0].partition_data[0].records)
    assert int.from_bytes(records[43:51], "big") == 4711


def test_a_new_sequence_knows_nothing_of_the_last(player: Player, connection: FakeConnection) -> None:
    connection.answers.append(InitProducerIdResponse(producer_id=ProducerId(4711)))
    player.play(NEW_PRODUCER)
    player.begin("next")
    player.send(produced_by(PRODUCER))

    records = bytes(connection.sent[1].topic_data[0].partition_data[0].records)
    assert int.from_bytes(records[43:51], "big") == UNLEARNED[Kind.PRODUCER_ID]


def test_answers_have_the_sequence_s_own_names(player: Player, connection: FakeConnection) -> None:
    connection.answers.append(HeartbeatResponse(error_code=25))
    observation = player.play(beat()).observation

    assert (observation.outcome, observation.answer) == (
        RequestOutcome.ANSWERED,
        {"throttle_time_ms": 0, "error_code": 25},
    )
    assert observation.request == "HeartbeatRequest(group_id='workers')"


def test_a_closed_connection_is_an_outcome(player: Player, connection: FakeConnection) -> None:
    connection.answers.append(ConnectionResetError("closed"))

    assert player.play(beat()).observation.outcome is RequestOutcome.CLOSED
    assert connection.is_closed


def test_no_answer_is_an_outcome(player: Player, connection: FakeConnection) -> None:
    connection.answers.append(TimeoutError())

    assert player.play(beat()).observation.outcome is RequestOutcome.SILENT


def test_bytes_behind_an_answer_are_seen(player: Player, connection: FakeConnection) -> None:
    connection.answers.append(HeartbeatResponse())
    connection.more = b"\0"

    assert "cannot be read" in player.play(beat()).encoding


def test_a_client_waits_until_its_answer_is_heard(player: Player, connection: FakeConnection) -> None:
    player.send(beat())
    connection.answers.append(HeartbeatResponse())

    assert player.is_waiting(0)
    player.hear(0)
    assert not player.is_waiting(0)


def test_a_label_in_a_transactional_id_is_unique_too(player: Player, connection: FakeConnection) -> None:
    message = InitProducerIdRequest(transactional_id=TransactionalId("pay"), transaction_timeout_ms=1)
    player.send(Request(message=message, version=4))

    assert connection.sent[0].transactional_id == "run-pay"


def test_topics_inside_arrays_are_labels(player: Player, connection: FakeConnection) -> None:
    topics = (DeleteRecordsTopic(name=TopicName("a")), DeleteRecordsTopic(name=TopicName("b")))
    player.send(Request(message=DeleteRecordsRequest(topics=topics), version=2))

    assert [one.name for one in connection.sent[0].topics] == ["run-a", "run-b"]
