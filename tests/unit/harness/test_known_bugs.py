"""The file of known bugs: what an entry says, and what is told of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.catalogue import ROOT, check_files
from harness.known_bugs import KNOWN_BUGS_FILE, KnownBugs, KnownBugsTrouble, read_known_bugs

CHECK = "metadata/settings::are_gone[raw]"
ENTRY = """
[[bug]]
id = "KAFKA-1"
check = "metadata/settings::are_gone*"
releases = ["4.2", "4.3.1"]
happened = "The settings of * should be {}, and is [*]."
sentence = "Old settings stay."
link = "https://example.org/KAFKA-1"
"""
SAID = "The settings of a-7 should be {}, and is [3]."


def read(folder: Path, text: str = ENTRY) -> KnownBugs:
    path = folder / "known_bugs.toml"
    path.write_text(text, encoding="utf-8")
    return read_known_bugs(path)


@pytest.mark.parametrize("release", ["4.2.0", "4.2.7", "4.3.1"])
def test_an_entry_explains_what_its_check_says_on_its_releases(tmp_path: Path, release: str) -> None:
    bug = read(tmp_path).behind(CHECK, release, SAID)

    assert bug is not None
    assert bug.id == "KAFKA-1"


@pytest.mark.parametrize(
    ("check", "release", "said"),
    [
        ("metadata/settings::are_there[raw]", "4.3.1", SAID),
        ("metadata/other::are_gone[raw]", "4.3.1", SAID),
        (CHECK, "4.3.0", SAID),
        (CHECK, "4.20.0", SAID),
        (CHECK, "unknown", SAID),
        (CHECK, "", SAID),
        (CHECK, "4.3.1", "Node 3 does not answer."),
        (CHECK, "4.3.1", "The settings of a-7 should be {}, and is 3."),
    ],
    ids=[
        "another check",
        "another file",
        "another release",
        "another line",
        "no release",
        "no Kafka",
        "another",
        "odd",
    ],
)
def test_an_entry_explains_nothing_else(tmp_path: Path, check: str, release: str, said: str) -> None:
    assert read(tmp_path).behind(check, release, said) is None


def test_an_entry_whose_check_held_is_out_of_date(tmp_path: Path) -> None:
    complaints = read(tmp_path).complaints([(CHECK, "kafka@4.3.1", "4.3.1"), (CHECK, "kafka@4.4.0", "4.4.0")])

    assert complaints == [
        f"entry 1 (KAFKA-1) says that Kafka 4.3.1 has the bug, and {CHECK} held on kafka@4.3.1: it is no longer "
        "broken. Name the releases that still have it, or take the entry out"
    ]


def test_without_the_file_there_are_no_known_bugs(tmp_path: Path) -> None:
    assert read_known_bugs(tmp_path / "known_bugs.toml") == KnownBugs()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('id = "KAFKA-1"\n', "", "entry 1 lacks id"),
        ("sentence", "reason", "entry 1 lacks sentence; does not know reason"),
        ('link = "https://example.org/KAFKA-1"', "", "entry 1 needs a link that tells of the bug, or a script"),
        ("https://", "file://", "entry 1: link must begin with https://"),
        ('"Old settings stay."', '" "', "entry 1: sentence must be a text that is not empty"),
        ('["4.2", "4.3.1"]', '"4.2"', "entry 1: releases must be a list"),
        ('["4.2", "4.3.1"]', "[]", "entry 1: releases must be a list"),
        ('["4.2", "4.3.1"]', '["4.*"]', "entry 1: releases must be a list"),
        ("metadata/settings::", "metadata/*::", "must be one file's id"),
        ("The settings of * should be {}, and is [*].", "*", "happened must tell this bug from others"),
        ("[[bug]]", "[[bugs]]", "only [[bug]] entries may stand here, not bugs"),
        ("[[bug]]", "[[bug]", "cannot be read as TOML"),
    ],
)
def test_a_wrong_entry_is_told_in_one_line(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(KnownBugsTrouble) as raised:
        read(tmp_path, ENTRY.replace(old, new))

    assert complaint in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_each_entry_of_ours_names_a_check_that_is_there() -> None:
    functions = {
        f"{file.id}::{function.removeprefix('test_')}" for file in check_files() for function in file.functions
    }
    bugs = read_known_bugs(ROOT / "checks" / KNOWN_BUGS_FILE).bugs

    assert bugs
    assert {bug.check.partition("[")[0].removesuffix("*") for bug in bugs} <= functions
