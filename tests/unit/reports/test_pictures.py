"""Pictures are well-formed SVG, and show what they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.history.history import History
from harness.history.operations import FaultAct
from harness.judging.checkers.duplicate import duplicate
from harness.judging.checkers.lost_write import lost_write
from harness.judging.checkers.poll_order import nonmonotonic_poll
from harness.judging.guarantees import Guarantees
from harness.workloads.synthetic import Script, legal_history
from reports.excerpt import Focus, focus_of
from reports.orders import log_strip, order_plot, sightings
from reports.series import Series, series_of
from reports.svg import ticks
from reports.timeline import timeline


def lossy() -> History:
    script = Script("orders")
    for offset, value in enumerate("abcdef"):
        script.send(value, offset)
    script.poll(dict(enumerate("abcd")))
    script.final_read({0: "a", 1: "b", 3: "d", 4: "e", 5: "f"}, end=6)
    return script.history()


def texts(svg: str) -> list[str]:
    return [found.text or "" for found in ElementTree.fromstring(svg).iter() if found.tag.endswith("text")]


def test_a_timeline_names_its_faults(written: Callable[[History], Path]) -> None:
    script = Script()
    script.send("a", 0)
    script.fault(FaultAct(kind="kill", parameters={"signal": "<9>"}))
    script.send("b", 1)
    drawn = timeline(series_of(written(script.history())))

    assert drawn is not None
    assert "▼ kill (signal <9>)" in texts(drawn.drawn())


def test_a_history_without_sends_has_no_timeline() -> None:
    assert timeline(Series(end_ms=100.0)) is None


def test_a_long_legal_history_can_be_drawn(written: Callable[[History], Path]) -> None:
    drawn = timeline(series_of(written(legal_history(3_000, 3))))

    assert drawn is not None
    ElementTree.fromstring(drawn.drawn())


def test_the_focus_of_a_lost_write_is_where_it_was_acknowledged() -> None:
    history = lossy()
    anomaly = lost_write(history, Guarantees.of()).anomalies[0]

    assert focus_of(anomaly, history.operations) == Focus("orders", 0, (2,))


def test_the_focus_of_a_duplicate_holds_both_places() -> None:
    script = Script("orders")
    script.send("a", 0)
    script.send("b", 1)
    script.final_read({0: "a", 1: "b", 2: "a"})
    history = script.history()
    focus = focus_of(duplicate(history, Guarantees.of()).anomalies[0], history.operations)

    assert focus is not None
    assert focus.offsets == (0, 2)


def test_the_focus_of_a_step_back_holds_both_offsets() -> None:
    script = Script("orders")
    script.send("a", 0)
    script.send("b", 1)
    script.poll({0: "a", 1: "b"})
    script.poll({0: "a"})
    history = script.history()
    focus = focus_of(nonmonotonic_poll(history, Guarantees.of()).anomalies[0], history.operations)

    assert focus == Focus("orders", 0, (0, 1))


def test_the_log_strip_marks_a_hole_in_the_final_read() -> None:
    focus = Focus("orders", 0, (2,))
    drawn = log_strip(sightings(lossy().operations, focus), focus)

    assert drawn is not None
    assert "✗" in texts(drawn.drawn())
    assert 'class="hole"' in drawn.drawn()


def test_the_log_strip_marks_readers_that_disagree() -> None:
    script = Script("orders")
    script.send("a", 0)
    script.poll({0: "a"})
    script.poll({0: "b"}, process="consumer 2")
    focus = Focus("orders", 0, (0,))
    drawn = log_strip(sightings(script.history().operations, focus), focus)

    assert drawn is not None
    assert texts(drawn.drawn()).count("✗ a") == 2
    assert texts(drawn.drawn()).count("✗ b") == 1


def test_the_log_strip_shows_both_places_of_a_far_duplicate() -> None:
    script = Script("orders")
    for offset in range(500):
        script.send(f"1.{offset}", offset)
    script.final_read({**{offset: f"1.{offset}" for offset in range(500)}, 480: "1.7"})
    focus = Focus("orders", 0, (7, 480))
    drawn = log_strip(sightings(script.history().operations, focus), focus)

    assert drawn is not None
    shown = texts(drawn.drawn())
    assert {"▼7", "▼480", "…"} <= set(shown)
    assert shown.count("✗ 1.7") == 1


def test_the_order_plot_rings_the_anomaly() -> None:
    focus = Focus("orders", 0, (2,))
    drawn = order_plot(sightings(lossy().operations, focus), focus)

    assert drawn is not None
    assert drawn.drawn().count('class="bad"') == 1


def test_a_partition_that_nobody_saw_has_no_pictures() -> None:
    focus = Focus("orders", 7, (2,))
    seen = sightings(lossy().operations, focus)

    assert (log_strip(seen, focus), order_plot(seen, focus)) == (None, None)


def test_a_picture_alone_brings_its_own_colours() -> None:
    focus = Focus("orders", 0, (2,))
    drawn = log_strip(sightings(lossy().operations, focus), focus)

    assert drawn is not None
    assert "prefers-color-scheme:dark" in drawn.alone()


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 9_999), (4_000, 4_010), (7, 7), (0, 0.3)])
def test_ticks_lie_within_their_range_and_are_few(low: float, high: float) -> None:
    found = ticks(low, high)

    assert 1 <= len(found) <= 8
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
