"""A partition is loaded in slices, and serves in one leader epoch after the other."""

from __future__ import annotations

import pytest
from runtime_in_memory import (
    START,
    LogInMemory,
    NamesShard,
    noting,
    runtime_on,
    write,
)

from reference_broker.coordinator import runtime as runtime_module
from reference_broker.coordinator.runtime import Runtime
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError


def long_log(monkeypatch: pytest.MonkeyPatch, *names: str) -> LogInMemory:
    """A log that is loaded in slices of two records."""
    monkeypatch.setattr(runtime_module, "SLICE_RECORDS", 2)
    log = LogInMemory()
    first = runtime_on(log, 0)
    for name in names:
        write(first, noting(name), START)
    return log


def code_of(runtime: Runtime[NamesShard], partition: int = 0) -> ErrorCode:
    try:
        runtime.shard(partition)
    except KafkaError as error:
        return error.code
    return ErrorCode.NONE


def test_a_long_log_is_loaded_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = runtime_on(long_log(monkeypatch, *"abcde"), 0)
    codes = [(code_of(runtime), runtime.next_deadline_ms())]
    for _ in range(2):
        runtime.on_time(START)
        codes.append((code_of(runtime), runtime.next_deadline_ms()))

    assert codes == [
        (ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, 0),
        (ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, 0),
        (ErrorCode.NONE, 100),
    ]
    assert runtime.shard(0).names == {name: at for at, name in enumerate("abcde")}


def test_one_slice_is_for_all_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    log = long_log(monkeypatch, *"abc")
    log.stored[1], log.ends[1] = list(log.stored[0]), 3
    runtime = runtime_on(log, 0, 1)
    runtime.on_time(START)

    assert (code_of(runtime, 0), code_of(runtime, 1)) == (ErrorCode.NONE, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)


def test_a_load_ends_when_another_broker_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = runtime_on(long_log(monkeypatch, *"abcde"), 0)
    runtime.follow({}, START)

    assert (code_of(runtime), runtime.is_loading) == (ErrorCode.NOT_COORDINATOR, False)


def test_a_load_goes_on_in_a_later_epoch_of_the_same_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = runtime_on(long_log(monkeypatch, *"abcd"), 0)
    runtime.follow({0: 1}, START)
    runtime.on_time(START)

    assert code_of(runtime) is ErrorCode.NONE


def test_an_append_in_an_old_epoch_is_refused_and_taken_back() -> None:
    log = LogInMemory()
    runtime = runtime_on(log, 0)
    log.epochs[0] = 1
    with pytest.raises(KafkaError) as refusal:
        runtime.submit(0, lambda shard: noting("a"), START)

    assert (refusal.value.code, log.stored, runtime.shard(0).names) == (ErrorCode.NOT_COORDINATOR, {}, {})


def test_appends_go_on_in_a_later_epoch() -> None:
    log = LogInMemory()
    runtime = runtime_on(log, 0)
    log.epochs[0] = 1
    runtime.follow({0: 1}, START)
    write(runtime, noting("a"), START)

    assert runtime.shard(0).names == {"a": 0}


def test_a_shard_whose_log_others_have_written_is_loaded_anew() -> None:
    log = LogInMemory()
    runtime, other = runtime_on(log, 0), runtime_on(log, 0)
    write(other, noting("a"), START)
    runtime.follow({0: 1}, START)

    assert runtime.shard(0).names == {"a": 0}
