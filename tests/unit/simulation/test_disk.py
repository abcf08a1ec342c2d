"""A disk that loses what was not flushed, as a test sees it before and after a crash."""

from __future__ import annotations

import random

import pytest

from reference_broker.simulation.disk import SimulatedDisk

SEEDS = range(40)


def crashed(disk: SimulatedDisk, seed: int) -> SimulatedDisk:
    disk.crash(random.Random(seed))
    return disk


def with_file(content: bytes = b"flushed") -> SimulatedDisk:
    disk = SimulatedDisk()
    disk.make_directories("/data")
    disk.flush_directory("/")
    file = disk.open("/data/file", create=True)
    file.append([content])
    file.flush()
    disk.flush_directory("/data")
    return disk


def test_what_was_written_is_read() -> None:
    file = with_file().open("/data/file")
    position = file.append([b"more", memoryview(b" bytes")])
    assert (position, file.size, file.read_at(5, 100)) == (7, 17, b"edmore bytes")


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_flushed_survives(seed: int) -> None:
    disk = with_file()
    disk.open("/data/file").append([b" and this was not"])
    assert crashed(disk, seed).read("/data/file").startswith(b"flushed")


def test_of_what_was_not_flushed_any_part_may_survive() -> None:
    ends = set()
    for seed in range(200):
        disk = with_file(b"")
        disk.open("/data/file").append([b"abc"])
        ends.add(crashed(disk, seed).read("/data/file")[:3])
    assert {b"", b"a", b"ab", b"abc"} <= ends


def test_bytes_that_nobody_wrote_may_stand_at_the_end() -> None:
    sizes = []
    for seed in SEEDS:
        disk = with_file(b"")
        disk.open("/data/file").append([b"abc"])
        sizes.append(len(crashed(disk, seed).read("/data/file")))
    assert max(sizes) > 3


def test_a_truncation_that_was_not_flushed_may_be_undone() -> None:
    found = set()
    for seed in SEEDS:
        disk = with_file(b"abcdef")
        disk.open("/data/file").truncate(2)
        found.add(crashed(disk, seed).read("/data/file")[:6])
    assert b"abcdef" in found
    assert all(content[:2] == b"ab" for content in found)


def test_a_truncation_that_was_flushed_stays() -> None:
    disk = with_file(b"abcdef")
    file = disk.open("/data/file")
    file.truncate(2)
    file.flush()
    assert {crashed(disk, seed).read("/data/file") for seed in SEEDS} == {b"ab"}


def test_a_new_file_may_be_gone_until_its_folder_was_flushed() -> None:
    found = set()
    for seed in SEEDS:
        disk = with_file()
        disk.open("/data/new", create=True).flush()
        found.add(crashed(disk, seed).exists("/data/new"))
    assert found == {True, False}


def test_a_renamed_file_is_never_gone() -> None:
    names = []
    for seed in SEEDS:
        disk = with_file()
        disk.open("/data/file").rename("/data/other")
        names.append(crashed(disk, seed).list("/data"))
    assert sorted(map(tuple, dict.fromkeys(map(tuple, names)))) == [("file",), ("other",)]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_atomic_write_is_durable(seed: int) -> None:
    disk = with_file()
    disk.write_atomically("/data/file", b"new")
    assert crashed(disk, seed).read("/data/file") == b"new"


def test_a_plain_write_promises_nothing() -> None:
    found = set()
    for seed in range(200):
        disk = with_file(b"old")
        disk.write_plainly("/data/file", b"newer")
        found.add(crashed(disk, seed).read("/data/file")[:5])
    assert {b"old", b"newer"} <= found


def test_a_process_that_ends_loses_nothing() -> None:
    disk = with_file()
    disk.open("/data/file").append([b"!"])
    disk.stop()
    assert crashed(disk, 1).read("/data/file").startswith(b"flushed")


def test_a_lock_is_held_until_the_process_ends() -> None:
    disk = with_file()
    disk.lock("/data/.lock")
    with pytest.raises(BlockingIOError):
        disk.lock("/data/.lock")
    disk.stop()
    disk.lock("/data/.lock")


def test_a_broken_disk_fails() -> None:
    disk = with_file()
    disk.is_broken = True
    with pytest.raises(OSError, match="the disk is broken"):
        disk.open("/data/file")


def test_a_full_disk_takes_what_it_has_room_for() -> None:
    disk = with_file()
    disk.free = 3
    with pytest.raises(OSError, match="the disk is full"):
        disk.open("/data/file").append([b"four"])
    assert disk.read("/data/file") == b"flushedfou"


def test_a_broken_folder_fails_and_others_do_not() -> None:
    disk = with_file()
    disk.make_directories("/data2")
    disk.broken_folders["/data/"] = None
    with pytest.raises(OSError, match="the disk is broken"):
        disk.open("/data/file")
    assert (disk.list("/data2"), disk.has_failed) == ([], True)


def test_a_mended_disk_has_what_was_written() -> None:
    disk = with_file()
    disk.broken_folders["/data/"] = None
    disk.free = 0
    disk.mend()
    disk.open("/data/file").append([b"!"])
    assert (disk.read("/data/file"), disk.has_failed) == (b"flushed!", False)


def test_nothing_fails_for_whom_the_disk_is_spared() -> None:
    disk = with_file()
    disk.is_broken = True
    with disk.spared():
        assert disk.read("/data/file") == b"flushed"
    with pytest.raises(OSError, match="the disk is broken"):
        disk.read("/data/file")


def test_a_slice_stays_readable_when_the_file_is_gone() -> None:
    disk = with_file()
    part = disk.open("/data/file").slice(1, 3)
    disk.remove("/data/file")
    assert disk.bytes_of(part) == b"lus"


def test_the_same_seed_tears_the_same_bytes() -> None:
    found = []
    for _ in range(2):
        disk = with_file(b"")
        disk.open("/data/file").append([b"0123456789"])
        found.append(crashed(disk, 7).read("/data/file"))
    assert found[0] == found[1]


def test_a_folder_moves_with_all_it_holds() -> None:
    disk = with_file()
    disk.rename("/data", "/gone")
    assert (disk.exists("/data"), disk.read("/gone/file")) == (False, b"flushed")
