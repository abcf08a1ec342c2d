"""Retention: which segments go, against Kafka's rule written out; and how their files go."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st
from log_on_disk import NOW, batch, opened

from reference_broker.log.partition_log import PartitionLog

NO_TIME = -1
SIZES = (20, 300)


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment: its size, its largest timestamp or the time of its file, and where the next begins."""

    size: int
    newest: int
    end: int


def pieces_of(log: PartitionLog) -> list[Piece]:
    ends = [one.base_offset for one in log.segments[1:]] + [log.log_end_offset]
    return [
        Piece(
            one.size,
            one.max_timestamp if one.max_timestamp >= 0 else log.disk.modified_ms(f"{one.stem}.log"),
            end,
        )
        for one, end in zip(log.segments, ends, strict=True)
    ]


def kept_by_the_rule(pieces: list[Piece], log: PartitionLog, now_ms: int) -> list[Piece]:
    """Three passes over the oldest: below the log's start, over the size, over the time. Each ends at the first that
    stays, or has something that is not committed; an empty last segment stays."""
    left = list(pieces)

    def may_go(piece: Piece) -> bool:
        return piece.end <= log.high_watermark and not (len(left) == 1 and not piece.size)

    while len(left) > 1 and left[0].end <= log.log_start_offset and may_go(left[0]):
        left.pop(0)
    if "delete" in log.config.cleanup_policy:
        surplus = sum(one.size for one in left) - log.config.retention_bytes
        while log.config.retention_bytes >= 0 and left and may_go(left[0]) and surplus >= left[0].size:
            surplus -= left.pop(0).size
        while log.config.retention_ms >= 0 and left and may_go(left[0]):
            if now_ms - left[0].newest <= log.config.retention_ms:
                break
            left.pop(0)
    return left


written = st.lists(
    st.tuples(
        st.sampled_from(SIZES), st.sampled_from([NO_TIME, NOW - 5000, NOW - 1000, NOW, NOW + 1000]), st.booleans()
    ),
    max_size=8,
)


@given(
    written,
    st.sampled_from([-1, 0, 1, 999, 1000, 1001, 5000]),
    st.sampled_from([-1, 0, 1, 400, 1000]),
    st.sampled_from([("delete",), ("compact",), ("compact", "delete"), ()]),
    st.integers(0, 8),
    st.integers(0, 8),
)
def test_what_goes_is_what_the_rule_says(
    batches: list[tuple[int, int, bool]],
    retention_ms: int,
    retention_bytes: int,
    policy: tuple[str, ...],
    high_watermark: int,
    log_start: int,
) -> None:
    with TemporaryDirectory() as folder:
        log = opened(Path(folder), retention_ms=retention_ms, retention_bytes=retention_bytes, cleanup_policy=policy)
        for size, timestamp, rolls in batches:
            log.append_own(batch(size=size, timestamp=timestamp), 0, NOW)
            if rolls:
                log.roll(NOW)
        log.set_high_watermark(high_watermark)
        log.raise_log_start(min(log_start, log.high_watermark))
        for segment in log.segments:
            os.utime(f"{segment.stem}.log", ns=((NOW - 1000) * 1_000_000,) * 2)
        pieces, start = pieces_of(log), log.log_start_offset
        expected = kept_by_the_rule(pieces, log, NOW)

        count = log.delete_old_segments(NOW)

        left = pieces_of(log)
        assert [one for one in left if one.size] == [one for one in expected if one.size]
        assert count == len(pieces) - len(expected)
        assert start <= log.log_start_offset <= log.high_watermark
        assert log.log_start_offset == max(start, log.segments[0].base_offset)
        assert log.segments
        log.abandon()


def test_to_the_millisecond(tmp_path: Path) -> None:
    log = opened(tmp_path, retention_ms=1000)
    log.append_own(batch(), 0, NOW)
    log.set_high_watermark(1)
    assert log.delete_old_segments(NOW + 1000) == 0
    assert log.delete_old_segments(NOW + 1001) == 1
    assert (log.log_start_offset, log.log_end_offset, len(log.segments)) == (1, 1, 1)


def test_to_the_byte(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for _ in range(2):
        log.append_own(batch(), 0, NOW)
        log.roll(NOW)
    log.set_high_watermark(2)
    size = log.segments[0].size
    log.reconfigure(opened(tmp_path / "settings", retention_bytes=size + 1).config)
    assert log.delete_old_segments(NOW) == 0
    log.reconfigure(opened(tmp_path / "settings", retention_bytes=size).config)
    assert log.delete_old_segments(NOW) == 1


def test_all_files_of_a_segment_stay_under_other_names_until_the_delay_is_over(tmp_path: Path) -> None:
    log = opened(tmp_path, retention_ms=0, file_delete_delay_ms=1000)
    log.append_own(batch(producer_id=1, producer_epoch=0, base_sequence=0), 0, NOW)
    log.roll(NOW)
    log.append_own(batch(producer_id=1, producer_epoch=0, base_sequence=1), 0, NOW)
    log.roll(NOW)
    log.set_high_watermark(2)
    folder = tmp_path / "orders-0"

    def doomed() -> list[str]:
        return sorted(path.name.lstrip("0") for path in folder.glob("*.deleted"))

    assert log.delete_old_segments(NOW + 1) == 2
    first = [".index.deleted", ".log.deleted", ".timeindex.deleted"]
    assert doomed() == sorted([*first, *(f"1{name}" for name in (*first, ".snapshot.deleted"))])
    log.tidy(NOW + 1000)
    assert len(doomed()) == 7
    log.tidy(NOW + 1001)
    assert doomed() == []


def test_what_a_stop_left_of_deleted_segments_goes_at_the_next_start(tmp_path: Path) -> None:
    log = opened(tmp_path, retention_ms=0)
    log.append_own(batch(), 0, NOW)
    log.roll(NOW)
    log.set_high_watermark(1)
    log.delete_old_segments(NOW + 1)
    orphan = tmp_path / "orders-0" / f"{0:020d}.index"
    orphan.write_bytes(b"")
    opened(tmp_path)
    assert not list((tmp_path / "orders-0").glob("*.deleted"))
    assert not orphan.exists()


def test_nothing_goes_while_the_log_is_compacted(tmp_path: Path) -> None:
    log = opened(tmp_path, retention_ms=0, cleanup_policy=("compact", "delete"))
    log.append_own(batch(), 0, NOW)
    log.set_high_watermark(1)
    log.is_compacting = True
    assert log.delete_old_segments(NOW + 1) == 0


def test_a_log_that_ends_before_its_start_begins_anew_there(tmp_path: Path) -> None:
    told: list[str] = []
    log = opened(tmp_path)
    for _ in range(3):
        log.append_own(batch(), 0, NOW)
    log.flush(NOW)
    log.abandon()
    again = opened(tmp_path, log_start_offset=7, on_warning=told.append)
    assert (again.log_start_offset, again.log_end_offset, len(told)) == (7, 7, 1)
    assert "begins anew" in told[0]
