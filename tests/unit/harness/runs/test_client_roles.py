"""Producers, consumers and the final read: what they do and what they write down."""

from __future__ import annotations

import pytest

from harness.clients.client import ClientTrouble, Delivery
from harness.history.operations import (
    Assigned,
    Commit,
    FinalEnd,
    OpType,
    Polled,
    ProducerIdentity,
    Retries,
    Revoked,
    Seek,
    Send,
)
from harness.history.processes import process_name
from harness.hosts.executor import finished
from harness.judging.checkers.send_order import nonmonotonic_send
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Validity
from harness.runs import reader
from harness.runs.consumer import ConsumerRole
from harness.runs.producer import ProducerRole
from harness.runs.reader import ReaderRole
from harness.runs.waits import Waits
from harness.workloads.queue import Queue
from harness.workloads.synthetic import Script
from tests.unit.harness.runs.conftest import SUBSCRIBED, FakeConsumer, FakeProducer, Stage, record

GROUP = Queue(topic="t", partitions=2, client=SUBSCRIBED)
GIVEN = Assigned("t-group-0", (("t", 0),), 3, "m")


def consume(stage: Stage, queue: Queue, for_s: float) -> None:
    context = stage.set_up(queue)
    context.consuming_ends.at_s = for_s  # type: ignore[attr-defined]
    finished(ConsumerRole(context, 1).work())


def test_a_consumer_without_a_group_says_what_it_reads_and_from_where(stage: Stage) -> None:
    stage.library.consumers = [FakeConsumer(stage.executor, [[record(0)]])]

    consume(stage, Queue(topic="t", partitions=2), 0.1)

    first = stage.history().operations[0]
    assert (first.f, first.value.partitions) == ("assign", (("t", 0, -2), ("t", 1, -2)))  # type: ignore[union-attr]


def test_a_poll_is_written_when_it_begins_and_with_what_it_returned(stage: Stage) -> None:
    stage.library.consumers = [FakeConsumer(stage.executor, [[record(0), record(4, 1), record(1)]])]

    consume(stage, Queue(topic="t", partitions=2), 0.1)

    begun, done = stage.history().operations[2:4]
    assert (begun.kind, done.kind, done.of) == (OpType.INVOKE, OpType.OK, begun.index)
    assert isinstance(done.value, Polled)
    assert [[each.offset for each in part.records] for part in done.value.partitions] == [[0, 1], [4]]


def test_a_member_commits_what_a_poll_returned(stage: Stage) -> None:
    member = FakeConsumer(stage.executor, [[], [record(0), record(1)]], {0: [GIVEN]})
    stage.library.consumers = [member]

    consume(stage, GROUP, 0.5)

    assert member.commits == [{("t", 0): 2}]
    assert [each.value for each in stage.history() if each.f == "commit" and each.of is None] == [
        Commit("t-group-0", (("t", 0, 2),))
    ]


def test_a_member_does_not_commit_what_was_taken_from_it_meanwhile(stage: Stage) -> None:
    taken = Revoked("t-group-0", (("t", 0),))
    member = FakeConsumer(stage.executor, [[], [record(0)]], {0: [GIVEN], 1: [taken]})
    stage.library.consumers = [member]

    consume(stage, GROUP, 0.5)

    assert member.commits == []


def test_what_the_group_gives_and_takes_is_written_down(stage: Stage) -> None:
    taken = Revoked("t-group-0", (("t", 0),), 3, "m")
    stage.library.consumers = [FakeConsumer(stage.executor, [], {0: [GIVEN], 1: [taken]})]

    consume(stage, GROUP, 0.5)

    told = {each.f: each.value for each in stage.history() if each.f in ("assigned", "revoked")}
    assert told == {"assigned": GIVEN, "revoked": taken}


def test_a_commit_that_fails_is_noted_and_the_member_goes_on(stage: Stage) -> None:
    member = FakeConsumer(stage.executor, [[record(0)], [record(1)]], {0: [GIVEN]}, refuses_commits=True)
    stage.library.consumers = [member]

    consume(stage, GROUP, 0.4)

    assert stage.lines().count("info commit") == 2


def test_after_trouble_a_fresh_client_goes_on(stage: Stage) -> None:
    broken = FakeConsumer(stage.executor, [ClientTrouble("gone")])
    stage.library.consumers = [broken, ClientTrouble("still gone"), FakeConsumer(stage.executor, [[record(0)]])]

    consume(stage, Queue(topic="t"), 0.7)

    assert broken.is_closed
    assert stage.lines().count("invoke assign") == 2


