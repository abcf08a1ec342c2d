"""What waits for the commit: answers, readers, decisions that must be settled."""

from __future__ import annotations

from typing import Any

from runtime_in_memory import (
    CONFIG,
    START,
    Fates,
    LogInMemory,
    NamesShard,
    answers_of,
    noting,
    runtime_on,
    write,
)

from reference_broker.coordinator.runtime import Part, Runtime
from reference_broker.coordinator.shard import (
    Decision,
)
from reference_broker.environment import Now
from reference_broker.wire.errors import ErrorCode


def test_an_answer_that_waits_too_long_says_that_the_coordinator_is_not_available() -> None:
    log = LogInMemory(is_held=True)
    answer = runtime_on(log, 0).submit(0, lambda shard: noting("a", response="done"), START)
    answer.expire(Now(0, answer.deadline_ms))

    assert answer.deadline_ms == CONFIG.number("offsets.commit.timeout.ms")
    assert [error.code for error in answers_of(answer)] == [ErrorCode.COORDINATOR_NOT_AVAILABLE]


def test_settle_is_told_once_when_it_takes_too_long() -> None:
    fates = Fates()
    log = LogInMemory(is_held=True)
    runtime = runtime_on(log, 0)
    write(runtime, noting("a", settle=fates.settle), START)
    runtime.on_time(Now(0, CONFIG.number("offsets.commit.timeout.ms")))
    log.commit(dict(log.ends))

    assert fates.told == [ErrorCode.COORDINATOR_NOT_AVAILABLE]


def test_settle_is_told_when_another_broker_leads_and_writes_nothing_then() -> None:
    told: list[ErrorCode] = []
    log = LogInMemory(is_held=True)
    runtime = runtime_on(log, 0)

    def settle(code: ErrorCode, now: Now) -> Decision:
        told.append(code)
        return noting("b")

    write(runtime, noting("a", settle=settle), START)
    runtime.follow({}, START)
    runtime.follow({0: 1}, START)
    log.commit({0: 1})

    assert (told, log.ends) == ([ErrorCode.NOT_COORDINATOR], {0: 1})


def test_a_commit_that_is_told_late_means_nothing_to_the_next_shard() -> None:
    log = LogInMemory(is_held=True)
    runtime = runtime_on(log, 0)
    write(runtime, noting("a"), START)
    runtime.follow({}, START)
    runtime.follow({0: 1}, START)
    answer = runtime.submit(0, lambda shard: noting("b", response="done"), START)
    log.commit({0: 1})

    assert answers_of(answer) == []


def read(runtime: Runtime[NamesShard]) -> Any:
    part: Part[NamesShard] = Part(
        0, lambda shard: Decision(response=sorted(shard.names)), lambda error: [], is_read=True
    )
    return runtime.submit_all([part], lambda found: found[0], START)


def test_readers_see_what_is_committed() -> None:
    log = LogInMemory(is_held=True)
    runtime = runtime_on(log, 0)
    write(runtime, noting("a"), START)
    write(runtime, noting("b"), START)
    before = read(runtime)
    log.commit({0: 1})

    assert (before, read(runtime)) == ([], ["a"])


def test_readers_wait_until_a_new_leader_knows_that_what_it_loaded_is_committed() -> None:
    log = LogInMemory()
    write(runtime_on(log, 0), noting("a"), START)
    log.watermarks = {}
    answer = read(runtime_on(log, 0))
    before = answers_of(answer)
    log.commit({0: 1})

    assert (before, answers_of(answer)) == ([], [["a"]])
