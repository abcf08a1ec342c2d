"""--sample: which checks a share is, what is said of it, and what it leaves alone."""

from __future__ import annotations

import pytest

from harness.pytest_plugin.sampling import chosen, read_share

CHECKS = [f"protocol/fetch::reads[{number}]" for number in range(100)] + ["metadata/metadata"]
CONFTEST = '''
"""Turns the plugin on, with a target that needs nothing."""
import harness.pytest_plugin.options as options
from harness.hosts.lack import Lack, Means
from harness.targets.target import TargetKind

pytest_plugins = ["harness.pytest_plugin.hooks"]


class Target:
    def __init__(self, name):
        self.name = name

    kind, release = TargetKind.KAFKA, None

    def lack(self, spec=None):
        return None


options.resolve = Target
'''
BODY = '''"""A title.

**Claim** Water runs downhill.
"""
import pytest

@pytest.mark.parametrize("depth", range(20))
def test_water(target, depth):
    pass
'''


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    for area in ("protocol", "ordering"):
        pytester.path.joinpath("checks", area).mkdir(parents=True)
        pytester.path.joinpath("checks", area, f"test_{area}.py").write_text(BODY, encoding="utf-8")
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "checks", *options)


def test_a_sample_is_the_share_of_each_file_and_one_at_least() -> None:
    found = chosen(CHECKS, 0.25, seed=1)

    assert len(found) == 26
    assert "metadata/metadata" in found


def test_one_seed_chooses_the_same_again() -> None:
    assert chosen(CHECKS, 0.25, seed=1) == chosen(reversed(CHECKS), 0.25, seed=1)


def test_another_seed_chooses_others() -> None:
    assert chosen(CHECKS, 0.25, seed=1) != chosen(CHECKS, 0.25, seed=2)


def test_a_whole_is_everything() -> None:
    assert chosen(CHECKS, 1.0, seed=1) == set(CHECKS)


@pytest.mark.parametrize("text", ["0", "101", "-5", "5/4", "1/0", "0.0", "many", ""])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(pytest.UsageError, match="must be a share of at most 100%"):
        read_share(text)


@pytest.mark.parametrize("text", ["25%", "25", " 25 % ", "25.0", "0.25", ".25", "1/4"])
def test_a_share_may_be_written_in_any_way(text: str) -> None:
    assert read_share(text) == 0.25


def test_a_share_that_is_whole_may_be_written_in_any_way() -> None:
    assert {read_share(text) for text in ("100", "100%", "1.0", "1/1")} == {1.0}


def test_a_run_says_how_much_of_how_much_was_sampled(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--sample", "25%", "--seed", "7")

    result.stdout.fnmatch_lines(["sampled 5 of 20 items of protocol, metadata, groups (--sample, seed 7)"])


def test_areas_that_are_not_sampled_are_run_whole(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--sample", "25%", "--seed", "7")

    result.stdout.fnmatch_lines(["25 held*"])


def test_every_target_gets_the_same_checks(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--sample", "5", "--seed", "7", "--target", "lake", "--target", "sea", "-v")
    asked = {line.partition("[")[2].partition("-")[0] for line in result.outlines if "test_protocol.py::" in line}

    assert len(asked) == 1


def test_a_run_without_a_sample_says_nothing_of_one(pytester: pytest.Pytester) -> None:
    assert not any(line.startswith("sampled") for line in run(pytester).outlines)


def test_the_command_that_runs_it_again_samples_again(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--sample", "25%", "--seed", "7")

    result.stdout.fnmatch_lines(["*rerun with: *python* -m pytest checks *--seed 7 --sample 25%"])


def test_the_command_that_runs_it_again_chooses_again(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--seed", "7", "-m", "not long", "-k", "protocol")

    result.stdout.fnmatch_lines(["*rerun with: *python* -m pytest checks *--seed 7 -m 'not long' -k protocol"])