def test_a_member_that_is_to_come_back_leaves_and_joins_anew(stage: Stage) -> None:
    members = [FakeConsumer(stage.executor, []) for _ in range(100)]
    stage.library.consumers = list(members)

    consume(stage, Queue(topic="t", client=SUBSCRIBED, rejoin_s=2.0), 20)

    assert 3 < sum(member.is_closed for member in members) < 40


def test_a_consumer_that_is_to_seek_goes_back_to_an_offset_that_it_has_read(stage: Stage) -> None:
    consumer = FakeConsumer(stage.executor, [[], [record(3), record(4), record(5)]])
    stage.library.consumers = [consumer]

    consume(stage, Queue(topic="t", seek_s=1.0), 30)

    assert len(consumer.seeks) > 5
    assert {offset for _, _, offset in consumer.seeks} == {3, 4, 5}
    assert [each.value for each in stage.history() if each.f == "seek" and each.of is None] == [
        Seek(*seek) for seek in consumer.seeks
    ]


def test_a_member_of_a_group_does_not_seek(stage: Stage) -> None:
    member = FakeConsumer(stage.executor, [[record(0)]], {0: [GIVEN]})
    stage.library.consumers = [member]

    consume(stage, Queue(topic="t", client=SUBSCRIBED, seek_s=1.0), 30)

    assert member.seeks == []


def produce(stage: Stage, *producers: FakeProducer | Exception, for_s: float) -> None:
    stage.library.producers = list(producers)
    context = stage.set_up(Queue(topic="t", rate=10))
    context.producing_ends.at_s = for_s  # type: ignore[attr-defined]
    finished(ProducerRole(context, 1).work())


def test_sends_are_spread_evenly(stage: Stage) -> None:
    produce(stage, FakeProducer([Delivery(outcome=OpType.OK, partition=0, offset=n) for n in range(9)]), for_s=0.35)

    sent = [each.time_ns / 1e9 for each in stage.history() if each.kind is OpType.INVOKE]
    assert sent == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_an_unknown_end_is_written_with_its_error(stage: Stage) -> None:
    produce(stage, FakeProducer([Delivery(outcome=OpType.INFO, error="TIMED_OUT")]), for_s=0.05)

    end = stage.history().operations[-1]
    assert (end.kind, end.value, end.error, end.of) == (OpType.INFO, None, "TIMED_OUT", 0)


def test_a_new_producer_id_is_written_before_what_it_wrote(stage: Stage) -> None:
    ids = [None, ProducerIdentity(7, 0), ProducerIdentity(7, 0), ProducerIdentity(7, 1)]
    answers = [Delivery(outcome=OpType.OK, partition=0, offset=n) for n in range(2)]

    produce(stage, FakeProducer(answers, list(ids)), for_s=0.15)

    assert stage.lines() == [
        "invoke send",
        "ok producer_id",
        "ok send",
        "invoke send",
        "ok producer_id",
        "ok send",
    ]


def test_a_producer_says_how_many_records_it_sent_again(stage: Stage) -> None:
    produce(stage, FakeProducer([Delivery(outcome=OpType.OK, partition=0, offset=0)], retried=4), for_s=0.05)

    assert stage.history().operations[-1].value == Retries(4)


def test_after_a_fatal_error_another_process_goes_on_with_a_new_client(stage: Stage) -> None:
    broken = FakeProducer([Delivery(outcome=OpType.INFO, error="FATAL")], [ProducerIdentity(7, 0)], breaks=True)
    fresh = FakeProducer([Delivery(outcome=OpType.OK, partition=0, offset=0)], [ProducerIdentity(8, 0)])

    produce(stage, broken, fresh, for_s=0.15)

    assert broken.is_closed
    assert [(each.process, f"{each.kind} {each.f}") for each in stage.history()] == [
        ("producer 1", "ok producer_id"),
        ("producer 1", "invoke send"),
        ("producer 1", "info send"),
        ("producer 1", "ok retired"),
        ("producer 1 client 2", "ok producer_id"),
        ("producer 1 client 2", "invoke send"),
        ("producer 1 client 2", "ok send"),
    ]


