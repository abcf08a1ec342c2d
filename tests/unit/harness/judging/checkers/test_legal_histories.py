"""A history that a faithful broker can give is never rejected; one edit makes exactly the anomaly that it should."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.history.history import History
from harness.history.operations import Acknowledged, Operation, OpType, PartitionRecords, Polled, Record, Send
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Validity
from harness.workloads.queue import judge
from harness.workloads.synthetic import legal_history

SAFE = Guarantees.of()
SIZE = 200


def broken_by(history: History) -> set[str]:
    """The anomalies that a history holds."""
    return {verdict.checker for verdict in judge(history, SAFE) if verdict.validity is Validity.INVALID}


def with_records(history: History, change: Callable[[Operation, PartitionRecords], tuple[Record, ...]]) -> History:
    """The history with what its polls returned changed."""

    def changed(operation: Operation) -> Operation:
        if not isinstance(operation.value, Polled):
            return operation
        parts = (
            PartitionRecords(part.topic, part.partition, change(operation, part)) for part in operation.value.partitions
        )
        return msgspec.structs.replace(operation, value=Polled(tuple(part for part in parts if part.records)))

    return History(changed(operation) for operation in history)


def acknowledged(history: History) -> list[tuple[Operation, Operation, Send, Acknowledged]]:
    """(invoke, completion, what was sent, where it stands) of each acknowledged send."""
    found = []
    for end in history:
        if isinstance(end.value, Acknowledged) and end.of is not None:
            start = history.operation(end.of)
            assert isinstance(start.value, Send)
            found.append((start, end, start.value, end.value))
    return found


def read_records(history: History) -> set[str]:
    """Values that followers read."""
    return {
        record.value
        for operation in history
        if operation.f == "poll" and isinstance(operation.value, Polled)
        for part in operation.value.partitions
        for record in part.records
    }


def lose(history: History, chance: Random) -> History:
    """An acknowledged record is in no read."""
    victim = chance.choice([send for _, _, send, _ in acknowledged(history)]).value
    return with_records(history, lambda _, part: tuple(each for each in part.records if each.value != victim))


def vanish(history: History, chance: Random) -> History:
    """A record that was read, and whose sender never got an answer, is not in the final read."""
    chosen = chance.choice(sorted(read_records(history)))
    answers = {end.index for _, end, send, _ in acknowledged(history) if send.value == chosen}
    unanswered = History(
        msgspec.structs.replace(operation, value=None, kind=OpType.INFO, error="timed out")
        if operation.index in answers
        else operation
        for operation in history
    )
    return with_records(
        unanswered,
        lambda operation, part: tuple(
            each for each in part.records if each.value != chosen or operation.f != "final_read"
        ),
    )


def corrupt(history: History, chance: Random) -> History:
    """A record has another key in every read."""
    victim = chance.choice([send for _, _, send, _ in acknowledged(history)]).value
    return with_records(
        history,
        lambda _, part: tuple(
            msgspec.structs.replace(each, key="other") if each.value == victim else each for each in part.records
        ),
    )


def invent(history: History, chance: Random) -> History:
    """A record that nobody sent stands where an unanswered or refused offset is free: behind the last."""
    ends = {
        (part.topic, part.partition): part.records[-1].offset
        for operation in history
        if operation.f == "final_read" and isinstance(operation.value, Polled)
        for part in operation.value.partitions
    }
    topic, partition = chance.choice(sorted(ends))
    last = ends[topic, partition]

    def added(operation: Operation, part: PartitionRecords) -> tuple[Record, ...]:
        is_last = (part.topic, part.partition) == (topic, partition) and part.records[-1].offset == last
        return (*part.records, Record(last + 1, "9.9")) if is_last and operation.f == "final_read" else part.records

    return with_records(history, added)


def places(history: History) -> dict[int, list[str]]:
    """Partition → its values in the order of the final read."""
    found: dict[int, list[str]] = {}
    for operation in history:
        if operation.f == "final_read" and isinstance(operation.value, Polled):
            for part in operation.value.partitions:
                found.setdefault(part.partition, []).extend(record.value for record in part.records)
    return found


def acknowledged_far_beyond(history: History, value: str) -> History:
    """The acknowledgement of a value names an offset far beyond the end, so that no other one is next to it."""
    victim, said = next((end, said) for _, end, send, said in acknowledged(history) if send.value == value)
    wrong = Acknowledged(said.partition, said.offset + 1_000_000)
    return History(
        msgspec.structs.replace(operation, value=wrong) if operation.index == victim.index else operation
        for operation in history
    )


def misplace_the_last(history: History, chance: Random) -> History:
    """The last acknowledgement of a partition names a wrong offset, and nothing was written behind it.

    What came behind it without an answer, and was read, is taken out of the history.
    """
    answered = {send.value for _, _, send, _ in acknowledged(history)}
    log = chance.choice([log for log in places(history).values() if answered & set(log)])
    last = max(at for at, value in enumerate(log) if value in answered)
    behind = set(log[last + 1 :])
    cut = with_records(history, lambda _, part: tuple(each for each in part.records if each.value not in behind))
    return acknowledged_far_beyond(cut, log[last])


def misplace_an_early_one(history: History, chance: Random) -> History:
    """An acknowledgement names an offset far beyond the end: by it, what was sent later stands before the record."""
    answered = {send.value for _, _, send, _ in acknowledged(history)}
    log = chance.choice([log for log in places(history).values() if len(answered & set(log)) > 1])
    return acknowledged_far_beyond(history, chance.choice([value for value in log if value in answered][:-1]))


def refuse(history: History, chance: Random) -> History:
    """A record that is in the log was refused for certain."""
    _, victim, _, _ = chance.choice(acknowledged(history))
    return History(
        msgspec.structs.replace(operation, value=None, kind=OpType.FAIL, error="MESSAGE_TOO_LARGE")
        if operation.index == victim.index
        else operation
        for operation in history
    )


def forget_offset(history: History, chance: Random) -> History:
    """An acknowledgement names no offset."""
    _, victim, _, said = chance.choice(acknowledged(history))
    nameless = Acknowledged(said.partition, -1)
    return History(
        msgspec.structs.replace(operation, value=nameless) if operation.index == victim.index else operation
        for operation in history
    )


EDITS = [
    (lose, {"lost-write", "unseen", "lost-before-kept"}, 1),
    (vanish, {"vanished-read"}, 1),
    (corrupt, {"corrupt-record"}, 1),
    (invent, {"corrupt-record"}, 1),
    (misplace_the_last, {"wrong-acknowledged-offset"}, 1),
    (misplace_an_early_one, {"wrong-acknowledged-offset", "realtime-order", "nonmonotonic-send"}, 2),
    (refuse, {"aborted-read"}, 1),
    (forget_offset, {"wrong-acknowledged-offset"}, 1),
]
"""(edit, the anomalies that it may make, how many of them it makes at least)."""


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), sends=st.integers(1, 400))
def test_a_legal_history_is_accepted(seed: int, sends: int) -> None:
    assert not broken_by(legal_history(sends, seed))


@pytest.mark.parametrize(("edit", "expected", "least"), EDITS, ids=lambda part: getattr(part, "__name__", None))
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_one_edit_makes_exactly_its_anomaly(
    edit: Callable[[History, Random], History], expected: set[str], least: int, seed: int
) -> None:
    found = broken_by(edit(legal_history(SIZE, seed), Random(seed)))

    assert found <= expected
    assert len(found) >= least


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_two_records_that_change_places_are_out_of_order(seed: int) -> None:
    history = legal_history(SIZE, seed)
    ends = [found for found in acknowledged(history) if found[2].partition == 0]
    (_, first, one, early), (_, second, other, late) = ends[3], ends[40]
    places = {early.offset: late.offset, late.offset: early.offset}

    def swapped(operation: Operation) -> Operation:
        if operation.index in (first.index, second.index) and isinstance(operation.value, Acknowledged):
            return msgspec.structs.replace(operation, value=Acknowledged(0, places[operation.value.offset]))
        return operation

    def in_place(_: Operation, part: PartitionRecords) -> tuple[Record, ...]:
        moved = (
            msgspec.structs.replace(each, offset=places[each.offset])
            if each.value in (one.value, other.value)
            else each
            for each in part.records
        )
        return tuple(sorted(moved, key=lambda each: each.offset))

    damaged = with_records(History(map(swapped, history)), in_place)

    assert "realtime-order" in broken_by(damaged)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_offsets_may_be_sparse_and_as_large_as_they_come(seed: int) -> None:
    history = legal_history(60, seed)
    far = 1 << 61

    def moved(operation: Operation) -> Operation:
        value = operation.value
        if isinstance(value, Acknowledged):
            return msgspec.structs.replace(operation, value=Acknowledged(value.partition, far + 1000 * value.offset))
        if isinstance(value, Polled):
            parts = (
                PartitionRecords(
                    part.topic,
                    part.partition,
                    tuple(msgspec.structs.replace(each, offset=far + 1000 * each.offset) for each in part.records),
                )
                for part in value.partitions
            )
            return msgspec.structs.replace(operation, value=Polled(tuple(parts)))
        if operation.f == "final_end":
            end = far + 1000 * value.end  # type: ignore[union-attr]
            return msgspec.structs.replace(operation, value=msgspec.structs.replace(value, end=end, reached=end))  # type: ignore[type-var]
        return operation

    assert not broken_by(History(map(moved, history)))
