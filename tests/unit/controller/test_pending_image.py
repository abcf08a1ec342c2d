"""The active controller is ahead of the commit: decisions build on each other, answers wait for the commit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from cluster_in_memory import CONFIG

from reference_broker.controller.controller import Controller
from reference_broker.controller.decision import Decision
from reference_broker.environment import Now
from reference_broker.metadata.image import MetadataImage
from reference_broker.metadata.node_config import NodeConfig
from reference_broker.metadata.publishing import Publisher
from reference_broker.waiting import NEVER_MS, Later
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.begin_transaction_record import BeginTransactionRecord
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import TopicName, Uuid
from reference_broker.wire.refusal import KafkaError

NOW = Now(1_000, 1_000)
OWN, OTHER = 1, 2


@dataclass(frozen=True)
class Batch:
    last_offset: int
    records: Sequence[VersionedRecord]
    epoch: int


class Quorum:
    """A quorum that commits when a test says so."""

    def __init__(self) -> None:
        self.end_offset, self.epoch, self.kraft_version = 0, 0, 1
        self.listeners: list[Any] = []
        self.waiting: list[Batch] = []
        self.error: Exception | None = None

    def append(self, records: Sequence[VersionedRecord], epoch: int, now: Now, must_last: bool = True) -> int:
        if self.error is not None:
            raise self.error
        self.end_offset += len(records)
        self.waiting.append(Batch(self.end_offset - 1, tuple(records), epoch))
        return self.end_offset - 1

    def commit(self, count: int | None = None) -> None:
        batches = self.waiting[:count]
        del self.waiting[: len(batches)]
        for listener in self.listeners:
            listener.on_commit(batches, NOW)

    def lead(self, node_id: int | None) -> None:
        self.epoch += 1
        if node_id != OWN:
            self.end_offset -= sum(len(one.records) for one in self.waiting)
            self.waiting.clear()
        for listener in self.listeners:
            listener.on_leader(node_id, self.epoch, NOW)

    def written(self) -> list[str]:
        return [type(message).__name__ for batch in self.waiting for message, _ in batch.records]


@pytest.fixture
def quorum() -> Quorum:
    return Quorum()


@pytest.fixture
def waiting(quorum: Quorum) -> Controller:
    """A controller that does not lead."""
    publisher = Publisher("C", pytest.fail)
    controller = Controller(
        log=quorum, publisher=publisher, settings=NodeConfig(CONFIG, publisher), random=random.Random(7)
    )
    quorum.listeners += [publisher, controller]
    return controller


@pytest.fixture
def controller(quorum: Quorum, waiting: Controller) -> Controller:
    """A controller that leads, with its first records committed."""
    quorum.lead(OWN)
    quorum.commit()
    return waiting


def topic(name: str) -> VersionedRecord:
    return TopicRecord(name=TopicName(name), topic_id=Uuid(name.encode().ljust(16, b"."))), 0


def create(controller: Controller, name: str) -> Any:
    return controller.submit(lambda image: Decision((topic(name),), f"{name} was created"), NOW)


def names(image: MetadataImage) -> list[str]:
    return [one.name for one in image.topics]


def result(later: Later) -> Any:
    told: list[Any] = []
    later.then(told.append)
    return told[0] if told else None


def test_an_answer_waits_for_the_commit(controller: Controller) -> None:
    assert result(create(controller, "t")) is None


def test_an_answer_is_given_once_its_records_are_committed(quorum: Quorum, controller: Controller) -> None:
    later = create(controller, "t")
    quorum.commit()
    assert result(later) == "t was created"


def test_what_is_committed_is_published_before_the_answer(quorum: Quorum, controller: Controller) -> None:
    seen: list[list[str]] = []
    create(controller, "t").then(lambda _: seen.append(names(controller.image)))
    quorum.commit()
    assert seen == [["t"]]


def test_a_commit_answers_only_those_whose_records_it_holds(quorum: Quorum, controller: Controller) -> None:
    first, second = create(controller, "t"), create(controller, "u")
    quorum.commit(1)
    assert (result(first), result(second)) == ("t was created", None)


def test_a_decision_sees_what_was_decided_before_it(controller: Controller) -> None:
    create(controller, "t")
    seen: list[list[str]] = []
    controller.submit(lambda image: Decision((), seen.append(names(image))), NOW)
    assert seen == [["t"]]


def test_nobody_else_sees_what_is_not_committed(controller: Controller) -> None:
    create(controller, "t")
    assert names(controller.image) == []


def test_an_answer_without_records_waits_for_what_it_was_decided_on(quorum: Quorum, controller: Controller) -> None:
    create(controller, "t")
    told: list[Any] = []
    controller.submit(lambda image: Decision((), "read"), NOW).then(told.append)
    before = list(told)
    quorum.commit()
    assert (before, told) == ([], ["read"])


def test_an_answer_without_records_is_given_at_once_where_all_is_committed(controller: Controller) -> None:
    assert controller.submit(lambda image: Decision((), "read"), NOW) == "read"


def test_once_all_is_committed_the_pending_image_is_the_committed_one(quorum: Quorum, controller: Controller) -> None:
    create(controller, "t")
    quorum.commit()
    assert controller.pending is controller.image


def test_a_decision_that_is_refused_leaves_nothing_behind(quorum: Quorum, controller: Controller) -> None:
    def refuse(image: MetadataImage) -> Decision:
        raise KafkaError(ErrorCode.INVALID_REQUEST)

    with pytest.raises(KafkaError):
        controller.submit(refuse, NOW)
    assert (quorum.waiting, controller.pending is controller.image) == ([], True)


def test_records_that_cannot_be_applied_are_not_appended(quorum: Quorum, controller: Controller) -> None:
    wrong = PartitionChangeRecord(partition_id=0, topic_id=Uuid(b"x" * 16)), 0
    with pytest.raises(KeyError):
        controller.submit(lambda image: Decision((topic("t"), wrong), None), NOW)
    assert (quorum.waiting, names(controller.pending)) == ([], [])


def test_records_that_cannot_be_appended_are_forgotten(quorum: Quorum, controller: Controller) -> None:
    quorum.error = OSError("no space")
    with pytest.raises(OSError, match="no space"):
        create(controller, "t")
    assert names(controller.pending) == []


def test_a_controller_that_does_not_lead_refuses(waiting: Controller) -> None:
    with pytest.raises(KafkaError) as refused:
        create(waiting, "t")
    assert refused.value.code == ErrorCode.NOT_CONTROLLER


def test_a_controller_that_resigns_refuses_those_who_wait(quorum: Quorum, controller: Controller) -> None:
    later = create(controller, "t")
    quorum.lead(OTHER)
    assert result(later).code == ErrorCode.NOT_CONTROLLER


def test_a_controller_that_resigns_drops_what_was_not_committed(quorum: Quorum, controller: Controller) -> None:
    create(controller, "t")
    quorum.lead(None)
    quorum.lead(OWN)
    assert names(controller.pending) == []


def test_a_later_epoch_of_the_own_node_begins_from_the_committed_image(quorum: Quorum, controller: Controller) -> None:
    later = create(controller, "t")
    quorum.waiting.clear()
    quorum.lead(OWN)
    assert (result(later).code, controller.epoch, names(controller.pending)) == (ErrorCode.NOT_CONTROLLER, 2, [])


@pytest.mark.parametrize("timeout_ms", [0, -1])
def test_a_request_without_time_is_refused_and_decides_nothing(controller: Controller, timeout_ms: int) -> None:
    with pytest.raises(KafkaError) as refused:
        controller.submit(lambda image: Decision((topic("t"),), "late"), NOW, timeout_ms=timeout_ms)
    assert (refused.value.code, names(controller.pending)) == (ErrorCode.REQUEST_TIMED_OUT, [])


def test_a_request_that_was_begun_is_waited_for(controller: Controller, quorum: Quorum) -> None:
    later = controller.submit(lambda image: Decision((topic("t"),), "late"), NOW, timeout_ms=500)
    assert (later.deadline_ms, result(later)) == (NEVER_MS, None)
    quorum.commit()
    assert result(later) == "late"


def test_the_first_leader_writes_the_clusters_features(quorum: Quorum, waiting: Controller) -> None:
    quorum.lead(OWN)
    assert quorum.written()[0] == "BeginTransactionRecord"
    assert quorum.written()[-1] == "EndTransactionRecord"


def test_a_new_leader_aborts_a_transaction_that_its_predecessor_left_open(
    quorum: Quorum, controller: Controller
) -> None:
    quorum.append(((BeginTransactionRecord(name="x"), 0), topic("t")), 1, NOW)
    quorum.commit()
    quorum.lead(OTHER)
    quorum.lead(OWN)
    assert quorum.written() == ["AbortTransactionRecord"]


def test_a_controller_that_does_not_lead_writes_no_no_ops(quorum: Quorum, controller: Controller) -> None:
    quorum.lead(OTHER)
    controller.on_time(Now(0, 1 << 40))
    assert quorum.waiting == []
