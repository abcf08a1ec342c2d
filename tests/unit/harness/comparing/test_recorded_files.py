"""Recordings as files: they come back as they were, are the same each time, and damage is told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.comparing.observation import Observation, Pace, RequestOutcome, remark
from harness.comparing.recorded.answers import (
    RecordingTrouble,
    folder_for,
    read_file,
    read_recording,
    same_form,
    write_file,
)

LONG = [{"name": f"setting.{number}", "value": "x" * 20} for number in range(20)]
SEEN = (
    Observation(api="Fetch", version=12, request="a batch", sent={"topics": ["orders"]}, answer={"error_code": 0}),
    Observation(api="Fetch", version=12, request="nothing", outcome=RequestOutcome.CLOSED, pace=Pace.WAITED),
    remark("depth", 3),
)


def write(folder: Path, checks: dict[str, tuple[Observation, ...]], **more: str) -> bool:
    told = {"target": "kafka@4.3.1", "release": "4.3.1", "file": "area/water", **more}
    return write_file(folder / "area" / "water.jsonl", checks=checks, **told)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, {"area/water::flows": SEEN})

    recording = read_recording(tmp_path)

    assert (recording.name, recording.release) == ("recorded kafka@4.3.1", "4.3.1")
    assert recording.checks == {"area/water::flows": SEEN}


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    assert write(tmp_path, {"b": SEEN, "a": SEEN})
    assert not write(tmp_path, {"a": SEEN, "b": SEEN})


def test_a_long_part_that_occurs_twice_is_written_once(tmp_path: Path) -> None:
    several = tuple(
        Observation(api="DescribeConfigs", version=v, request="all", answer={"configs": LONG}) for v in (1, 4)
    )
    write(tmp_path, {"a": several})

    text = (tmp_path / "area" / "water.jsonl").read_text(encoding="utf-8")

    assert text.count("setting.19") == 1
    assert read_recording(tmp_path).checks["a"] == several


def test_a_part_within_a_part_comes_back_too(tmp_path: Path) -> None:
    outer = {"all": LONG, "more": {"inner": LONG}}
    seen = (remark("one", outer), remark("two", outer), remark("alone", LONG))
    write(tmp_path, {"a": seen})

    assert read_recording(tmp_path).checks["a"] == seen


def test_tuples_compare_as_the_lists_that_they_become() -> None:
    assert same_form([remark("pair", (1, 2))])[0].answer == {"pair": [1, 2]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}\n",
        "not json\n",
        '{"form":1,"recorded":"kafka@4.3.1","release":"4.3.1"}\n{"api":"Fetch"}\n',
        '{"form":1,"recorded":"kafka@4.3.1","release":"4.3.1"}\n{"check":"a"}\n{"api":"Fetch"}\n',
        '{"form":1,"recorded":"kafka@4.3.1","release":"4.3.1"}\n{"check":"a"}\n[1]\n',
    ],
    ids=["empty", "no first line", "no json", "no check", "half an observation", "no object"],
)
def test_a_damaged_file_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "water.jsonl"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(RecordingTrouble) as caught:
        read_file(path)

    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_another_form_says_how_to_make_it_anew(tmp_path: Path) -> None:
    path = tmp_path / "water.jsonl"
    path.write_text('{"form":99,"recorded":"kafka@4.2.1","release":"4.2.1"}\n', encoding="utf-8")

    with pytest.raises(RecordingTrouble, match=r"form 99.*harness record --target kafka@4\.2\.1"):
        read_file(path)


def test_a_folder_without_a_recording_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingTrouble, match=r"no recording here; make one with: .*python.* -m harness record"):
        read_recording(tmp_path)


def test_a_folder_of_two_releases_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"a": SEEN})
    other = {"target": "kafka@4.2.1", "release": "4.2.1", "file": "area/ice"}
    write_file(tmp_path / "area" / "ice.jsonl", checks={"b": SEEN}, **other)

    with pytest.raises(RecordingTrouble, match="of several targets"):
        read_recording(tmp_path)


def test_a_release_line_means_its_last_release(tmp_path: Path) -> None:
    for name in ("kafka-4.3.1", "kafka-4.3.10", "kafka-4.3.9", "kafka-4.2.1"):
        (tmp_path / name).mkdir()

    assert folder_for("4.3", tmp_path) == tmp_path / "kafka-4.3.10"
    assert folder_for("4.3.1", tmp_path) == tmp_path / "kafka-4.3.1"
    assert folder_for("4.1", tmp_path) is None
