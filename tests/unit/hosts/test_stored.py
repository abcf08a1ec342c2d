"""What a disk holds after a loss of power: what was flushed, and of the rest nothing, a part, or all but a torn end."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.hosts.faulty_disk.stored import PAGE, File, Folder, Loss, flush_all, lose_power, unflushed

SEEDS = range(100)


@pytest.fixture
def root() -> Folder:
    return Folder(0o755, 0, 0)


def file_in(folder: Folder, name: bytes, beside: Path, data: bytes = b"") -> File:
    """A new file in a folder, not flushed."""
    made = File(0o644, 0, 0, beside)
    folder.set((name, made))
    if data:
        made.write(0, data)
    return made


def content(file: File) -> bytes:
    return file.read(0, file.size)


def test_what_was_not_flushed_is_lost(root: Folder, tmp_path: Path) -> None:
    file = file_in(root, b"log", tmp_path, b"kept")
    flush_all(root)
    file.write(4, b" and lost")

    lost = lose_power(root, Loss.ALL, Random(1))

    assert (content(file), lost["files"]) == (b"kept", 1)


def test_what_was_flushed_before_it_was_overwritten_comes_back(root: Folder, tmp_path: Path) -> None:
    file = file_in(root, b"index", tmp_path, b"a" * 3 * PAGE)
    flush_all(root)
    file.write(PAGE - 2, b"bbbb")

    lose_power(root, Loss.ALL, Random(1))

    assert content(file) == b"a" * 3 * PAGE


def test_what_was_cut_off_without_a_flush_comes_back(root: Folder, tmp_path: Path) -> None:
    file = file_in(root, b"log", tmp_path, b"abc" * PAGE)
    flush_all(root)
    file.truncate(5)
    file.write(5, b"other")

    lose_power(root, Loss.ALL, Random(1))

    assert content(file) == b"abc" * PAGE


def test_a_file_whose_folder_was_not_flushed_has_no_name(root: Folder, tmp_path: Path) -> None:
    """As POSIX has it: fsync of the file itself is not enough."""
    file = file_in(root, b"log", tmp_path, b"data")
    file.flush()

    assert (lose_power(root, Loss.ALL, Random(1))["changes"], root.entries) == (1, {})


def test_a_file_whose_removal_was_not_flushed_is_there_again(root: Folder, tmp_path: Path) -> None:
    file_in(root, b".kafka_cleanshutdown", tmp_path)
    flush_all(root)
    root.set((b".kafka_cleanshutdown", None))

    lose_power(root, Loss.ALL, Random(1))

    assert list(root.entries) == [b".kafka_cleanshutdown"]


def test_a_name_that_was_not_flushed_stands_for_what_it_stood_for_before(root: Folder, tmp_path: Path) -> None:
    old = file_in(root, b"checkpoint", tmp_path, b"old")
    flush_all(root)
    new = file_in(root, b"checkpoint.tmp", tmp_path, b"new")
    new.flush()
    root.set((b"checkpoint.tmp", None), (b"checkpoint", new))

    lose_power(root, Loss.ALL, Random(1))

    assert (root.entries, old.path) == ({b"checkpoint": old}, "checkpoint")


def test_changes_of_a_folder_are_lost_from_some_one_on(root: Folder, tmp_path: Path) -> None:
    seen = set()
    for seed in SEEDS:
        folder = Folder(0o755, 0, 0)
        for number in range(3):
            file_in(folder, b"%d" % number, tmp_path)
        lose_power(folder, Loss.SOME, Random(seed))
        seen.add(b"".join(folder.entries))
    assert seen == {b"", b"0", b"01", b"012"}


def test_any_pages_may_be_there_and_zeros_for_the_others(root: Folder, tmp_path: Path) -> None:
    seen = set()
    for seed in SEEDS:
        folder = Folder(0o755, 0, 0)
        file = file_in(folder, b"log", tmp_path, b"a" * PAGE)
        flush_all(folder)
        file.write(PAGE, b"b" * PAGE + b"c" * PAGE)
        lose_power(folder, Loss.SOME, Random(seed))
        seen.add(tuple(content(file)[place : place + 1] for place in range(0, file.size, PAGE)))
    assert {(b"a",), (b"a", b"b"), (b"a", b"\0", b"c"), (b"a", b"\0")} <= seen
    assert all(pages[0] == b"a" for pages in seen)


def test_a_torn_write_is_the_last_one_and_has_its_first_bytes(root: Folder, tmp_path: Path) -> None:
    for seed in SEEDS:
        folder = Folder(0o755, 0, 0)
        file = file_in(folder, b"log", tmp_path, b"flushed.")
        flush_all(folder)
        file.write(8, b"written.")
        file.write(16, b"torn")
        lose_power(folder, Loss.TORN, Random(seed))
        end = content(file)[16:].rstrip(b"\0")
        assert content(file)[:16] == b"flushed.written."
        assert b"torn".startswith(end)
        assert end != b"torn"


def test_a_loss_is_the_same_with_the_same_seed(tmp_path: Path) -> None:
    def after(seed: int) -> bytes:
        folder = Folder(0o755, 0, 0)
        file = file_in(folder, b"log", tmp_path)
        flush_all(folder)
        for number in range(9):
            file.write(number * PAGE, bytes([number + 1]) * PAGE)
        lose_power(folder, Loss.SOME, Random(seed))
        return content(file)

    assert after(5) == after(5)


def test_nothing_is_left_to_lose_after_a_loss(root: Folder, tmp_path: Path) -> None:
    file_in(root, b"log", tmp_path, b"data")
    assert unflushed(root) == {"bytes": 4, "changes": 1}
    lose_power(root, Loss.TORN, Random(1))
    assert unflushed(root) == {"bytes": 0, "changes": 0}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 3 * PAGE), st.binary(min_size=1, max_size=PAGE)),
        st.tuples(st.just("truncate"), st.integers(0, 3 * PAGE), st.just(b"")),
        st.tuples(st.just("flush"), st.just(0), st.just(b"")),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_after_any_steps_what_was_last_flushed_is_there(tmp_path_factory: pytest.TempPathFactory, steps: list) -> None:
    folder = Folder(0o755, 0, 0)
    file = file_in(folder, b"log", tmp_path_factory.getbasetemp())
    flush_all(folder)
    flushed = b""
    for what, position, data in steps:
        if what == "write":
            file.write(position, data)
        elif what == "truncate":
            file.truncate(position)
        else:
            file.flush()
            flushed = content(file)

    lose_power(folder, Loss.ALL, Random(1))

    assert content(file) == flushed
