"""Difference items, on small suites of their own with targets that are made up."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

CONFTEST = '''
"""Turns the plugin on, with targets that need nothing."""
import harness.pytest_plugin.options as options
from harness.hosts.executor import THREADS
from harness.hosts.lack import Lack, Means
from harness.targets.target import TargetKind

pytest_plugins = ["harness.pytest_plugin.hooks"]


class Cluster:
    executor = THREADS
    bootstrap, nodes = "127.0.0.1:1", ()

    def version(self):
        return "9.9"

    def lack_for_fault(self, kind):
        return Lack(Means.FAULTS, f"no {kind} here")

    def logs(self):
        return {}

    def close(self):
        pass


class Target:
    def __init__(self, name):
        self.name, self.release = name, name.partition("@")[2] or None

    kind = TargetKind.KAFKA

    def lack(self, spec=None):
        return None

    def lack_for_fault(self, kind):
        return Lack(Means.FAULTS, f"no {kind} here")

    def open(self, spec):
        return Cluster()


options.resolve = Target
'''
CHECK = '"""A title.\n\n**Claim** Water runs downhill.\n"""\n'
BODY = """
def test_water(observe, target):
    observe("colour", "blue")
    observe("depth", 3 if target.name == "reference" else 4)
"""
ENTRY = """
[[accepted]]
check = "area/water"
api = "*"
field = "depth"
targets = ["reference", "lake"]
values = ["3", "4"]
reason = "for a test"
source = "gap"
evidence = "none"
review_by = %s
"""
INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\nenable_assertion_pass_hook = true\n"
BOTH = ("--target", "reference", "--target", "lake")


def run(
    pytester: pytest.Pytester,
    body: str = BODY,
    *options: str,
    entries: str = "",
    chosen: str = "checks",
    ini: str = INI,
) -> pytest.RunResult:
    pytester.makeconftest(CONFTEST)
    pytester.makeini(ini)
    folder = pytester.mkdir("checks") / "area"
    folder.mkdir()
    (folder / "test_water.py").write_text(CHECK + body, encoding="utf-8")
    if entries:
        (pytester.path / "checks" / "known_differences.toml").write_text(entries, encoding="utf-8")
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", chosen, *options)


def counts(result: pytest.RunResult) -> str:
    line = next(line for line in result.outlines if " held · " in line and "unknown ·" in line)
    return " · ".join(line.split(" · ")[:7])


def stored(pytester: pytest.Pytester) -> list[dict[str, Any]]:
    """The differences of the stored run."""
    metas = (pytester.path / "reports" / "out" / "latest").glob("*/meta.json")
    return [one for path in metas for one in json.loads(path.read_text(encoding="utf-8"))["more"]["differences"]]


def test_a_check_that_asserts_nothing_is_observed_on_one_target(pytester: pytest.Pytester) -> None:
    result = run(pytester, BODY, "--target", "lake")

    assert result.ret == 0
    assert counts(result) == "0 held · 0 broken · 0 unknown · 0 differ · 0 known bugs · 1 observed · 0 skipped"


def test_a_check_that_asserts_something_of_what_it_saw_held(pytester: pytest.Pytester) -> None:
    assert counts(run(pytester, BODY + "    assert target\n", "--target", "lake")).startswith("1 held")


def test_an_assertion_before_anything_was_seen_judges_nothing(pytester: pytest.Pytester) -> None:
    body = "def test_water(observe, target):\n    assert target\n    observe('depth', 3)\n"

    assert "0 held" in counts(run(pytester, body, "--target", "lake"))


def test_an_assertion_that_is_not_come_to_judges_nothing(pytester: pytest.Pytester) -> None:
    body = BODY + "    if target.name == 'sea':\n        assert False\n"

    assert "1 observed" in counts(run(pytester, body, "--target", "lake"))


def test_an_assertion_of_another_file_judges_nothing(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("")
    pytester.makepyfile(river="def flows():\n    assert 1 == 1\n")
    body = "import pytest\npytest.register_assert_rewrite('river')\nimport river\n" + BODY + "    river.flows()\n"
    pytester.syspathinsert()

    assert "1 observed" in counts(run(pytester, body, "--target", "lake"))


def test_a_requirement_that_is_met_judges(pytester: pytest.Pytester) -> None:
    body = "from harness.judging.outcome import require\n" + BODY + "    require(3, 3, 'the depth')\n"

    assert counts(run(pytester, body, "--target", "lake")).startswith("1 held")


def test_without_the_hook_an_assertion_in_the_check_counts(pytester: pytest.Pytester) -> None:
    result = run(pytester, BODY + "    assert target\n", "--target", "lake", ini=INI.replace("true", "false"))

    assert counts(result).startswith("1 held")


def test_two_targets_that_differ_make_the_run_fail(pytester: pytest.Pytester) -> None:
    result = run(pytester, BODY, *BOTH)

    assert result.ret != 0
    assert counts(result) == "1 held · 0 broken · 0 unknown · 1 differ · 0 known bugs · 2 observed · 0 skipped"


def test_a_difference_names_check_field_both_values_and_the_way_to_run_it_again(pytester: pytest.Pytester) -> None:
    result = run(pytester, BODY, *BOTH)

    result.stdout.fnmatch_lines(
        [
            "DIFFERS*area/water*reference | lake*field depth",
            "*request*depth",
            "*reference*depth = 3",
            "*lake*depth = 4",
            "*known_differences.toml*",
            "*-m pytest checks/area/test_water.py -k water --target reference --target lake",
        ]
    )


def test_what_is_equal_is_no_difference(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_water(observe):\n    observe('colour', 'blue')\n", *BOTH)

    assert counts(result) == "2 held · 0 broken · 0 unknown · 0 differ · 0 known bugs · 2 observed · 0 skipped"


def test_an_accepted_difference_holds_and_is_stored_with_its_reason(pytester: pytest.Pytester) -> None:
    result = run(pytester, BODY, *BOTH, entries=ENTRY % "2999-01-01")

    assert result.ret == 0
    (kept,) = stored(pytester)
    assert kept["accepted_by"] == "gap: for a test"
    assert kept["values"] == {"reference": "3", "lake": "4"}


def test_an_entry_whose_difference_is_gone_makes_the_run_fail(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_water(observe):\n    observe('depth', 3)\n", *BOTH, entries=ENTRY % "2999-01-01")

    assert result.ret != 0
    result.stdout.fnmatch_lines(["*entry 1 (area/water*the difference is gone; remove the entry"])


def test_an_entry_past_its_date_makes_the_run_fail(pytester: pytest.Pytester) -> None:
    result = run(pytester, BODY, *BOTH, entries=ENTRY % "2020-01-01")

    assert result.ret != 0
    result.stdout.fnmatch_lines(["*was to be reviewed by 2020-01-01*"])


def test_a_part_of_a_file_does_not_show_that_a_difference_is_gone(pytester: pytest.Pytester) -> None:
    body = BODY + "\n\ndef test_ice(observe):\n    observe('colour', 'white')\n"
    by_word = run(pytester, body, *BOTH, "-k", "ice", entries=ENTRY % "2999-01-01")

    assert by_word.ret == 0


def test_one_check_of_a_file_does_not_show_it_either(pytester: pytest.Pytester) -> None:
    body = BODY + "\n\ndef test_ice(observe):\n    observe('colour', 'white')\n"
    result = run(pytester, body, *BOTH, entries=ENTRY % "2999-01-01", chosen="checks/area/test_water.py::test_ice")

    assert result.ret == 0


def test_a_file_that_is_wrong_ends_the_run_with_one_line(pytester: pytest.Pytester) -> None:
    result = run(pytester, BODY, *BOTH, entries="[[accepted")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = [line for line in (*result.outlines, *result.errlines) if "cannot be read as TOML" in line]
    assert len(said) == 1
    assert "Traceback" not in "\n".join((*result.outlines, *result.errlines))


def test_a_check_that_failed_before_it_saw_anything_leaves_its_difference_out(pytester: pytest.Pytester) -> None:
    body = "def test_water(observe, target):\n    assert target.name == 'lake'\n    observe('depth', 3)\n"
    result = run(pytester, body, *BOTH)

    assert counts(result) == "1 held · 1 broken · 0 unknown · 0 differ · 0 known bugs · 1 observed · 1 skipped"


def test_a_difference_is_judged_for_each_further_target(pytester: pytest.Pytester) -> None:
    result = run(pytester, BODY, *BOTH, "--target", "sea")

    assert counts(result) == "1 held · 0 broken · 0 unknown · 2 differ · 0 known bugs · 3 observed · 0 skipped"


def test_what_a_check_saw_twice_under_one_name_is_compared_in_order(pytester: pytest.Pytester) -> None:
    body = "def test_water(observe, target):\n    for depth in (1, 2): observe('depth', depth)\n"

    assert counts(run(pytester, body, *BOTH)).startswith("2 held · 0 broken · 0 unknown · 0 differ")


def test_a_comparison_stands_in_junit_xml_like_a_check(pytester: pytest.Pytester) -> None:
    run(pytester, BODY, *BOTH, "--junitxml=junit.xml")

    cases = ElementTree.parse(pytester.path / "junit.xml").getroot().iter("testcase")
    failed = {case.get("name"): case.find("failure") is not None for case in cases}
    assert failed["differences[area/water-reference|lake]"] is True
    assert failed["test_water[lake]"] is False


def test_a_run_that_was_broken_off_compares_nothing(pytester: pytest.Pytester) -> None:
    result = run(pytester, BODY + "    assert target.name == 'lake'\n", *BOTH, "-x")

    assert counts(result) == "0 held · 1 broken · 0 unknown · 0 differ · 0 known bugs · 0 observed · 0 skipped"


def test_a_check_that_saw_more_on_one_target_differs(pytester: pytest.Pytester) -> None:
    body = "def test_water(observe, target):\n    for depth in range(len(target.name)): observe('depth', depth)\n"
    result = run(pytester, body, "--target", "lake", "--target", "ocean")

    result.stdout.fnmatch_lines(["DIFFERS*area/water*lake | ocean*field (observations)", "*lake*= 4 of them"])


def test_what_a_check_came_to_before_it_was_skipped_is_compared_alone(pytester: pytest.Pytester) -> None:
    body = "import pytest\n" + BODY.replace(
        '    observe("depth', "    target.name == 'lake' and pytest.skip('dry')\n    observe(\"depth"
    )
    result = run(pytester, body, *BOTH)

    assert "0 differ" in counts(result)
