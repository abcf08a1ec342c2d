"""A disk that is full, or a folder that cannot be made: told in one line, and nothing is left half-written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from command_process import Ended, ended

from harness.history.operations import OpType
from harness.history.store import Item, Run
from harness.history.whole_file import write_whole

NO_ROOM = "No space left on device; free some space there and run it again"
PAGE = os.sysconf("SC_PAGESIZE")
CONFTEST = 'pytest_plugins = ["harness.pytest_plugin.hooks"]\n'
CHECK = '''"""Water runs downhill."""


def test_water(target):
    """Water runs downhill."""
'''


def stored_in(folder: Path, disk: Path) -> None:
    """Has runs that are made in a folder stored on a disk."""
    (folder / "reports").mkdir()
    (folder / "reports" / "out").symlink_to(disk)


def checked(folder: Path, *options: str) -> Ended:
    """`pytest checks` in a folder with one check that holds."""
    (folder / "checks").mkdir()
    (folder / "checks" / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "checks" / "test_water.py").write_text(CHECK, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return ended(["pytest", "checks", "-p", "no:cacheprovider", *options], folder)


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_run_whose_disk_becomes_full_fails_and_says_so(
    tmp_path: Path, full_disk: Path, options: tuple[str, ...]
) -> None:
    os.truncate(full_disk / "filler", 1024 * 1024 - 3 * PAGE)
    stored_in(tmp_path, full_disk)

    found = checked(tmp_path, *options)

    (line,) = [line for line in found.out.splitlines() if line.startswith("not stored")]
    assert NO_ROOM in line
    assert "1 held" in found.out
    assert "Traceback" not in found.out
    assert found.status == 1


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_run_whose_disk_is_full_does_not_begin(tmp_path: Path, full_disk: Path, options: tuple[str, ...]) -> None:
    stored_in(tmp_path, full_disk)

    found = checked(tmp_path, *options)

    assert [line for line in found.complaints if "harness: no run can be stored" in line and NO_ROOM in line]
    assert "held" not in found.out
    assert [path.name for path in full_disk.iterdir()] == ["filler"]
    assert "Traceback" not in found.out
    assert found.status == 4


def test_a_run_for_which_there_can_be_no_folder_does_not_begin(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file", encoding="utf-8")

    found = checked(tmp_path)

    assert [
        line for line in found.complaints if line.endswith("reports/out: Not a directory; a folder is needed there")
    ]
    assert found.status == 4


def test_a_report_that_has_no_room_is_not_written_by_half(stored_run: Run, full_disk: Path) -> None:
    run = full_disk / "run"
    run.mkdir()
    for item in (*(found.path for found in stored_run.items()), stored_run.path / "run.json"):
        (run / item.name).symlink_to(item)

    found = ended(["harness", "report", str(run), "--no-allure"])

    (line,) = found.complaints
    assert NO_ROOM in line
    assert not list(run.glob("*.new"))
    assert found.status == 1


def test_folders_that_have_no_room_are_not_formatted(full_disk: Path, tmp_path: Path) -> None:
    file, data = tmp_path / "server.properties", full_disk / "data"
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:1",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": "1@127.0.0.1:1",
        "log.dirs": str(data),
    }
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")

    found = ended(["reference_broker", "storage", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", str(file)])

    (line,) = found.complaints
    assert str(data) in line
    assert "No space left on device" in line
    assert not (data / "meta.properties").exists()
    assert found.status == 1


def test_a_history_names_its_file_when_that_has_no_room(full_disk: Path) -> None:
    os.truncate(full_disk / "filler", 1024 * 1024 - PAGE)
    history = Item(full_disk).history_writer()

    with pytest.raises(OSError, match=r"history\.jsonl") as caught:
        history.append("producer 1", OpType.INVOKE, "send", "x" * 2 * PAGE)

    assert caught.value.errno == errno.ENOSPC
    history.close()


def test_a_file_that_has_no_room_stays_as_it_was(full_disk: Path) -> None:
    path = full_disk / "page.html"
    path.touch()

    with pytest.raises(OSError, match=r"page\.html"):
        write_whole(path, "x" * 100_000)

    assert path.read_text(encoding="utf-8") == ""
    assert not list(full_disk.glob("*.new"))
