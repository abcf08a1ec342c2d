"""What a scenario says at its end fits on a terminal, and names what a reader must know beside the verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.judging.verdicts import Anomaly, Validity, Verdict
from nemesis.command import listed
from nemesis.judged import Judged
from nemesis.scenario import parser, scenario_of
from nemesis.terminal import WIDTH, labelled, wrapped

WORDS = ["--faults", "partition:one-way-leader,kill,packet:delay:100,clock:jump:60", "--on", "leader", "--seed", "7"]
LONG = "an acknowledged record that nobody saw again, " * 5


def judged(trouble: str = "", ended: tuple[str, ...] = ()) -> Judged:
    scenario = scenario_of(parser().parse_args(WORDS), WORDS)
    return Judged(scenario=scenario, version="4.3", took_s=1.0, trouble=trouble, ended=ended)


def test_a_node_that_ended_by_itself_is_named_where_nothing_is_proved() -> None:
    lines = list(judged("no leader within 90 s", ended=("node 2 does not run; its log ends: ERROR disk",)).lines())
    assert lines == [
        "verdict       unknown: no leader within 90 s",
        "ended         node 2 does not run; its log ends: ERROR disk",
    ]


def test_a_node_that_ended_by_itself_breaks_a_promise_where_all_else_held() -> None:
    held = Verdict(checker="lost write", validity=Validity.VALID)
    one = judged(ended=("node 2 does not run",))
    finished: Any = object()  # only that something was judged counts
    crashed = replace(one, verdicts=(held,), finished=finished)
    assert crashed.validity is Validity.INVALID


@pytest.mark.parametrize("text", ["verdict", LONG])
def test_no_line_is_longer_than_a_terminal(text: str) -> None:
    anomaly = Anomaly(name="lost-write", claim="D1", sentence=LONG, witness_lines=(LONG,))
    lines = [*judged(text).lines(), *labelled("judged on", LONG), *wrapped(f"    {anomaly.sentence}"), *listed()]
    assert max(map(len, lines)) <= WIDTH


def test_a_wrapped_line_keeps_its_indentation() -> None:
    first, second, *_ = wrapped(f"    {LONG}")
    assert first.startswith("    an acknowledged")
    assert second.startswith("      ")
