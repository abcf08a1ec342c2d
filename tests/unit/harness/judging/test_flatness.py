"""What counts as flat: a line through the second half that rises by no more than its bound."""

from __future__ import annotations

import pytest

from harness.judging.flatness import DESCRIPTORS, LATENCY, LEAST_SAMPLES, MEMORY, Bound, flatness
from reports.soak import soak

TIMES = range(0, 600, 10)


def rise_of(values: list[float], bound: Bound = MEMORY) -> float:
    found = flatness(list(zip(map(float, TIMES), values, strict=True)), bound, "node 1")
    assert found is not None
    return found.rise


def is_flat(values: list[float], bound: Bound) -> bool:
    found = flatness(list(zip(map(float, TIMES), values, strict=True)), bound, "node 1")
    assert found is not None
    return found.is_flat


def test_a_figure_that_grows_at_first_and_then_stays_is_flat() -> None:
    assert is_flat([min(80.0, 20.0 + at) for at in TIMES], MEMORY)


def test_a_slow_leak_is_not_flat() -> None:
    assert not is_flat([60.0 + at / 30 for at in TIMES], MEMORY)


def test_one_descriptor_more_in_ten_seconds_is_not_flat() -> None:
    assert not is_flat([40.0 + at / 10 for at in TIMES], DESCRIPTORS)


def test_a_few_outliers_move_nothing() -> None:
    assert rise_of([5000.0 if at in (400, 590) else 5.0 for at in TIMES], LATENCY) == 0


def test_a_saw_tooth_is_flat() -> None:
    assert is_flat([50.0 + at % 60 / 10 for at in TIMES], MEMORY)


def test_a_fall_is_no_growth() -> None:
    assert is_flat([900.0 - at for at in TIMES], MEMORY)


def test_the_bound_grows_with_the_figure() -> None:
    found = flatness([(float(at), 1000.0) for at in TIMES], MEMORY, "node 1")
    assert found is not None
    assert (found.most, found.sentence) == (
        100.0,
        "resident memory of node 1: median 1000.0 MB, rises by 0.0 of at most 100.0",
    )


@pytest.mark.parametrize("count", [0, LEAST_SAMPLES])
def test_too_few_samples_say_nothing(count: int) -> None:
    assert flatness([(float(at), 1.0) for at in range(count)], MEMORY, "node 1") is None


def test_the_picture_has_a_line_for_each_node() -> None:
    lines = {"node 1": [[0, 50], [10, 60]], "node 2": [[0, 40], [10, 41]]}
    drawn = soak({"soak": {"figures": {"resident memory": {"unit": "MB", "lines": lines}}, "rolls": [[2, 3]]}})
    assert drawn is not None
    picture = drawn.drawn()
    assert (picture.count('class="okline"'), picture.count('class="readline"'), picture.count('class="band"')) == (
        2,
        2,
        1,
    )


def test_a_run_without_samples_has_no_picture() -> None:
    assert soak({}) is None
    assert soak({"soak": {"figures": {}}}) is None
