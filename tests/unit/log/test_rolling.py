"""When a segment is closed: by size, by time, by jitter, by a full index; and the settings that say so."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_on_disk import NOW, TOPIC_ID, batch, opened

from reference_broker.log.config import LogConfig
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.recovery import open_log
from reference_broker.server.disk import OsDisk
from reference_broker.wire.records import parse_batch_header

NO_TIME = -1


def bases(log: PartitionLog) -> list[int]:
    return [one.base_offset for one in log.segments]


def with_jitter(folder: Path, seed: int, **settings: int) -> PartitionLog:
    return open_log(
        disk=OsDisk(),
        directory=str(folder / "orders-0"),
        topic="orders",
        partition=0,
        topic_id=TOPIC_ID,
        config=LogConfig(**settings),  # type: ignore[arg-type]
        is_clean=True,
        random=random.Random(seed),
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from([20, 200]), st.sampled_from([NO_TIME, 0, 5, 10, 11, 500]), st.sampled_from([0, 1, 10, 11])
        ),
        max_size=12,
    ),
    st.sampled_from([350, 1 << 20]),
    st.sampled_from([1, 10, 1 << 40]),
)
def test_segments_begin_where_the_rule_says(
    batches: list[tuple[int, int, int]], segment_bytes: int, segment_ms: int
) -> None:
    """By the bytes with the new batch, or by the time since the first batch: by its timestamp, else by the clock."""
    expected, size, first, born, now = [0], 0, NO_TIME, NOW, NOW
    with TemporaryDirectory() as folder:
        log = opened(Path(folder), segment_bytes=segment_bytes, segment_ms=segment_ms)
        log.rolling.begin(NOW)
        for offset, (value_size, since, wait) in enumerate(batches):
            now += wait
            timestamp = NO_TIME if since < 0 else NOW + since
            data = batch(size=value_size, timestamp=timestamp)
            age = timestamp - first if first >= 0 else now - born
            if size and (size + len(data) > segment_bytes or age > segment_ms):
                expected.append(offset)
                size, born = 0, now
            first = parse_batch_header(data).max_timestamp if not size else first
            size += len(data)
            log.append_own(data, 0, now)
        assert bases(log) == expected
        log.abandon()


@pytest.mark.parametrize("seed", range(5))
def test_jitter_lets_a_segment_be_closed_earlier_but_never_later(tmp_path: Path, seed: int) -> None:
    log = with_jitter(tmp_path, seed, segment_ms=100, segment_jitter_ms=30)
    closed_after = []
    began = NOW
    for now in range(NOW, NOW + 2000):
        count = len(log.segments)
        log.append_own(batch(timestamp=now), 0, now)
        if len(log.segments) > count:
            closed_after.append(now - began)
            began = now
    log.abandon()
    assert all(70 < one <= 101 for one in closed_after)
    assert len(set(closed_after)) > 1


def test_a_jitter_above_the_time_itself_counts_as_that(tmp_path: Path) -> None:
    log = with_jitter(tmp_path, 1, segment_ms=10, segment_jitter_ms=1 << 40)
    for now in range(NOW, NOW + 100):
        log.append_own(batch(timestamp=now), 0, now)
    assert len(log.segments) >= 100 // 11


def test_no_jitter_closes_all_at_the_same_age(tmp_path: Path) -> None:
    log = with_jitter(tmp_path, 1, segment_ms=10)
    for now in range(NOW, NOW + 34):
        log.append_own(batch(timestamp=now), 0, now)
    assert bases(log) == [0, 11, 22, 33]


def test_a_full_index_closes_a_segment(tmp_path: Path) -> None:
    log = opened(tmp_path, segment_index_bytes=16, index_interval_bytes=0)
    for _ in range(6):
        log.append_own(batch(), 0, NOW)
    assert len(log.segments) > 1
    assert all(one.offsets.bytes <= 16 and one.times.bytes <= 16 for one in log.segments)


def test_other_settings_count_for_the_segment_that_is_there(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append_own(batch(), 0, NOW)
    log.reconfigure(LogConfig(segment_ms=10))
    log.append_own(batch(timestamp=NOW + 10), 0, NOW)
    assert bases(log) == [0]
    log.append_own(batch(timestamp=NOW + 11), 0, NOW)
    assert bases(log) == [0, 2]


def test_what_must_be_compacted_soon_is_closed_before(tmp_path: Path) -> None:
    log = opened(tmp_path, cleanup_policy=("compact",), max_compaction_lag_ms=10)
    log.append_own(batch(), 0, NOW)
    log.append_own(batch(timestamp=NOW + 11), 0, NOW)
    assert bases(log) == [0, 1]
