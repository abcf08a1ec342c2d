"""The state machine under controller and coordinators: ahead of the commit, and back from there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from reference_broker.environment import Now
from reference_broker.state_machine.machine import StateMachine
from reference_broker.waiting import Later
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError

NOW = Now(0, 0)
RESIGNED = KafkaError(ErrorCode.NOT_COORDINATOR)


@dataclass(frozen=True)
class Words:
    records: tuple[str, ...]
    is_awaited: bool = True


@dataclass
class Sentence:
    """A state whose records are words; it does not know the word "wrong"."""

    text: tuple[str, ...] = ()

    def replay(self, entry: Words, first_offset: int, epoch: int) -> None:
        for word in entry.records:
            if word == "wrong":
                raise KeyError(word)
            self.text += (word,)

    def mark(self) -> tuple[str, ...]:
        return self.text

    def restore(self, mark: tuple[str, ...]) -> None:
        self.text = mark


@dataclass
class LogOfWords:
    stored: list[str] = field(default_factory=list)
    epoch: int = 3

    @property
    def end_offset(self) -> int:
        return len(self.stored)

    def append(self, entry: Words, epoch: int, now: Now) -> int:
        if epoch != self.epoch:
            raise KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        self.stored += entry.records
        return len(self.stored) - 1


@pytest.fixture
def log() -> LogOfWords:
    return LogOfWords()


@pytest.fixture
def machine(log: LogOfWords) -> StateMachine[Sentence, Words]:
    return StateMachine(Sentence(), log, epoch=3, committed_offset=-1)


Machine = StateMachine[Sentence, Words]


def say(machine: Machine, *words: str, **options: Any) -> None:
    machine.append(Words(words, **options), NOW)


def seen(machine: Machine) -> Any:
    return machine.read(lambda state: state.text)


def told(answer: Any) -> list[Any]:
    assert isinstance(answer, Later)
    found: list[Any] = []
    if answer.is_done:
        answer.then(found.append)
    return found


def test_decisions_build_on_what_is_not_committed(machine: Machine) -> None:
    say(machine, "a")
    say(machine, "b")
    assert machine.state.text == ("a", "b")


def test_readers_see_what_is_committed(machine: Machine) -> None:
    say(machine, "a")
    say(machine, "b", "c")
    say(machine, "d")
    machine.on_committed(0, NOW)
    before = seen(machine)
    machine.on_committed(2, NOW)
    assert (before, seen(machine), machine.state.text) == (("a",), ("a", "b", "c"), ("a", "b", "c", "d"))


def test_an_entry_is_seen_whole_or_not_at_all(machine: Machine) -> None:
    say(machine, "a", "b")
    machine.on_committed(0, NOW)
    assert seen(machine) == ()


def test_a_reader_that_fails_leaves_the_state_as_it_is(machine: Machine) -> None:
    say(machine, "a")
    with pytest.raises(KafkaError):
        machine.read(lambda state: (_ for _ in ()).throw(RESIGNED))
    assert machine.state.text == ("a",)


def test_what_cannot_be_replayed_is_not_appended(machine: Machine, log: LogOfWords) -> None:
    with pytest.raises(KeyError):
        say(machine, "a", "wrong")
    assert (machine.state.text, log.stored) == ((), [])


def test_what_cannot_be_appended_is_taken_back(machine: Machine, log: LogOfWords) -> None:
    log.epoch = 4
    with pytest.raises(KafkaError):
        say(machine, "a")
    assert (machine.state.text, machine.is_committed) == ((), True)


def test_an_answer_waits_for_all_that_was_decided_before_it(machine: Machine) -> None:
    say(machine, "a")
    say(machine, "b")
    answer = machine.answer("done", NOW)
    machine.on_committed(0, NOW)
    before = told(answer)
    machine.on_committed(1, NOW)
    assert (before, told(answer)) == ([], ["done"])


def test_nobody_waits_for_an_entry_that_may_be_lost(machine: Machine) -> None:
    say(machine, "a", is_awaited=False)
    assert machine.answer("done", NOW) == "done"


def test_an_answer_has_a_deadline(machine: Machine) -> None:
    say(machine, "a")
    answer = machine.answer("done", NOW, deadline_ms=5, late=KafkaError(ErrorCode.REQUEST_TIMED_OUT))
    answer.expire(Now(0, 5))
    assert [error.code for error in told(answer)] == [ErrorCode.REQUEST_TIMED_OUT]


def test_a_leader_that_resigns_goes_back_and_refuses_those_who_wait(machine: Machine) -> None:
    say(machine, "a")
    machine.on_committed(0, NOW)
    say(machine, "b")
    answer = machine.answer("done", NOW)
    machine.resign(RESIGNED, NOW)
    assert (machine.state.text, told(answer)) == (("a",), [RESIGNED])


def test_what_is_loaded_beyond_the_commit_counts_for_decisions_and_not_for_readers(machine: Machine) -> None:
    machine.on_committed(0, NOW)
    machine.load(Words(("a",)), 0, 0)
    machine.load(Words(("b",)), 1, 1)
    assert (machine.state.text, seen(machine), machine.is_committed) == (("a", "b"), ("a",), False)
