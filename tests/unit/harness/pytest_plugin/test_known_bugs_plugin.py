"""Known bugs of the target, on small suites of their own: verdict, exit status, entries that are out of date."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_plugin_verdicts import CONFTEST, counts, metas, run

ENTRY = """
[[bug]]
id = "KAFKA-1"
check = "area/water"
releases = ["9.9"]
happened = "It ran *hill."
sentence = "Water runs uphill."
link = "https://example.org/KAFKA-1"
"""
BROKEN = "def test_water(cluster): raise BrokenPromise('It ran uphill.')"


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with the plugin turned on, and a known bug of the release of all targets."""
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return pytester


def ran(suite: pytest.Pytester, body: str, *options: str, entry: str = ENTRY) -> pytest.RunResult:
    """`run` makes the folder of checks; the file of known bugs must be there before."""
    mkdir = suite.mkdir

    def with_bugs(name: str) -> Path:
        folder = mkdir(name)
        (folder / "known_bugs.toml").write_text(entry, encoding="utf-8")
        return folder

    suite.mkdir = with_bugs  # type: ignore[method-assign, assignment]
    return run(suite, body, *options)


def test_a_check_that_is_broken_as_expected_is_a_known_bug_and_fails_nothing(suite: pytest.Pytester) -> None:
    result = ran(suite, BROKEN)

    assert result.ret == 0
    assert counts(result).startswith("1 held · 0 broken · 0 unknown · 0 differ · 1 known bug · 0 observed · 0 skipped")
    result.stdout.fnmatch_lines(
        [
            "KNOWN BUG  area/water *",
            "  What happened: It ran uphill.",
            "  Known bug: KAFKA-1, of Kafka 9.9: Water runs uphill.",
            "  More       https://example.org/KAFKA-1",
        ]
    )


def test_a_known_bug_is_stored_with_its_entry(suite: pytest.Pytester) -> None:
    ran(suite, BROKEN)

    (water,) = [meta for meta in metas(suite) if meta["check"] == "area/water"]
    more = water["more"]
    assert isinstance(more, dict)
    assert (water["verdict"], more["outcome"], more["known_bug"]["id"]) == ("invalid", "known bug", "KAFKA-1")


def test_summary_json_counts_it(suite: pytest.Pytester) -> None:
    ran(suite, BROKEN)

    path = suite.path / "reports" / "out" / "latest" / "summary.json"
    assert json.loads(path.read_text(encoding="utf-8"))["counts"]["known bug"] == 1


def test_a_known_bug_is_an_expected_failure_in_junit_xml(suite: pytest.Pytester) -> None:
    ran(suite, BROKEN, "--junitxml=junit.xml")

    (skipped,) = ElementTree.parse(suite.path / "junit.xml").iter("skipped")
    assert (skipped.get("type"), skipped.get("message")) == ("pytest.xfail", "entry 1 (KAFKA-1)")


def test_a_check_that_is_broken_in_another_way_is_broken(suite: pytest.Pytester) -> None:
    result = ran(suite, "def test_water(cluster): raise BrokenPromise('It did not run.')")

    assert result.ret == 1
    assert "1 broken" in counts(result)


def test_what_proves_nothing_is_no_known_bug(suite: pytest.Pytester) -> None:
    result = ran(suite, "def test_water(cluster): raise Unproven('It ran uphill.')")

    assert result.ret == 1
    assert "1 unknown · 0 differ · 0 known bugs" in counts(result)


def test_another_release_has_no_such_bug(suite: pytest.Pytester) -> None:
    result = ran(suite, BROKEN, entry=ENTRY.replace("9.9", "9.8"))

    assert result.ret == 1
    assert "1 broken" in counts(result)


def test_the_reference_is_excused_of_nothing(suite: pytest.Pytester) -> None:
    suite.makeconftest(CONFTEST.replace("TargetKind.KAFKA", "TargetKind.REFERENCE"))

    result = ran(suite, BROKEN)

    assert result.ret == 1
    assert "1 broken" in counts(result)


def test_an_entry_may_hold_in_a_mixed_cluster_where_not_every_node_has_the_bug(suite: pytest.Pytester) -> None:
    suite.makeconftest(CONFTEST.replace("TargetKind.KAFKA", "TargetKind.MIXED"))

    result = ran(suite, "def test_water(cluster): pass")

    assert result.ret == 0


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "workers"])
def test_an_entry_whose_check_held_is_out_of_date_and_fails_the_run(
    suite: pytest.Pytester, options: tuple[str, ...]
) -> None:
    result = ran(suite, "def test_water(cluster): pass", *options)

    assert result.ret == 1
    assert counts(result).startswith("1 held · 0 broken · 0 unknown · 1 differ")
    result.stdout.fnmatch_lines(
        ["known_bugs.toml: entry 1 (KAFKA-1) says that Kafka 9.9 has the bug, and area/water held on reference: *"]
    )


def test_workers_tell_of_known_bugs_as_one_process_does(suite: pytest.Pytester) -> None:
    result = ran(suite, BROKEN, "-n", "2")

    assert result.ret == 0
    assert counts(result).startswith("1 held · 0 broken · 0 unknown · 0 differ · 1 known bug")


def test_an_entry_of_a_check_that_was_skipped_is_not_out_of_date(suite: pytest.Pytester) -> None:
    result = ran(suite, "def test_water(cluster): pytest.skip('too foggy')")

    assert result.ret == 0
    assert "0 held" in counts(result)


def test_a_file_that_cannot_be_used_is_one_line_and_status_4(suite: pytest.Pytester) -> None:
    result = ran(suite, BROKEN, entry="[[bug]]\nid = 3\n")

    assert result.ret == 4
    result.stderr.fnmatch_lines(["*harness: *known_bugs.toml: entry 1 lacks check, happened, releases, sentence"])
