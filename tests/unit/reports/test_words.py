"""How reports write times: a witness in milliseconds, with the time of day where it is known."""

from __future__ import annotations

import pytest

from reports.words import witness_line

STARTED_MS = 1_764_000_000_000


@pytest.mark.parametrize("started_at_ms", [0, STARTED_MS], ids=["no time of day", "time of day"])
def test_the_lines_of_a_witness_stand_below_each_other(started_at_ms: int) -> None:
    lines = ["t=    1.120  producer 2   send", "> t=    1.120  producer 2   send", "end          producer 2   read"]
    shown = [witness_line(line, started_at_ms) for line in lines]

    first, marked, last = (line.index("producer 2") for line in shown)
    assert marked == first + len("> ")
    assert last == first


def test_a_time_is_told_in_milliseconds() -> None:
    assert witness_line("t=   11.204  consumer 1   poll", 0) == "   11,204 ms  consumer 1   poll"
