"""The log: what goes in comes out, a retry is recognised, a crash loses only what was torn."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_on_disk import NOW, batch, opened, values

from reference_broker.log.time_search import OffsetAtTime
from reference_broker.log.validation import RecordsRefused
from reference_broker.server.disk import OsDisk, OsFile
from reference_broker.wire.compression import Compression
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import FileSlice
from reference_broker.wire.records import DELETE_HORIZON, Record, encode_batch, iter_batches, with_header
from reference_broker.wire.refusal import KafkaError


def bytes_of(slices: tuple[FileSlice, ...]) -> bytes:
    return b"".join(os.pread(part.descriptor, part.size, part.position) for part in slices)


def test_appended_records_get_the_next_offsets(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(3), 0, NOW)
    assert log.append_from_client(batch(2), 0, NOW).first_offset == 3
    assert [offset for offset, _ in values(log)] == [0, 1, 2, 3, 4]


def test_a_read_returns_whole_stored_batches_from_the_one_that_holds_the_offset(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for _ in range(5):
        log.append_from_client(batch(3), 0, NOW)
    fetched = log.read(7, 1 << 20, log.log_end_offset, at_least_one_batch=True)
    found = list(iter_batches(bytes_of(fetched.slices)))
    assert [one.header.base_offset for one in found] == [6, 9, 12]
    assert all(one.crc_is_valid() for one in found)


def test_a_read_stops_before_the_bound(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for _ in range(5):
        log.append_from_client(batch(3), 0, NOW)
    fetched = log.read(0, 1 << 20, 6, at_least_one_batch=True)
    assert [one.header.base_offset for one in iter_batches(bytes_of(fetched.slices))] == [0, 3]


def test_the_first_batch_is_returned_whole_whatever_the_limit(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(1, size=5000), 0, NOW)
    fetched = log.read(0, 100, 1, at_least_one_batch=True)
    assert len(list(iter_batches(bytes_of(fetched.slices)))) == 1
    assert not log.read(0, 100, 1, at_least_one_batch=False).slices


def test_a_torn_tail_is_cut_and_all_before_it_kept(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for _ in range(4):
        log.append_from_client(batch(3), 0, NOW)
    path = tmp_path / "orders-0" / f"{0:020d}.log"
    path.write_bytes(path.read_bytes()[:-5])
    told: list[str] = []
    assert opened(tmp_path, on_warning=told.append).log_end_offset == 9
    (line,) = told
    assert "cut at offset 9" in line
    assert opened(tmp_path, on_warning=told.append).log_end_offset == 9
    assert told == [line]


def test_a_batch_with_a_bad_checksum_ends_the_log_after_a_crash(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for _ in range(4):
        log.append_from_client(batch(3), 0, NOW)
    path = tmp_path / "orders-0" / f"{0:020d}.log"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    assert opened(tmp_path).log_end_offset == 9


class CountingFile(OsFile):
    read: ClassVar[Counter[str]] = Counter()

    def read_at(self, position: int, size: int) -> bytes:
        found = super().read_at(position, size)
        self.read[self.path] += len(found)
        return found


class CountingDisk(OsDisk):
    def open(self, path: str, *, create: bool = False) -> CountingFile:
        return CountingFile(path, create=create)


def test_what_lies_below_the_recovery_point_is_not_read_after_a_crash(tmp_path: Path) -> None:
    settings = {"segment_bytes": 400_000, "index_interval_bytes": 4096}
    log = opened(tmp_path, **settings)
    for _ in range(200):
        log.append_from_client(batch(2, size=5000), 0, NOW)
    log.flush(NOW)
    recovery_point = log.segments[-2].base_offset
    log.abandon()
    CountingFile.read.clear()

    again = opened(tmp_path, recovery_point=recovery_point, disk=CountingDisk(), **settings)

    assert again.log_end_offset == 400
    whole = [one for one in again.segments if CountingFile.read[f"{one.stem}.log"] >= one.size]
    assert len(again.segments) == 6
    assert whole == again.segments[-2:]


def test_index_files_are_there_from_the_first_batch_and_follow(tmp_path: Path) -> None:
    log = opened(tmp_path, index_interval_bytes=100)
    path = tmp_path / "orders-0" / f"{0:020d}.index"
    assert not path.exists()
    log.append_from_client(batch(3), 0, NOW)
    assert path.exists()
    assert path.with_suffix(".timeindex").exists()
    for _ in range(50):
        log.append_from_client(batch(3), 0, NOW)
    assert path.read_bytes() == b""
    log.tidy(NOW)
    half = path.read_bytes()
    for _ in range(50):
        log.append_from_client(batch(3), 0, NOW)
    log.tidy(NOW)
    whole = path.read_bytes()
    assert half
    assert whole.startswith(half)
    log.truncate_to(60)
    log.tidy(NOW)
    assert whole.startswith(path.read_bytes())
    log.close(NOW)
    assert opened(tmp_path, is_clean=True, index_interval_bytes=100).segments[0].offsets.bytes == path.stat().st_size


@pytest.mark.parametrize("damage", ["missing", "short", "unordered"])
def test_a_damaged_index_is_rebuilt(tmp_path: Path, damage: str) -> None:
    log = opened(tmp_path, index_interval_bytes=100)
    for _ in range(50):
        log.append_from_client(batch(3), 0, NOW)
    log.close(NOW)
    path = tmp_path / "orders-0" / f"{0:020d}.index"
    raw = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(raw[:-3] if damage == "short" else raw[8:16] + raw[:8] + raw[16:])
    again = opened(tmp_path, is_clean=True, index_interval_bytes=100)
    assert again.log_end_offset == 150
    again.close(NOW)
    assert path.read_bytes() == raw


def test_old_segments_go_by_time(tmp_path: Path) -> None:
    log = opened(tmp_path, segment_bytes=300, retention_ms=1000)
    for index in range(6):
        log.append_from_client(batch(2, timestamp=NOW + index * 400), 0, NOW + index * 400)
        log.high_watermark = log.log_end_offset
    assert log.delete_old_segments(NOW + 2400) > 0
    assert log.log_start_offset > 0
    with pytest.raises(KafkaError) as refused:
        log.read(0, 100, 1, at_least_one_batch=True)
    assert refused.value.code == ErrorCode.OFFSET_OUT_OF_RANGE


def test_old_segments_go_by_size(tmp_path: Path) -> None:
    log = opened(tmp_path, segment_bytes=300, retention_bytes=700)
    for _ in range(10):
        log.append_from_client(batch(2), 0, NOW)
    log.set_high_watermark(log.log_end_offset)
    log.delete_old_segments(NOW)
    assert 700 <= log.size < 1000


def test_a_shorter_delay_of_deletion_does_not_wait_for_files_that_were_given_more(tmp_path: Path) -> None:
    log = opened(tmp_path, segment_bytes=120, retention_bytes=1, file_delete_delay_ms=60_000)
    for _ in range(2):
        log.append_from_client(batch(), 0, NOW)
    log.set_high_watermark(2)
    log.delete_old_segments(NOW)
    log.reconfigure(replace(log.config, file_delete_delay_ms=0))
    log.append_from_client(batch(), 0, NOW)
    log.set_high_watermark(3)
    log.delete_old_segments(NOW)

    log.tidy(NOW)

    waiting = sorted(path.name for path in (tmp_path / "orders-0").glob("*.log.deleted"))
    assert waiting == ["00000000000000000000.log.deleted"]


def test_a_record_is_found_by_its_time(tmp_path: Path) -> None:
    log = opened(tmp_path, segment_bytes=500, index_interval_bytes=64)
    for index in range(20):
        log.append_from_client(batch(2, timestamp=NOW + index * 10), 0, NOW + index * 10)
    found = log.offset_at_time(NOW + 101)
    assert found is not None
    assert (found.offset, found.timestamp) == (21, NOW + 101)
    assert log.offset_at_time(NOW + 5000) is None


def test_a_search_by_time_passes_over_what_was_deleted(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for _ in range(3):
        log.append_from_client(batch(2), 0, NOW)
    log.advance_log_start(2, NOW)
    found = log.offset_at_time(NOW)
    assert found is not None
    assert found.offset == 2


def test_a_search_by_time_goes_on_where_the_record_that_is_new_enough_was_deleted(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(3), 0, NOW)
    log.roll(NOW)
    log.append_from_client(batch(3), 0, NOW)
    log.raise_log_start(3)

    assert log.offset_at_time(NOW) == OffsetAtTime(3, NOW, 0)


def test_records_from_before_all_time_have_no_largest_timestamp(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append_from_client(encode_batch([Record(0, -5, b"k", b"v")]), 0, NOW)

    assert log.offset_of_max_timestamp() is None


def test_log_append_time_replaces_the_clients_clock(tmp_path: Path) -> None:
    log = opened(tmp_path, message_timestamp_type="LogAppendTime")
    assert log.append_from_client(batch(2, timestamp=5), 0, NOW).log_append_time_ms == NOW
    (one,) = log.batches_from(0)
    assert {record.timestamp for record in one.records()} == {NOW}
    assert one.crc_is_valid()


def test_a_timestamp_too_far_ahead_names_the_record(tmp_path: Path) -> None:
    log = opened(tmp_path)
    with pytest.raises(RecordsRefused) as refused:
        log.append_from_client(batch(3, timestamp=NOW + 3_600_000), 0, NOW)
    assert refused.value.code == ErrorCode.INVALID_TIMESTAMP
    assert [index for index, _ in refused.value.record_errors] == [1, 2]


def test_records_are_recompressed_for_the_topic(tmp_path: Path) -> None:
    log = opened(tmp_path, compression_type="gzip")
    log.append_from_client(batch(50, compression=Compression.LZ4), 0, NOW)
    (one,) = log.batches_from(0)
    assert one.header.compression is Compression.GZIP
    assert len(list(one.records())) == 50


def test_a_batch_that_is_written_anew_has_no_delete_horizon(tmp_path: Path) -> None:
    for compression_type, horizon in (("producer", DELETE_HORIZON), ("gzip", 0)):
        log = opened(tmp_path / compression_type, compression_type=compression_type)
        (one,) = iter_batches(batch(3))
        header = one.header._replace(attributes=DELETE_HORIZON)
        log.append_from_client(with_header(header, one.payload()), 0, NOW)
        (stored,) = log.batches_from(0)
        assert stored.header.attributes & DELETE_HORIZON == horizon


def test_a_batch_larger_than_a_segment_is_refused(tmp_path: Path) -> None:
    log = opened(tmp_path, segment_bytes=1000)
    with pytest.raises(KafkaError) as refused:
        log.append_from_client(batch(1, size=1000), 0, NOW)
    assert refused.value.code == ErrorCode.RECORD_LIST_TOO_LARGE


def test_a_compacted_topic_names_the_records_without_a_key(tmp_path: Path) -> None:
    log = opened(tmp_path, cleanup_policy=("compact",))
    records = [Record(0, NOW, b"k", b""), Record(1, NOW, None, b""), Record(2, NOW, None, b"")]
    with pytest.raises(RecordsRefused) as refused:
        log.append_from_client(encode_batch(records), 0, NOW)
    assert refused.value.code == ErrorCode.INVALID_RECORD
    assert [index for index, _ in refused.value.record_errors] == [1, 2]


def test_a_compressed_batch_with_gaps_is_numbered_anew(tmp_path: Path) -> None:
    log = opened(tmp_path)
    (one,) = iter_batches(encode_batch([Record(i, NOW, b"k", b"") for i in (0, 5, 9)], compression=Compression.GZIP))
    log.append_from_client(with_header(one.header._replace(last_offset_delta=2), one.data[61:]), 0, NOW)
    assert [offset for offset, _ in values(log)] == [0, 1, 2]


def test_a_part_of_a_batch_behind_the_first_is_overlooked(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(2) + batch(2)[:30], 0, NOW)
    assert log.size == len(batch(2))


def test_the_epoch_of_a_leader_ends_where_the_next_begins(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for epoch in (0, 0, 3):
        log.append_from_client(batch(1), epoch, NOW)
    assert [log.end_offset_for_epoch(epoch) for epoch in (0, 1, 3, 4)] == [(0, 2), (0, 2), (3, 3), (-1, -1)]


@pytest.mark.parametrize("damage", ["missing", "corrupt"])
def test_lost_leader_epochs_are_read_from_the_batches(tmp_path: Path, damage: str) -> None:
    log = opened(tmp_path)
    for epoch in (0, 2):
        log.append_from_client(batch(1), epoch, NOW)
    log.close(NOW)
    path = tmp_path / "orders-0" / "leader-epoch-checkpoint"
    path.unlink() if damage == "missing" else path.write_text("0\n9\n")
    assert opened(tmp_path).epochs.entries == [(0, 0), (2, 1)]


def test_leader_epochs_of_batches_that_a_crash_took_are_forgotten(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(1), 1, NOW)
    log.append_from_client(batch(1), 1, NOW)
    log.close(NOW)
    # The log was cut to 1 and a batch of epoch 2 appended; the crash took both, but not the checkpoint of the epochs.
    path = tmp_path / "orders-0" / "leader-epoch-checkpoint"
    path.write_text("0\n2\n1 0\n2 1\n")
    assert opened(tmp_path, is_clean=False).epochs.entries == [(1, 0)]


def test_an_emptied_index_leaves_no_old_entries_in_its_file(tmp_path: Path) -> None:
    log = opened(tmp_path, index_interval_bytes=50)
    for _ in range(9):
        log.append_from_client(batch(1), 0, NOW)
    log.segments[-1].finish()
    log.truncate_to(1)
    log.close(NOW)
    assert (tmp_path / "orders-0" / f"{0:020d}.index").read_bytes() == b""


def broken(**changes: Any) -> bytes:
    (one,) = iter_batches(batch(3))
    return with_header(one.header._replace(**changes), one.data[61:])


@pytest.mark.parametrize(("raw", "code"), [
    (b"", ErrorCode.INVALID_RECORD),
    (batch(3)[:-1], ErrorCode.INVALID_RECORD),
    (batch(1, base_offset=1), ErrorCode.INVALID_RECORD),
    (batch(3)[:-1] + b"\x01", ErrorCode.CORRUPT_MESSAGE),
    (batch(3) + batch(3), ErrorCode.INVALID_RECORD),
    (broken(records_count=2), ErrorCode.INVALID_RECORD),
    (broken(records_count=4, last_offset_delta=3), ErrorCode.INVALID_RECORD),
    (broken(attributes=0x20), ErrorCode.INVALID_RECORD),
    (broken(magic=1), ErrorCode.INVALID_RECORD),
    (broken(magic=3), ErrorCode.CORRUPT_MESSAGE),
    (broken(attributes=0x03), ErrorCode.UNKNOWN_SERVER_ERROR),
    (broken(attributes=0x05), ErrorCode.UNKNOWN_SERVER_ERROR),
    (broken(producer_id=4), ErrorCode.INVALID_RECORD),
    (batch(3, size=400_000), ErrorCode.MESSAGE_TOO_LARGE),
])  # fmt: skip
def test_a_wrong_batch_is_refused_and_leaves_no_trace(tmp_path: Path, raw: bytes, code: ErrorCode) -> None:
    log = opened(tmp_path)
    with pytest.raises(KafkaError) as refused:
        log.append_from_client(raw, 0, NOW)
    assert refused.value.code == code
    assert (log.log_end_offset, log.size) == (0, 0)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["append", "flush", "roll", "close", "crash", "tear"]), max_size=25), st.randoms())
def test_whatever_happens_the_log_is_a_prefix_that_holds_all_that_was_flushed(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], random: Any
) -> None:
    folder = tmp_path_factory.mktemp("log")
    model: list[bytes] = []
    flushed = 0
    log = opened(folder, segment_bytes=400, index_interval_bytes=50)
    for number, step in enumerate(steps):
        if step == "append":
            content = str(number).encode()
            log.append_from_client(encode_batch([Record(0, NOW, b"k", content)]), 0, NOW)
            model.append(content)
        elif step == "flush":
            log.flush(NOW)
            flushed = len(model)
        elif step == "roll" and log.segments[-1].size:
            log.roll(NOW)
            flushed = len(model)
        elif step == "close":
            log.close(NOW)
            flushed = len(model)
            log = opened(folder, is_clean=True, segment_bytes=400, index_interval_bytes=50)
        elif step in ("crash", "tear"):
            recovery_point, last = log.recovery_point, log.segments[-1]
            if step == "tear" and len(model) > flushed:
                os.truncate(last.file.path, last.size - random.randrange(1, 60))
            log = opened(folder, recovery_point=recovery_point, segment_bytes=400, index_interval_bytes=50)
            model = model[: log.log_end_offset]
        assert log.log_end_offset == len(model) >= flushed
        assert [value for _, value in values(log)] == model
