"""Which times are of a check's own present."""

from __future__ import annotations

import pytest

from harness.comparing.times import LONG_MAX, Window

STARTED, NOW = 1_800_000_000_000, 1_800_000_002_000


def window(*distances_ms: int, slack_ms: int = 1_000) -> Window:
    made = Window(STARTED, slack_ms)
    made.last_ms = NOW
    made.add_distances(*distances_ms)
    return made


@pytest.mark.parametrize("time", [STARTED - 1_000, STARTED, NOW, NOW + 1_000])
def test_between_the_first_request_and_the_answer_is_now(time: int) -> None:
    assert window().told(time) == "now"


@pytest.mark.parametrize("time", [STARTED - 1_001, NOW + 1_001, NOW + 7_200_000, 0, -1])
def test_anything_else_stays_a_number(time: int) -> None:
    assert window().told(time) is None


def test_what_must_be_of_this_request_is_not_of_an_earlier_one() -> None:
    assert window().told(STARTED, since_ms=NOW - 10) is None


def test_a_distance_that_is_named_is_told_as_one() -> None:
    assert window(3_600_000).told(NOW + 3_600_000) == "now+3600000"


def test_a_distance_that_is_not_named_stays_a_number() -> None:
    assert window(3_600_000).told(NOW + 7_200_000) is None


def test_the_present_goes_before_a_distance_that_reaches_into_it() -> None:
    assert window(-1_000).told(NOW - 1_000) == "now"


def test_the_largest_time_may_have_been_taken_from_the_present() -> None:
    assert window().told_in_text(NOW - LONG_MAX) == "now less the largest time"
