"""What a killed run leaves is cleared by the next one, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.hosts.host import ProcessState
from harness.hosts.identity import ProcessIdentity, identity_of, is_dead, own_identity, parse
from harness.hosts.plain import PlainHost
from harness.targets import leftovers

SLEEPER = "import time; time.sleep(60)"


@pytest.fixture
def dead() -> ProcessIdentity:
    """The identity of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", SLEEPER]) as process:
        identity = identity_of(process.pid)
        process.kill()
    assert identity is not None
    return identity


@pytest.fixture
def node() -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs on."""
    with subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True) as process:
        yield process
        process.kill()


def folder_of(owner: ProcessIdentity, parent: Path) -> Path:
    folder = parent / "kafka-verification-x"
    folder.mkdir()
    (folder / "owner").write_text(owner.text())
    return folder


def test_an_identity_is_read_back_from_its_line() -> None:
    assert parse(own_identity().text() + "\n") == own_identity()


@pytest.mark.parametrize("text", ["", "a|b|c|d", "a|b|1"])
def test_what_is_no_identity_is_none(text: str) -> None:
    assert parse(text) is None


def test_we_are_not_dead() -> None:
    assert not is_dead(own_identity(), is_of_this_machine=True)


def test_an_ended_process_is_dead(dead: ProcessIdentity) -> None:
    assert is_dead(dead, is_of_this_machine=True)


def test_a_process_id_that_was_given_out_again_is_another_process() -> None:
    assert is_dead(replace(own_identity(), started="1"), is_of_this_machine=True)


@pytest.mark.parametrize("is_of_this_machine", [True, False])
def test_another_boot_means_an_end_only_on_this_machine(is_of_this_machine: bool) -> None:
    other = replace(own_identity(), boot="another")
    assert is_dead(other, is_of_this_machine=is_of_this_machine) is is_of_this_machine


def test_what_runs_in_another_container_cannot_be_told_dead(dead: ProcessIdentity) -> None:
    assert not is_dead(replace(dead, namespace="pid:[1]"), is_of_this_machine=True)


def test_the_folder_of_a_dead_owner_is_removed(dead: ProcessIdentity, tmp_path: Path) -> None:
    folder = folder_of(dead, tmp_path)
    assert (leftovers.sweep_folders(tmp_path), folder.exists()) == ((folder,), False)


def test_the_node_of_a_dead_owner_is_ended(
    dead: ProcessIdentity, node: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    leftovers.note_process(folder_of(dead, tmp_path), node.pid)
    leftovers.sweep_folders(tmp_path)
    assert PlainHost().state_of(node.pid) is ProcessState.GONE


def test_another_process_with_the_nodes_number_is_left_alone(
    dead: ProcessIdentity, node: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    other = replace(own_identity(), pid=node.pid, started="1")
    (folder_of(dead, tmp_path) / "node.process").write_text(other.text())
    leftovers.sweep_folders(tmp_path)
    assert node.poll() is None


def test_the_folder_of_a_living_owner_stays(tmp_path: Path) -> None:
    folder = folder_of(own_identity(), tmp_path)
    assert (leftovers.sweep_folders(tmp_path), folder.exists()) == ((), True)


def test_a_folder_without_an_owner_stays(tmp_path: Path) -> None:
    (tmp_path / "kafka-verification-theirs").mkdir()
    assert leftovers.sweep_folders(tmp_path) == ()


def test_a_link_to_a_folder_is_not_followed(dead: ProcessIdentity, tmp_path: Path) -> None:
    target = folder_of(dead, tmp_path).rename(tmp_path / "elsewhere")
    (tmp_path / "kafka-verification-link").symlink_to(target)
    assert (leftovers.sweep_folders(tmp_path), target.exists()) == ((), True)


def test_a_temporary_folder_is_ours_while_it_is_used() -> None:
    with leftovers.temporary_folder() as folder:
        owner = parse((folder / "owner").read_text())
    assert (owner, folder.exists()) == (own_identity(), False)


def test_a_process_that_does_not_run_has_no_identity() -> None:
    assert identity_of(os.getppid() + 10_000_000) is None


def test_a_folder_is_in_memory_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "MEMORY", tmp_path)
    monkeypatch.setattr(leftovers, "MEMORY_WANTED", 0)
    folder = leftovers.new_folder(in_memory=True)

    assert folder.parent == tmp_path


@pytest.mark.parametrize("wanted", [True, False])
def test_a_folder_is_on_disk_where_memory_is_short_or_not_wanted(
    wanted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "MEMORY", tmp_path)
    monkeypatch.setattr(leftovers, "MEMORY_WANTED", 1 << 62 if wanted else 0)
    folder = leftovers.new_folder(in_memory=wanted)

    assert folder.parent != tmp_path
    leftovers.remove_folder(folder)


def test_a_machine_without_files_in_memory_has_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "MEMORY", tmp_path / "absent")
    folder = leftovers.new_folder(in_memory=True)

    assert folder.is_dir()
    assert leftovers.sweep_folders(leftovers.MEMORY) == ()
    leftovers.remove_folder(folder)
