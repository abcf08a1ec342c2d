"""The model of a compacted log: whatever compaction may leave is allowed, and each single edit of it is not."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model.compaction import CompactedLog, LogRecord, Reading

NOW = 1_700_000_000_000
RETENTION_MS = 1_000
LATE = NOW + 10_000_000
"""When every tombstone may have gone."""


def reading(records: list[LogRecord], end: int, *, at_ms: int = NOW, start: int = 0) -> Reading:
    return Reading(began_ms=at_ms, ended_ms=at_ms, end=end, records=records, start=start)


def log_of(*pairs: tuple[str, str | None], closed: int, lag_ms: int = 0) -> CompactedLog:
    """A log with one record a millisecond, of which the first `closed` are in closed segments since NOW."""
    log = CompactedLog(delete_retention_ms=RETENTION_MS, min_compaction_lag_ms=lag_ms)
    log.append(
        [
            LogRecord(at, NOW + at, key.encode(), None if value is None else value.encode(), (("h", b"1"),))
            for at, (key, value) in enumerate(pairs)
        ]
    )
    log.close_below(closed, NOW)
    return log


def without(log: CompactedLog, *offsets: int) -> list[LogRecord]:
    return [record for offset, record in log.written.items() if offset not in offsets]


def test_what_was_written_later_with_the_same_key_may_be_all_that_is_left() -> None:
    log = log_of(("a", "1"), ("b", "1"), ("a", "2"), ("a", "3"), closed=3)

    assert log.judge(reading(without(log, 0), 4)) == []
    assert log.kept(3) == without(log, 0)


def test_the_last_of_a_key_must_be_there() -> None:
    log = log_of(("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"), closed=3)

    (line,) = log.judge(reading(without(log, 1), 4))

    assert "offset 1, b'b' = b'1'" in line
    assert "the last of its key" in line


def test_a_record_of_the_active_segment_takes_the_place_of_none() -> None:
    log = log_of(("a", "1"), ("b", "1"), ("a", "2"), closed=2)

    (line,) = log.judge(reading(without(log, 0), 3))

    assert "the last of its key below what cannot be compacted yet" in line


def test_the_active_segment_is_whole() -> None:
    log = log_of(("a", "1"), ("a", "2"), ("a", "3"), closed=1)

    (line,) = log.judge(reading(without(log, 1), 3))

    assert "in the segment that is written to" in line


@pytest.mark.parametrize(("after_ms", "is_wrong"), [(1_001, True), (2_000, True), (2_003, False)])
def test_what_is_young_stays(after_ms: int, is_wrong: bool) -> None:
    log = log_of(("a", "1"), ("b", "1"), ("a", "2"), ("z", "1"), closed=3, lag_ms=2_000)

    found = log.judge(reading(without(log, 0), 4, at_ms=NOW + after_ms))

    assert bool(found) is is_wrong


@pytest.mark.parametrize(("after_ms", "is_wrong"), [(0, True), (RETENTION_MS - 1, True), (RETENTION_MS, False)])
def test_a_tombstone_stays_for_its_time(after_ms: int, is_wrong: bool) -> None:
    log = log_of(("a", "1"), ("a", None), ("z", "1"), closed=2)

    found = log.judge(reading(without(log, 0, 1), 3, at_ms=NOW + after_ms))

    assert [("a tombstone" in line) for line in found] == [True] * is_wrong


def test_a_tombstone_of_which_the_key_was_written_again_may_go() -> None:
    log = log_of(("a", None), ("a", "1"), ("z", "1"), closed=2)

    assert log.judge(reading(without(log, 0), 3)) == []


def test_what_was_gone_does_not_come_back_on_one_replica() -> None:
    log = log_of(("a", "1"), ("a", "2"), ("z", "1"), closed=2)
    log.judge(reading(without(log, 0), 3))

    assert log.judge(reading(without(log), 3)) == ["offset 0 was gone, and is there again"]
    log.is_one_copy = False
    assert log.judge(reading(without(log), 3)) == []


def test_what_lies_below_the_start_of_the_log_is_nobodys_loss() -> None:
    log = log_of(("a", "1"), ("b", "1"), ("z", "1"), closed=2)

    assert log.judge(reading(without(log, 0), 3, start=1)) == []
    assert log.judge(reading(without(log), 3, start=1)) == ["offset 0 is read, and the log starts at 1"]


def test_what_was_written_after_the_reading_began_need_not_be_read() -> None:
    log = log_of(("a", "1"), ("b", "1"), closed=0)

    assert log.judge(reading(without(log, 1), 1)) == []


def test_only_what_is_behind_the_end_is_appended() -> None:
    log = log_of(("a", "1"), closed=0)

    with pytest.raises(ValueError, match="offset 0 is acknowledged behind 1"):
        log.append([LogRecord(0, NOW, b"a", b"2")])


WRITES = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=40)
EDITS = ("lost", "timestamp", "value", "headers", "key", "swapped", "doubled", "made up", "moved")


def edited(records: list[LogRecord], kind: str, chance: Random, log: CompactedLog) -> list[LogRecord]:
    """The records of a legal reading with one edit, which no compaction makes."""
    at = chance.randrange(len(records))
    one = records[at]
    before, after = records[:at], records[at + 1 :]
    match kind:
        case "lost":
            last = max(offset for offset, record in log.written.items() if record.value is not None)
            return [record for record in records if record.offset != last]
        case "timestamp":
            return [*before, one._replace(timestamp=one.timestamp + 1), *after]
        case "value":
            return [*before, one._replace(value=b"other"), *after]
        case "headers":
            return [*before, one._replace(headers=()), *after]
        case "key":
            return [*before, one._replace(key=b"other"), *after]
        case "swapped":
            return records[::-1] if len(records) > 1 else [one, one]
        case "doubled":
            return [*before, one, one, *after]
        case "made up":
            return [*records, LogRecord(log.end + 5, NOW, b"a", b"1")]
        case _:
            return [*before, one._replace(offset=one.offset + 1000), *after]


@settings(max_examples=150, deadline=None)
@given(WRITES, st.data())
def test_any_legal_reading_holds_and_no_edit_of_it_does(writes: list[tuple[int, bool]], data: st.DataObject) -> None:
    pairs = [(f"k{key}", None if is_tombstone else f"v{at}") for at, (key, is_tombstone) in enumerate(writes)]
    pairs.append(("last", "1"))
    closed = data.draw(st.integers(0, len(writes)))
    is_late = data.draw(st.booleans())
    at_ms = LATE if is_late else NOW
    log = log_of(*pairs, closed=closed)
    needed = {
        record.offset
        for record in log.kept(closed)
        if not (is_late and record.offset < closed and record.value is None)
    }
    free = [offset for offset in log.written if offset not in needed]
    also = data.draw(st.sets(st.sampled_from(free))) if free else set()
    legal = [record for offset, record in log.written.items() if offset in needed | also]

    assert log.judge(reading(legal, len(pairs), at_ms=at_ms)) == []

    kind = data.draw(st.sampled_from(EDITS))
    chance = Random(data.draw(st.integers(0, 1 << 30)))
    assert log.judge(reading(edited(legal, kind, chance, log), len(pairs), at_ms=at_ms))
    lost = chance.choice(sorted(needed))
    assert log.judge(reading([record for record in legal if record.offset != lost], len(pairs), at_ms=at_ms))
