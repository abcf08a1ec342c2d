"""What a round of compaction leaves of a log, against a model; and after a crash at any step of it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_broker.log.compaction.offset_map import ENTRY, OffsetMap
from reference_broker.log.compaction.plan import plan_for
from reference_broker.log.compaction.round import Round, Uncleanable
from reference_broker.log.config import LogConfig
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.producer_state import MARKER_ABORT, MARKER_COMMIT
from reference_broker.log.recovery import open_log
from reference_broker.server.disk import OsDisk
from reference_broker.wire.compression import Compression
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.records import Record, encode_batch

NOW = 1_700_000_000_000
DAY = 86_400_000
TOPIC_ID = Uuid(bytes(range(16)))
ROOM = 100_000


def opened(folder: Path, *, recovery_point: int = 0, is_clean: bool = False, **options: object) -> PartitionLog:
    config = LogConfig(**{"cleanup_policy": ("compact",), "segment_bytes": 600, "file_delete_delay_ms": 0} | options)  # type: ignore[arg-type]
    log = open_log(
        disk=OsDisk(),
        directory=str(folder / "t-0"),
        topic="t",
        partition=0,
        topic_id=TOPIC_ID,
        config=config,
        is_clean=is_clean,
        recovery_point=recovery_point,
    )
    log.set_high_watermark(log.log_end_offset)
    return log


def put(log: PartitionLog, *pairs: tuple[str, str | None], now_ms: int = NOW, **options: object) -> None:
    """A batch of records with these keys and values."""
    records = [
        Record(at, now_ms, key.encode(), None if value is None else value.encode(), (("h", b"x"),))
        for at, (key, value) in enumerate(pairs)
    ]
    log.append_own(encode_batch(records, **options), 0, now_ms)  # type: ignore[arg-type]
    log.set_high_watermark(log.log_end_offset)


def end_transaction(log: PartitionLog, producer_id: int, *, commits: bool) -> None:
    kind = MARKER_COMMIT if commits else MARKER_ABORT
    record = Record(0, NOW, b"\0\0" + kind.to_bytes(2, "big"), bytes(6))
    options = {"producer_id": producer_id, "producer_epoch": 0, "is_transactional": True, "is_control": True}
    log.append_own(encode_batch([record], **options), 0, NOW)  # type: ignore[arg-type]
    log.set_high_watermark(log.log_end_offset)


def compact(log: PartitionLog, *, first_dirty: int = 0, now_ms: int = NOW, room: int = ROOM, steps: int = -1) -> int:
    """A round, or its first steps; the offset up to which the log is clean then."""
    round_ = Round(log, plan_for(log, first_dirty, now_ms), OffsetMap(room, 0.9))
    for count, step in enumerate(round_.steps(now_ms)):
        if count == steps:
            return -1
        if not isinstance(step, int):
            for target in step:
                target.flush()
    round_.end()
    return round_.end_offset


def records(log: PartitionLog) -> list[tuple[int, str, str | None]]:
    """Every record that users wrote: offset, key, value."""
    return [
        (one.offset, (one.key or b"").decode(), None if one.value is None else one.value.decode())
        for batch in log.batches_from(0)
        if not batch.header.is_control
        for one in batch.records()
    ]


def last_values(found: Sequence[tuple[int, str, str | None]]) -> dict[str, str]:
    latest: dict[str, str | None] = {}
    for _, key, value in found:
        latest[key] = value
    return {key: value for key, value in latest.items() if value is not None}


def test_the_last_record_of_each_key_stays_where_it_was(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for turn in range(40):
        put(log, (f"k{turn % 4}", f"v{turn}"), ("same", str(turn)))
    before, last_base = records(log), log.segments[-1].base_offset

    clean = compact(log)

    after = records(log)
    assert clean == last_base
    assert [one for one in after if one[0] >= last_base] == [one for one in before if one[0] >= last_base]
    assert [key for offset, key, _ in after if offset < last_base].count("same") == 1
    assert set(after) <= set(before)
    assert after == sorted(after)
    assert last_values(after) == last_values(before)
    assert len(log.segments) < 10


@pytest.mark.parametrize("codec", list(Compression))
def test_headers_timestamps_and_codec_stay(tmp_path: Path, codec: Compression) -> None:
    log = opened(tmp_path)
    put(log, ("a", "1"), ("b", "2"), compression=codec)
    put(log, ("a", "3"), compression=codec, now_ms=NOW + 5)
    log.roll(NOW)
    put(log, ("z", "z"))

    compact(log)

    first, second, *_ = log.batches_from(0)
    assert [(one.offset, one.timestamp, one.headers) for one in first.records()] == [(1, NOW, (("h", b"x"),))]
    assert first.header.compression is codec
    assert first.crc_is_valid()
    assert first.header.last_offset == 1
    assert second.header.max_timestamp == NOW + 5


def test_a_tombstone_stays_until_its_horizon(tmp_path: Path) -> None:
    log = opened(tmp_path, delete_retention_ms=1000)
    put(log, ("gone", "1"), ("kept", "1"))
    put(log, ("gone", None))
    log.roll(NOW)
    put(log, ("z", "z"))

    compact(log)
    assert records(log)[:2] == [(1, "kept", "1"), (2, "gone", None)]
    compact(log, now_ms=NOW + 999)
    assert (2, "gone", None) in records(log)
    (marked,) = [one for one in log.batches_from(2) if one.header.base_offset == 2]
    assert [one.timestamp for one in marked.records()] == [NOW]

    compact(log, now_ms=NOW + 1000)
    assert records(log) == [(1, "kept", "1"), (3, "z", "z")]
    assert log.segments[0].next_offset == 3, "the last batch stays, so that offsets go on from there"


def test_aborted_records_go_and_their_marker_waits_for_its_horizon(tmp_path: Path) -> None:
    log = opened(tmp_path, delete_retention_ms=1000)
    mine = {"producer_id": 7, "producer_epoch": 0, "is_transactional": True}
    put(log, ("a", "kept"))
    put(log, ("a", "aborted"), base_sequence=0, **mine)
    end_transaction(log, 7, commits=False)
    put(log, ("b", "committed"), base_sequence=1, **mine)
    end_transaction(log, 7, commits=True)
    log.roll(NOW)
    put(log, ("z", "z"))
    log.producers.clear()

    compact(log)
    assert [value for _, _, value in records(log)] == ["kept", "committed", "z"]
    assert [one.last_offset for one in log.segments[0].aborted.entries] == [2], "a reader may be behind the abort"
    compact(log)
    compact(log, now_ms=NOW + 1000)
    controls = [batch.header.base_offset for batch in log.batches_from(0) if batch.header.is_control]
    assert controls == [4], "only the marker of what is still there"
    assert [value for _, _, value in records(log)] == ["kept", "committed", "z"]


def test_the_last_sequence_of_a_producer_stays(tmp_path: Path) -> None:
    log = opened(tmp_path)
    put(log, ("a", "1"), ("b", "1"), producer_id=7, producer_epoch=3, base_sequence=0)
    put(log, ("a", "2"), ("b", "2"))
    log.roll(NOW)
    put(log, ("z", "z"))

    compact(log)

    empty = next(iter(log.batches_from(0)))
    assert (empty.header.records_count, empty.header.last_sequence, empty.header.producer_epoch) == (0, 1, 3)
    log.close(NOW)
    again = opened(tmp_path, is_clean=True)
    assert again.producers.producers[7].last_sequence == 1


def test_what_has_no_room_in_the_map_is_left_for_the_next_round(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for turn in range(60):
        put(log, (f"k{turn % 20}", str(turn)))
    before, clean, rounds = records(log), 0, 0
    end = log.segments[-1].base_offset

    while clean < end:
        reached = compact(log, first_dirty=clean, room=8 * ENTRY.size)
        assert reached > clean
        clean, rounds = reached, rounds + 1
        assert last_values(records(log)) == last_values(before)

    assert rounds > 2
    assert len(records(log)) < len(before)


def test_what_may_not_be_touched_stays(tmp_path: Path) -> None:
    log = opened(tmp_path, min_compaction_lag_ms=1000)
    for turn in range(10):
        put(log, ("a", str(turn)), now_ms=NOW + 100 * turn)
        log.roll(NOW)
    assert plan_for(log, 0, NOW + 999).end == 0
    assert plan_for(log, 0, NOW + 1500).end == 6
    log.set_high_watermark(3)
    assert plan_for(log, 0, NOW + 9000).end == 3
    put(log, ("a", "x"), ("b", "x"))
    log.roll(NOW)
    put(log, ("c", "x"))
    log.set_high_watermark(11)
    assert plan_for(log, 0, NOW + 9000).end == 10, "the segment in which the high watermark lies"
    assert plan_for(log, 99, NOW).first_dirty == 0, "a checkpoint beyond the log counts for nothing"


def test_what_has_waited_for_too_long_is_compacted_however_little_it_is(tmp_path: Path) -> None:
    log = opened(tmp_path, max_compaction_lag_ms=1000)
    for turn in range(10):
        put(log, ("a", str(turn)))
        log.roll(NOW)
    assert not plan_for(log, 9, NOW + 1000).is_wanted(0.5)
    assert plan_for(log, 9, NOW + 1001).is_wanted(0.5)
    assert plan_for(log, 0, NOW).is_wanted(0.5)


def test_a_damaged_batch_is_told_and_nothing_changes(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for turn in range(20):
        put(log, ("a", str(turn)))
    before = [segment.base_offset for segment in log.segments]
    path = Path(f"{log.segments[1].stem}.log")
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)

    with pytest.raises(Uncleanable, match=r"cannot be read from byte \d+ on: a batch does not match its checksum"):
        compact(log)
    assert [segment.base_offset for segment in log.segments] == before


def test_readers_go_on_across_what_has_gone(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for turn in range(40):
        put(log, ("a", str(turn)))
    compact(log)

    offset, seen = 0, []
    while offset < log.log_end_offset:
        fetched = log.read(offset, 100, log.log_end_offset, at_least_one_batch=True)
        assert fetched.segment is not None
        header = next(header for _, header in fetched.segment.headers_from(fetched.segment.position_of(offset)))
        seen.append(header.base_offset)
        offset = header.next_offset
    assert seen == sorted(set(seen))
    assert log.read(log.log_start_offset, 100, log.log_end_offset, at_least_one_batch=True).size


BATCHES = st.lists(
    st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3), st.sampled_from((0, 0, 1))), min_size=1, max_size=40
)


@settings(max_examples=60, deadline=None)
@given(BATCHES, st.integers(0, 60), st.booleans())
def test_a_crash_at_any_step_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[int, bool, int, int]], stop: int, is_flushed: bool
) -> None:
    folder = tmp_path_factory.mktemp("crash")
    log = opened(folder, segment_bytes=300)
    for number, (key, is_tombstone, others, codec) in enumerate(batches):
        pairs = [(f"k{key}", None if is_tombstone else f"v{number}")]
        pairs += [(f"o{other}", f"v{number}") for other in range(others)]
        put(log, *pairs, compression=Compression(codec))
    before = records(log)
    log.flush(NOW)
    compact(log, steps=stop)
    copy = folder / "copy"
    shutil.copytree(folder / "t-0", copy / "t-0")

    again = opened(copy, segment_bytes=300, recovery_point=log.recovery_point)

    after = records(again)
    assert again.log_end_offset == log.log_end_offset
    assert set(after) <= set(before)
    assert after == sorted(after)
    assert last_values(after) == last_values(before)
    assert not [path for path in (copy / "t-0").iterdir() if path.suffix in (".cleaned", ".swap")]
    compact(again)
    assert last_values(records(again)) == last_values(before)
    shutil.rmtree(folder)
