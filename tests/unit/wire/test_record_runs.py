"""Runs of records that look alike give the same answers as a walk over every record."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_broker.wire import record_scan
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.record_runs import run_after, run_of_all
from reference_broker.wire.record_scan import Scan, scan_records
from reference_broker.wire.records import HEADER_SIZE, Record, encode_batch, encode_record

Outcome = Scan | str

run = st.tuples(
    st.integers(1, 90),
    st.sampled_from([None, b"", b"key", b"k" * 70]),
    st.sampled_from([None, b"", b"\0\0\0", b"value", b"v" * 100]),
    st.sampled_from([(), (("h", b"\0"),)]),
    st.sampled_from([-1, 0, 1, 70]),
)


def payload_of(runs: list[tuple[int, bytes | None, bytes | None, tuple[tuple[str, bytes], ...], int]]) -> bytes:
    records: list[Record] = []
    timestamp = 1_000_000
    for length, key, value, headers, step in runs:
        for _ in range(length):
            timestamp += step
            records.append(Record(len(records), timestamp, key, value, headers))
    return encode_batch(records)[HEADER_SIZE:]


def outcome(scan: Callable[[], Scan]) -> Outcome:
    try:
        return scan()
    except MalformedRequest:
        return "malformed"


def walked(payload: bytes, count: int) -> Outcome:
    """The outcome without looking for runs."""
    record_scan.run_after = record_scan.run_of_all = lambda *_, **__: None  # type: ignore[assignment]
    try:
        return outcome(lambda: scan_records(payload, count, wants_keys=True))
    finally:
        record_scan.run_after, record_scan.run_of_all = run_after, run_of_all


@settings(deadline=None)
@given(st.lists(run, min_size=1, max_size=4))
def test_runs_are_seen_as_the_records_that_they_are(
    runs: list[tuple[int, bytes | None, bytes | None, tuple[tuple[str, bytes], ...], int]],
) -> None:
    payload, count = payload_of(runs), sum(length for length, *_ in runs)
    assert outcome(lambda: scan_records(payload, count, wants_keys=True)) == walked(payload, count)


@settings(deadline=None, max_examples=300)
@given(st.integers(10, 150), st.sampled_from([b"", b"v" * 10, b"\0" * 10]), st.data())
def test_a_changed_byte_in_a_run_is_seen_as_a_walk_sees_it(count: int, value: bytes, data: st.DataObject) -> None:
    changed = bytearray(payload_of([(count, b"k", value, (), 1)]))
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.sampled_from([0, 1, 2, 127, 128, 255]))
    payload = bytes(changed)
    assert outcome(lambda: scan_records(payload, count, wants_keys=True)) == walked(payload, count)


@pytest.mark.parametrize("count", [63, 64, 65, 200, 9000])
def test_runs_go_across_the_widths_of_offsets(count: int) -> None:
    payload = payload_of([(count, None, b"v" * 10, (), 0)])
    scan = scan_records(payload, count)
    assert scan.are_offsets_sequential
    assert (scan.max_timestamp_delta, scan.index_of_max_timestamp) == (0, 0)


def test_a_first_timestamp_delta_of_two_bytes_misleads_nobody() -> None:
    one = [Record(at, 1_000_000 + at, b"\xff" * 20, b"value", ()) for at in range(3)]
    payload = b"".join(encode_record(at, 100 + at, record) for at, record in enumerate(one))
    assert scan_records(payload, 3) == Scan(102, 100, 2, (), are_offsets_sequential=True)


def test_too_few_records_alike_are_no_run() -> None:
    payload = payload_of([(5, None, b"v", (), 0)])
    size = len(payload) // 5
    assert run_after(payload, 0, size, 1, 5) is None