def test_a_value_is_sent_once_whichever_client_sends_it(stage: Stage) -> None:
    gone = Delivery(outcome=OpType.INFO, error="FATAL")

    produce(stage, FakeProducer([gone], breaks=True), FakeProducer([gone] * 3), for_s=0.35)

    sent = [each.value.value for each in stage.history() if isinstance(each.value, Send)]
    assert sent == ["1.1", "1.2", "1.3", "1.4"]


def test_a_new_client_is_asked_for_until_there_is_one(stage: Stage) -> None:
    broken = FakeProducer([Delivery(outcome=OpType.INFO, error="FATAL")], breaks=True)
    fresh = FakeProducer([Delivery(outcome=OpType.OK, partition=0, offset=n) for n in range(9)])

    produce(stage, broken, ClientTrouble("no broker"), OSError("none yet"), fresh, for_s=0.55)

    assert stage.lines().count("info open") == 2
    assert {each.process for each in stage.history() if each.kind is OpType.OK and each.f == "send"} == {
        "producer 1 client 4"
    }


def test_order_is_not_judged_across_two_clients_of_a_producer() -> None:
    script = Script()
    early = script.invoke("1.1")
    late = script.invoke("1.2", process=process_name("producer 1", 2))
    script.ok(late, 0)
    script.ok(early, 1)

    assert nonmonotonic_send(script.history(), Guarantees.of()).validity is Validity.VALID


class FakeLeaders:
    """Tells the high watermarks that it is given, the last one for ever."""

    ends: tuple[int, ...] = ()

    def __init__(self, *words: object) -> None:
        self._ends = list(FakeLeaders.ends)

    async def offsets(self, topic: str, partition: int) -> tuple[int, int]:
        return 0, self._ends.pop(0) if len(self._ends) > 1 else self._ends[0]

    def forget(self) -> None:
        return None


def read_finally(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    *consumers: FakeConsumer,
    ends: tuple[int, ...],
    acknowledged: int = 0,
) -> FinalEnd:
    monkeypatch.setattr(reader, "Leaders", FakeLeaders)
    FakeLeaders.ends = ends
    stage.library.consumers = list(consumers)
    context = stage.set_up(Queue(topic="t", partitions=1))
    context.acknowledged_ends[0] = acknowledged
    finished(ReaderRole(context).work())
    end = stage.history().operations[-1].value
    assert isinstance(end, FinalEnd)
    return end


def test_the_final_read_goes_to_a_fixed_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = FakeConsumer(stage.executor, [[record(0)], [record(1), record(2)], [record(3)]])

    assert read_finally(stage, monkeypatch, consumer, ends=(3,)) == FinalEnd("t", 0, 0, 3, 3)
    assert len(consumer.polls) == 1


def test_a_high_watermark_below_what_was_acknowledged_is_given_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = FakeConsumer(stage.executor, [[record(0), record(1)]])

    assert read_finally(stage, monkeypatch, consumer, ends=(1, 1, 2), acknowledged=2).end == 2


def test_a_high_watermark_that_stays_below_is_taken_in_the_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = FakeConsumer(stage.executor, [[record(0)]])

    assert read_finally(stage, monkeypatch, consumer, ends=(1,), acknowledged=2).end == 1


def test_after_trouble_the_final_read_begins_anew(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = FakeConsumer(stage.executor, [[record(0)], ClientTrouble("gone")])
    whole = FakeConsumer(stage.executor, [[record(0), record(1)]])

    assert read_finally(stage, monkeypatch, broken, whole, ends=(2,)).is_whole
    assert broken.is_closed


def test_markers_at_the_end_are_passed_by_the_position(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = FakeConsumer(stage.executor, [[record(0)]], next_position=2)

    assert read_finally(stage, monkeypatch, consumer, ends=(2,)).is_whole


def test_a_final_read_that_does_not_reach_the_end_says_how_far_it_came(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = FakeConsumer(stage.executor, [[record(0)]])

    assert read_finally(stage, monkeypatch, consumer, ends=(5,)) == FinalEnd("t", 0, 0, 5, 1)


def test_every_bound_outlasts_what_it_waits_for() -> None:
    waits = Waits()

    assert waits.delivery_s < waits.flush_s < waits.producer_end_s
    assert waits.delivery_s < waits.catch_up_s
    assert waits.final_read_s(1_000_000) > waits.final_read_s(0) > waits.delivery_s
