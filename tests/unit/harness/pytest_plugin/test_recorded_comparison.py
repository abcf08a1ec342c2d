"""--record and --recorded, on small suites of their own with targets that are made up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_differences_plugin import BODY, ENTRY, counts, run

HOME = "recordings"
FOLDER = f"{HOME}/kafka-9.9"
KAFKA = ("--target", "kafka@9.9")
SAME = "def test_water(observe):\n    observe('depth', 3)\n"


def again(pytester: pytest.Pytester, body: str, *options: str, chosen: str = "checks") -> pytest.RunResult:
    """Runs the suite once more, with other checks in its file."""
    path = pytester.path / "checks" / "area" / "test_water.py"
    path.write_text(path.read_text(encoding="utf-8").partition('"""\n')[0] + '"""\n' + body, encoding="utf-8")
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", chosen, *options)


def test_what_is_as_recorded_holds(pytester: pytest.Pytester) -> None:
    run(pytester, SAME, *KAFKA, "--record", HOME)

    result = again(pytester, SAME, "--target", "reference@9.9", "--recorded", FOLDER)

    assert result.ret == 0
    assert counts(result) == "3 held · 0 broken · 0 unknown · 0 differ · 0 known bugs · 0 observed · 0 skipped"


def test_a_difference_from_the_recording_names_both_and_the_way_to_run_it_again(pytester: pytest.Pytester) -> None:
    run(pytester, SAME, *KAFKA, "--record", HOME)

    result = again(pytester, SAME.replace("3", "4"), "--target", "reference@9.9", "--recorded", FOLDER)

    assert result.ret != 0
    result.stdout.fnmatch_lines(
        [
            "DIFFERS*area/water*reference@9.9 | recorded kafka@9.9*field depth",
            "*reference@9.9*depth = 4",
            "*recorded kafka@9.9*depth = 3",
            "*-m pytest checks/area/test_water.py -k water --target reference@9.9",
        ]
    )


def test_an_accepted_difference_is_accepted_from_the_recording_too(pytester: pytest.Pytester) -> None:
    entry = (ENTRY % "2999-01-01").replace('"lake"', '"kafka@*"')
    run(pytester, SAME, *KAFKA, "--record", HOME, entries=entry)

    result = again(
        pytester, BODY.replace('"reference"', '"kafka@9.9"'), "--target", "reference@9.9", "--recorded", FOLDER
    )

    assert "0 broken · 0 unknown · 1 differ" in counts(result)  # another colour is not accepted
    result.stdout.no_fnmatch_line("DIFFERS*field depth")


def test_a_recording_that_is_stale_says_how_to_make_it_anew(pytester: pytest.Pytester) -> None:
    run(pytester, SAME, *KAFKA, "--record", HOME)

    result = again(pytester, SAME.replace("3", "4"), *KAFKA, "--recorded", FOLDER)

    assert result.ret != 0
    result.stdout.fnmatch_lines(
        ["*Record again with:", "*python* -m harness record --target kafka@9.9 checks/area/test_water.py"]
    )


def test_a_check_that_observes_more_than_is_recorded_differs(pytester: pytest.Pytester) -> None:
    run(pytester, SAME, *KAFKA, "--record", HOME)

    result = again(pytester, SAME + "    observe('width', 1)\n", "--target", "reference@9.9", "--recorded", FOLDER)

    assert result.ret != 0
    result.stdout.fnmatch_lines(["DIFFERS*field (observations)"])


def test_a_check_without_a_recording_fails(pytester: pytest.Pytester) -> None:
    run(pytester, SAME, *KAFKA, "--record", HOME)
    more = SAME + "\n\ndef test_ice(observe):\n    observe('colour', 'white')\n"

    result = again(pytester, more, "--target", "reference@9.9", "--recorded", FOLDER)

    assert result.ret != 0
    result.stdout.fnmatch_lines(["*area/water::ice: observed, but not recorded"])


def test_a_recording_without_its_check_fails(pytester: pytest.Pytester) -> None:
    more = SAME + "\n\ndef test_ice(observe):\n    observe('colour', 'white')\n"
    run(pytester, more, *KAFKA, "--record", HOME)

    result = again(pytester, SAME, "--target", "reference@9.9", "--recorded", FOLDER)

    assert result.ret != 0
    result.stdout.fnmatch_lines(["*area/water::ice: recorded, but there is no such check"])


def test_a_part_of_a_file_does_not_show_that_a_check_is_gone(pytester: pytest.Pytester) -> None:
    more = SAME + "\n\ndef test_ice(observe):\n    observe('colour', 'white')\n"
    run(pytester, more, *KAFKA, "--record", HOME)

    result = again(pytester, more, "--target", "reference@9.9", "--recorded", FOLDER, "-k", "ice")

    assert result.ret == 0


def test_a_recording_of_a_part_keeps_the_rest(pytester: pytest.Pytester) -> None:
    more = SAME + "\n\ndef test_ice(observe):\n    observe('colour', 'white')\n"
    run(pytester, more, *KAFKA, "--record", HOME)
    before = (pytester.path / FOLDER / "area" / "water.jsonl").read_text(encoding="utf-8")

    again(pytester, more, *KAFKA, "--record", HOME, "-k", "ice")

    assert (pytester.path / FOLDER / "area" / "water.jsonl").read_text(encoding="utf-8") == before


def test_a_recording_of_checks_that_are_gone_is_removed(pytester: pytest.Pytester) -> None:
    run(pytester, SAME, *KAFKA, "--record", HOME)
    old = pytester.path / FOLDER / "area" / "ice.jsonl"
    old.write_text((pytester.path / FOLDER / "area" / "water.jsonl").read_text(encoding="utf-8"), encoding="utf-8")

    again(pytester, SAME, *KAFKA, "--record", HOME)

    assert [path.name for path in old.parent.iterdir()] == ["water.jsonl"]


def test_what_does_not_observe_is_left_out_of_a_recording(pytester: pytest.Pytester) -> None:
    more = SAME + "\n\ndef test_ice(target):\n    pass\n\n\ndef test_snow(observe):\n    observe('colour', 'white')\n"
    result = run(pytester, more, *KAFKA, "--record", HOME)
    path = pytester.path / FOLDER / "area" / "water.jsonl"
    before = path.read_text(encoding="utf-8")

    again(pytester, more, *KAFKA, "--record", HOME, "-k", "snow or ice")

    assert "2 observed" in counts(result)
    assert path.read_text(encoding="utf-8") == before


def test_what_did_not_hold_is_not_recorded(pytester: pytest.Pytester) -> None:
    result = run(pytester, SAME + "    assert False\n", *KAFKA, "--record", HOME)

    assert result.ret != 0
    assert not list((pytester.path / HOME).rglob("*.jsonl"))


def test_a_target_of_another_release_is_not_compared(pytester: pytest.Pytester) -> None:
    run(pytester, SAME, *KAFKA, "--record", HOME)

    result = again(pytester, SAME, "--target", "kafka@9.8", "--recorded", FOLDER)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = [line for line in (*result.outlines, *result.errlines) if "is of release 9.9, and not of 9.8" in line]
    assert len(said) == 1


def test_the_recording_of_a_targets_release_is_compared_without_asking(pytester: pytest.Pytester) -> None:
    run(pytester, SAME, *KAFKA, "--record", "tests/recorded")

    result = again(pytester, SAME.replace("3", "4"), "--target", "reference@9.9")

    result.stdout.fnmatch_lines(["DIFFERS*area/water*reference@9.9 | recorded kafka@9.9*field depth"])


def test_a_target_whose_release_is_not_recorded_is_observed(pytester: pytest.Pytester) -> None:
    run(pytester, SAME, *KAFKA, "--record", "tests/recorded")

    result = again(pytester, SAME, "--target", "reference@9.8")

    assert result.ret == 0
    assert "1 observed" in counts(result)
    result.stdout.fnmatch_lines(["recorded *reference@9.8: there is no recording of release 9.8"])


def test_no_recording_at_all_ends_the_run_with_one_line(pytester: pytest.Pytester) -> None:
    result = run(pytester, SAME, "--target", "reference@9.9", "--recorded")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = [line for line in (*result.outlines, *result.errlines) if "there is no recording of release 9.9" in line]
    assert len(said) == 1
