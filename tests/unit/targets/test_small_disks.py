"""A small disk can be filled and cleared, and goes with its folder, whoever removes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.hosts import small_disk
from harness.hosts.identity import identity_of
from harness.hosts.small_disk import SmallDisk, mounted_below, unmount_below
from harness.pytest_plugin.lacking import skip_for
from harness.targets import leftovers

MOUNTS = r"""36 35 98:0 / / rw,noatime master:1 - ext3 /dev/root rw
37 36 0:5 / /tmp/x/a\040disk rw - tmpfs small-disk rw
38 37 0:6 / /tmp/x/a\040disk/inner rw - tmpfs small-disk rw
39 36 0:7 / /tmp/xy rw - tmpfs other rw
"""


@pytest.fixture
def disk(tmp_path: Path) -> SmallDisk:
    if (lack := small_disk.lack()) is not None:
        skip_for(lack)
    made = SmallDisk(tmp_path / "disk", 1)
    made.mount()
    return made


def test_what_is_mounted_below_a_folder_is_found_the_deepest_first() -> None:
    assert mounted_below(Path("/tmp/x"), MOUNTS) == [Path("/tmp/x/a disk/inner"), Path("/tmp/x/a disk")]


def test_a_full_disk_takes_nothing_until_there_is_room(disk: SmallDisk) -> None:
    filled = disk.fill()
    with pytest.raises(OSError, match="No space left"):
        (disk.path / "more").write_bytes(bytes(8192))
    disk.make_room()
    (disk.path / "more").write_bytes(bytes(8192))
    assert 900_000 < filled <= 1 << 20
    unmount_below(disk.path.parent)


def test_a_folder_that_was_taken_away_comes_back_with_all_that_was_in_it(disk: SmallDisk) -> None:
    disk.data_dir.mkdir()
    with (disk.data_dir / "open").open("w") as file:
        disk.take_away()
        with pytest.raises(NotADirectoryError):
            (disk.data_dir / "new").write_text("")
        file.write("what is open stays so")
    disk.bring_back()
    assert (disk.data_dir / "open").read_text() == "what is open stays so"
    unmount_below(disk.path.parent)


def test_the_disk_of_a_run_that_was_killed_is_unmounted_by_the_next(tmp_path: Path) -> None:
    if (lack := small_disk.lack()) is not None:
        skip_for(lack)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as owner:
        identity = identity_of(owner.pid)
        owner.kill()
    assert identity is not None
    folder = tmp_path / "kafka-verification-x"
    folder.mkdir()
    (folder / "owner").write_text(identity.text())
    SmallDisk(folder / "disk", 1).mount()

    assert leftovers.sweep_folders(tmp_path) == (folder,)
    assert (mounted_below(folder), folder.exists()) == ([], False)


def test_a_disk_goes_with_its_folder_even_while_it_is_in_use(disk: SmallDisk) -> None:
    with (disk.path / "open").open("wb"):
        leftovers.remove_folder(disk.path.parent)
    assert (mounted_below(disk.path.parent), disk.path.parent.exists()) == ([], False)
