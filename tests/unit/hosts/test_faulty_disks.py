"""A faulty disk works as a disk does until it is told otherwise, and goes with the harness."""

from __future__ import annotations

import fcntl
import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from harness.hosts.faulty_disk import disk as faulty_disk
from harness.hosts.faulty_disk.disk import FaultyDisk
from harness.hosts.faulty_disk.stored import Loss
from harness.hosts.host import HostTrouble
from harness.hosts.small_disk import mounted_below
from harness.pytest_plugin.lacking import skip_for

GONE_WITHIN_S = 20.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FaultyDisk]:
    if (lack := faulty_disk.lack()) is not None:
        skip_for(lack)
    made = FaultyDisk(tmp_path / "disk", tmp_path / "disk.log")
    made.mount(beside=tmp_path)
    yield made
    made.unmount()


def flush_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


def test_files_and_folders_are_as_they_were_written(disk: FaultyDisk) -> None:
    folder = disk.path / "topic-0"
    folder.mkdir()
    (folder / "a").write_bytes(bytes(range(256)) * 64)
    (folder / "a").rename(folder / "b")
    with (folder / "b").open("r+b") as file:
        file.truncate(300)

    assert [path.name for path in folder.iterdir()] == ["b"]
    assert (folder / "b").read_bytes() == (bytes(range(256)) * 2)[:300]
    (folder / "b").unlink()
    folder.rmdir()
    assert list(disk.path.iterdir()) == []


def test_what_was_mapped_and_not_flushed_is_lost_as_well(disk: FaultyDisk) -> None:
    """Kafka writes its indexes by mmap: so it goes through the page cache of the kernel."""
    with (disk.path / "index").open("w+b") as file:
        file.truncate(8192)
        with mmap.mmap(file.fileno(), 8192) as mapped:
            mapped[0:4] = b"kept"
            mapped.flush()
            mapped[4096:4100] = b"lost"
    flush_folder(disk.path)
    assert (disk.path / "index").read_bytes()[4096:4100] == b"lost"

    disk.lose_power(Loss.ALL, Random(1))

    assert (disk.path / "index").read_bytes() == b"kept" + bytes(8188)


def test_what_is_open_when_the_power_goes_is_open_no_more(disk: FaultyDisk) -> None:
    with (disk.path / "log").open("wb", buffering=0) as file:
        os.fsync(file.fileno())
        flush_folder(disk.path)
        disk.lose_power(Loss.ALL, Random(1))
        with pytest.raises(OSError, match="Stale"):
            file.write(b"x")
    assert (disk.path / "log").read_bytes() == b""


def test_a_locked_file_is_locked_for_others(disk: FaultyDisk) -> None:
    """Kafka locks its log folders (fcntl)."""
    program = f"import fcntl; fcntl.lockf(open({str(disk.path / 'lock')!r}, 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    with (disk.path / "lock").open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "BlockingIOError" in other.stderr


@pytest.mark.parametrize(
    ("trouble", "says"),
    [("protect", "Read-only file system"), ("fill", "No space left on device")],
)
def test_a_troubled_disk_refuses_changes_until_it_is_mended(disk: FaultyDisk, trouble: str, says: str) -> None:
    (disk.path / "there").write_bytes(b"data")
    getattr(disk, trouble)()
    with pytest.raises(OSError, match=says):
        (disk.path / "new").write_bytes(b"more")
    assert (disk.path / "there").read_bytes() == b"data"
    disk.mend()
    (disk.path / "new").write_bytes(b"more")


def test_operations_fail_on_the_paths_that_were_named(disk: FaultyDisk) -> None:
    for name in ("a.log", "a.index"):
        (disk.path / name).write_bytes(b"data")
    disk.fail(["read"], "*.log")
    with pytest.raises(OSError, match="Input/output error"):
        (disk.path / "a.log").read_bytes()
    assert (disk.path / "a.index").read_bytes() == b"data"


def test_a_slow_disk_takes_its_time_to_flush(disk: FaultyDisk) -> None:
    disk.slow(0.2, 0.2)
    began = time.monotonic()
    flush_folder(disk.path)
    assert time.monotonic() - began > 0.19


def test_an_unknown_operation_is_refused(disk: FaultyDisk) -> None:
    with pytest.raises(HostTrouble, match="unknown operation 'eat'"):
        disk.fail(["eat"])


def test_a_disk_whose_harness_was_killed_unmounts_itself(tmp_path: Path) -> None:
    if (lack := faulty_disk.lack()) is not None:
        skip_for(lack)
    program = (
        "import sys, time; from pathlib import Path; from harness.hosts.faulty_disk.disk import FaultyDisk\n"
        "folder = Path(sys.argv[1]); disk = FaultyDisk(folder / 'disk', folder / 'log')\n"
        "disk.mount(folder); print('mounted', flush=True)\n"
        "time.sleep(60)"
    )
    harness = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert harness.stdout is not None
    assert harness.stdout.readline() == b"mounted\n"
    assert mounted_below(tmp_path)

    harness.send_signal(signal.SIGKILL)
    harness.communicate()

    deadline = time.monotonic() + GONE_WITHIN_S
    while mounted_below(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not mounted_below(tmp_path)
