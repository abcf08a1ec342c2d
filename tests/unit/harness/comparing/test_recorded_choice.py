"""Which recording a target is compared with, and what `python -m harness record` does not take."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.comparing.observation import remark
from harness.comparing.recorded import writing as recorded_writing
from harness.comparing.recorded.answers import RecordingTrouble, folder_of, write_file
from harness.comparing.recorded.choice import Side, choose
from harness.targets.reference import BASELINE, advertised, line_that_lists
from harness.targets.target import resolve
from reference_broker.releases import RELEASES


def recorded(base: Path, *releases: str) -> None:
    for release in releases:
        path = folder_of(release, base / "tests" / "recorded") / "area" / "water.jsonl"
        seen = {"area/water": [remark("depth", 3)]}
        write_file(path, target=f"kafka@{release}", release=release, file="area/water", checks=seen)


def sides(**releases: str | None) -> list[Side]:
    return [Side(name=name, release=release) for name, release in releases.items()]


@pytest.mark.parametrize(
    ("target", "release"),
    [
        ("reference", BASELINE),
        ("reference@4.1", "4.1"),
        ("planted@drops_keys", BASELINE),
        ("kafka@4.2.1", "4.2.1"),
        ("kafka", None),
        ("docker@apache/kafka:4.3.1", "4.3.1"),
        ("docker@apache/kafka:latest", None),
        ("docker@registry:5000/kafka", None),
        ("at:127.0.0.1:1", None),
    ],
)
def test_a_target_tells_its_release_by_its_name(target: str, release: str | None) -> None:
    assert resolve(target).release == release


def test_each_target_is_compared_with_the_recording_of_its_own_release(tmp_path: Path) -> None:
    recorded(tmp_path, BASELINE, "4.2.1")

    chosen = choose("", sides(reference=BASELINE, old="4.2.1", older="4.1.2"), tmp_path)

    names = {target: recording.name for target, recording in chosen.by_target.items()}
    assert names == {"reference": f"recorded kafka@{BASELINE}", "old": "recorded kafka@4.2.1"}
    assert chosen.notes == ["older: there is no recording of release 4.1.2"]


def test_a_cluster_of_an_unknown_release_is_compared_with_the_folder_that_was_named(tmp_path: Path) -> None:
    recorded(tmp_path, "4.2.1")
    folder = folder_of("4.2.1", tmp_path / "tests" / "recorded")

    assert choose(str(folder), sides(mine=None), tmp_path).by_target["mine"].release == "4.2.1"


def test_a_cluster_of_an_unknown_release_has_no_recording_of_its_own(tmp_path: Path) -> None:
    recorded(tmp_path, "4.2.1")

    with pytest.raises(RecordingTrouble, match="there is no recording of its release, which its name does not tell"):
        choose("", sides(mine=None), tmp_path)


def test_a_cluster_that_lists_what_one_release_does_is_compared_with_its_recording(tmp_path: Path) -> None:
    recorded(tmp_path, "4.2.1")
    chosen = choose(None, [Side(name="at:lake:1", release="4.2", is_of_others=True)], tmp_path)

    assert chosen.by_target["at:lake:1"].release == "4.2.1"
    assert chosen.notes == ["at:lake:1 is of 4.2: no other release lists the same APIs and features"]


def test_a_cluster_that_lists_what_no_release_does_has_no_recording(tmp_path: Path) -> None:
    recorded(tmp_path, "4.2.1")
    chosen = choose(None, [Side(name="at:lake:1", release=None, is_of_others=True)], tmp_path)

    wanted = "at:lake:1: there is no recording of its release, which neither its name nor what it lists tells"
    assert (chosen.by_target, chosen.notes) == ({}, [wanted])


def test_a_cluster_of_several_brokers_is_compared_only_where_a_recording_is_named(tmp_path: Path) -> None:
    recorded(tmp_path, "4.2.1")
    side = Side(name="at:lake:1", release="4.2", is_of_others=True, has_several_brokers=True)

    assert not choose(None, [side], tmp_path).by_target
    assert choose(str(folder_of("4.2.1", tmp_path / "tests" / "recorded")), [side], tmp_path).by_target


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_is_known_by_what_it_lists(release: str) -> None:
    features = RELEASES[release].supported_features()

    assert line_that_lists(advertised(release), features) == release


def test_what_lists_one_api_less_is_of_no_release() -> None:
    apis = advertised("4.3")
    del apis[0]

    assert line_that_lists(apis, RELEASES["4.3"].supported_features()) is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--target", "reference"], "not of our own broker"),
        (["--target", "planted@drops_keys"], "not of our own broker"),
        (["--target", "kafka@4.3.1", "checks/nothing"], "no such checks"),
    ],
    ids=["the reference", "a plant", "no such checks"],
)
def test_wrong_input_is_told_in_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert recorded_writing.main(arguments) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
