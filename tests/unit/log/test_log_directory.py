"""A log folder: checkpoints, clean stops, crashes, full and broken disks."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from memory_disk import MemoryDisk

from reference_broker.log.config import LogConfig
from reference_broker.log.folder_names import mark_of, marked_folder, partition_of
from reference_broker.log.log_directory import LogDirectory
from reference_broker.log.partition_log import PartitionLog
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.records import Record, encode_batch
from reference_broker.wire.refusal import KafkaError

TOPIC_ID = Uuid(bytes(range(16)))
NOW = 1_700_000_000_000


def directory_on(disk: MemoryDisk, failures: list[OSError] | None = None) -> LogDirectory:
    disk.make_directories("/data")
    noted = [] if failures is None else failures
    return LogDirectory.open(
        disk, "/data", random=random.Random(1), on_failure=lambda _, error: noted.append(error), on_warning=print
    )


def orders(directory: LogDirectory, **config: Any) -> PartitionLog:
    return directory.open_log("orders", 0, TOPIC_ID, LogConfig(**config))


def append(log: PartitionLog, value: bytes, **options: Any) -> int:
    batch = encode_batch([Record(0, NOW, b"k", value)], **options)
    return log.append_from_client(batch, 0, NOW).first_offset


def values(log: PartitionLog) -> list[bytes]:
    return [record.value or b"" for batch in log.batches_from(log.log_start_offset) for record in batch.records()]


def test_after_a_clean_stop_records_and_high_watermark_are_back() -> None:
    disk = MemoryDisk()
    directory = directory_on(disk)
    log = orders(directory)
    append(log, b"a")
    append(log, b"b")
    log.set_high_watermark(2)
    directory.close(NOW, broker_epoch=7)
    again = directory_on(disk)
    log = orders(again)
    assert (again.previous_broker_epoch, values(log), log.high_watermark) == (7, [b"a", b"b"], 2)


def test_a_stop_without_close_is_not_clean() -> None:
    disk = MemoryDisk()
    directory_on(disk).close(NOW)
    directory_on(disk)
    assert not directory_on(disk).was_clean


def test_a_log_start_that_was_advanced_survives() -> None:
    disk = MemoryDisk()
    directory = directory_on(disk)
    log = orders(directory)
    for _ in range(5):
        append(log, b"a")
    log.set_high_watermark(5)
    log.advance_log_start(3, NOW)
    directory.checkpoint_log_starts()
    directory.close(NOW)
    assert orders(directory_on(disk)).log_start_offset == 3


def test_a_full_disk_takes_the_folder_offline_and_keeps_what_was_acknowledged() -> None:
    disk = MemoryDisk()
    failures: list[OSError] = []
    directory = directory_on(disk, failures)
    log = orders(directory)
    append(log, b"kept")
    disk.free = 10
    with pytest.raises(KafkaError) as refused:
        append(log, b"refused")
    disk.free = 1 << 30
    assert refused.value.code == ErrorCode.KAFKA_STORAGE_ERROR
    assert (len(failures), directory.is_online) == (1, False)
    assert values(orders(directory_on(disk))) == [b"kept"]


def test_a_folder_that_failed_once_refuses_everything_later() -> None:
    disk = MemoryDisk()
    failures: list[OSError] = []
    log = orders(directory_on(disk, failures))
    append(log, b"kept")
    disk.is_broken = True
    with pytest.raises(KafkaError):
        log.flush(NOW)
    disk.is_broken = False
    for attempt in (lambda: append(log, b"x"), lambda: log.read(0, 100, 1, at_least_one_batch=True)):
        with pytest.raises(KafkaError) as refused:
            attempt()
        assert refused.value.code == ErrorCode.KAFKA_STORAGE_ERROR
    assert len(failures) == 1


def test_an_offline_folder_closes_without_its_mark() -> None:
    disk = MemoryDisk()
    directory = directory_on(disk)
    orders(directory)
    disk.is_broken = True
    directory.close(NOW)
    disk.is_broken = False
    assert not directory_on(disk).was_clean


def test_a_checkpoint_that_makes_no_sense_takes_the_folder_offline() -> None:
    disk = MemoryDisk()
    directory_on(disk).close(NOW)
    disk.files["/data/recovery-point-offset-checkpoint"] = bytearray(b"0\n3\norders 0 1\n")
    failures: list[OSError] = []
    with pytest.raises(KafkaError):
        directory_on(disk, failures)
    assert len(failures) == 1


def test_a_deleted_log_keeps_its_files_until_the_delay_is_over() -> None:
    disk = MemoryDisk()
    directory = directory_on(disk)
    append(orders(directory), b"a")
    directory.delete_log("orders", 0, NOW)
    (folder,) = [name for name in disk.list("/data") if mark_of(name) == "delete"]
    assert f"{folder}/{0:020d}.log" in "\n".join(disk.files)
    directory.tidy(NOW + 999, delay_ms=1000)
    assert [name for name in disk.files if folder in name]
    directory.tidy(NOW + 1000, delay_ms=1000)
    assert not [name for name in disk.files if folder in name]


def test_a_topic_of_the_same_name_begins_anew_after_a_deletion() -> None:
    directory = directory_on(MemoryDisk())
    append(orders(directory), b"a")
    directory.delete_log("orders", 0, NOW)
    assert directory.open_log("orders", 0, Uuid(b"\1" * 16), LogConfig()).log_end_offset == 0


def test_a_stray_folder_is_set_aside_with_all_it_holds() -> None:
    disk = MemoryDisk()
    directory = directory_on(disk)
    append(orders(directory), b"a")
    path = directory.set_aside("orders", 0)
    assert path.endswith("-stray")
    assert disk.files[f"{path}/{0:020d}.log"]
    assert directory.partitions_on_disk() == []


def test_a_folder_of_another_topic_id_is_refused() -> None:
    disk = MemoryDisk()
    directory = directory_on(disk)
    orders(directory)
    directory.close(NOW)
    with pytest.raises(KafkaError) as refused:
        directory_on(disk).open_log("orders", 0, Uuid(b"\1" * 16), LogConfig())
    assert refused.value.code == ErrorCode.INCONSISTENT_TOPIC_ID


def test_the_partitions_on_disk_are_those_with_a_folder_in_use() -> None:
    disk = MemoryDisk()
    directory = directory_on(disk)
    orders(directory)
    for name in ("__cluster_metadata-0", "orders-1.0123456789abcdef0123456789abcdef-delete", "lost+found"):
        disk.make_directories(f"/data/{name}")
    assert directory.partitions_on_disk() == [("orders", 0)]


@pytest.mark.parametrize("topic", ["t", "a-b.c_d", "x" * 249])
def test_a_marked_folder_fits_a_file_system_and_is_recognised(topic: str) -> None:
    name = marked_folder(topic, 12, "stray", bytes(16))
    assert len(name) <= 255
    assert (mark_of(name), partition_of(name)) == ("stray", None)


def test_a_lost_producer_snapshot_is_rebuilt_from_the_log() -> None:
    disk = MemoryDisk()
    directory = directory_on(disk)
    log = orders(directory)
    append(log, b"a", producer_id=5, producer_epoch=0, base_sequence=0)
    directory.close(NOW)
    for name in [name for name in disk.files if name.endswith(".snapshot")]:
        disk.remove(name)
    with pytest.raises(KafkaError) as refused:
        append(orders(directory_on(disk)), b"b", producer_id=5, producer_epoch=0, base_sequence=4)
    assert refused.value.code == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


@example(steps=["append", "roll", "crash"], seed=273896)  # the first segment is lost, the second is there
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["append", "flush", "roll", "checkpoint", "restart", "crash"]), max_size=30), st.integers()
)
def test_after_any_crash_the_log_is_a_prefix_that_holds_all_that_was_flushed(steps: list[str], seed: int) -> None:
    chance, disk = random.Random(seed), MemoryDisk()
    config = {"segment_bytes": 400, "index_interval_bytes": 60}
    directory = directory_on(disk)
    log = orders(directory, **config)
    model: list[bytes] = []
    flushed = 0
    for number, step in enumerate(steps):
        if step == "append":
            append(log, str(number).encode(), producer_id=5, producer_epoch=0, base_sequence=len(model))
            model.append(str(number).encode())
            flushed = max(flushed, log.recovery_point)
        elif step == "flush":
            log.flush(NOW)
        elif step == "roll" and log.segments[-1].size:
            log.roll(NOW)
        elif step == "checkpoint":
            directory.checkpoint_recovery_points()
        elif step in ("restart", "crash"):
            if step == "restart":
                directory.close(NOW)
            else:
                disk.crash(chance)
            flushed = len(model) if step == "restart" else flushed
            directory = directory_on(disk)
            log = orders(directory, **config)
            model = model[: log.log_end_offset]
        flushed = max(flushed, log.recovery_point)
        assert log.log_end_offset == len(model) >= flushed
        assert values(log) == model


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["append", "lead", "flush", "roll", "small", "cut", "checkpoint", "restart", "crash"]),
        max_size=30,
    ),
    st.integers(),
)
def test_after_any_crash_the_leader_epochs_are_those_of_the_batches(steps: list[str], seed: int) -> None:
    chance, disk, epoch = random.Random(seed), MemoryDisk(), 0
    directory = directory_on(disk)
    log = orders(directory, segment_bytes=400)
    for step in steps:
        if step == "append":
            log.append_own(encode_batch([Record(0, NOW, b"k", b"value")]), epoch, NOW)
        elif step == "lead":
            epoch += 1
            log.epochs.assign(epoch, log.log_end_offset)
        elif step == "flush":
            log.flush(NOW)
        elif step == "roll" and log.segments[-1].size:
            log.roll(NOW)
        elif step == "cut":
            log.truncate_to(log.log_end_offset - 1 if log.log_end_offset else 0)
            directory.note_truncation(log)
            epoch += 1
        elif step == "small":
            for one in directory.take_small_files(1):
                one.flush()
                directory.on_flushed(one, None)
        elif step == "checkpoint":
            directory.checkpoint_recovery_points()
        elif step in ("restart", "crash"):
            directory.close(NOW) if step == "restart" else disk.crash(chance)
            directory = directory_on(disk)
            log = orders(directory, segment_bytes=400)
            epoch += 1
        starts: dict[int, int] = {}
        for one in log.batches_from(0):
            starts.setdefault(one.header.partition_leader_epoch, one.header.base_offset)
        assert [entry for entry in log.epochs.entries if entry[1] < log.log_end_offset] == list(starts.items())


def test_a_new_log_has_its_small_files_written_by_a_flush_and_not_before() -> None:
    disk = MemoryDisk()
    directory = directory_on(disk)
    log = orders(directory)
    log.epochs.assign(3, 0)
    assert [name for name in disk.files if "orders-0" in name and not name.endswith(".log")] == []
    assert not directory.has_small_files, "a log without records needs none"
    log.append_own(encode_batch([Record(0, NOW, b"k", b"a")]), 3, NOW)
    (one,) = directory.take_small_files(8)
    one.flush()
    directory.on_flushed(one, None)
    assert not directory.has_small_files
    assert disk.files["/data/orders-0/leader-epoch-checkpoint"] == b"0\n1\n3 0\n"
    assert b"topic_id" in disk.files["/data/orders-0/partition.metadata"]


def test_the_kept_recovery_point_waits_for_the_leader_epochs() -> None:
    disk = MemoryDisk()
    directory = directory_on(disk)
    log = orders(directory)
    log.append_own(encode_batch([Record(0, NOW, b"k", b"a")]), 1, NOW)
    log.flush(NOW)
    directory.checkpoint_recovery_points()
    assert disk.files["/data/recovery-point-offset-checkpoint"] == b"0\n1\norders 0 0\n"
    for one in directory.take_small_files(8):
        one.flush()
        directory.on_flushed(one, None)
    directory.checkpoint_recovery_points()
    assert disk.files["/data/recovery-point-offset-checkpoint"] == b"0\n1\norders 0 1\n"


def test_small_files_of_a_log_that_was_deleted_meanwhile_are_passed_over() -> None:
    disk = MemoryDisk()
    directory = directory_on(disk)
    append(orders(directory), b"a")
    (one,) = directory.take_small_files(8)
    directory.delete_log("orders", 0, NOW)
    one.flush()
    directory.on_flushed(one, OSError("gone"))
    assert directory.is_online
