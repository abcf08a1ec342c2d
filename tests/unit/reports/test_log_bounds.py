"""The picture of where logs start and end shows what a check has stored, and nothing of what is damaged."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from reports.log_bounds import log_bounds

STORED = {
    "log_bounds": {"orders": [[0.0, 0, 20, 5_000], [500.0, 0, 20, 5_000], [900.0, 13, 20, 1_800]]},
    "log_events": [[100.0, "retention.ms: 30 d → 7 d"]],
}


def texts(svg: str) -> list[str]:
    return [found.text or "" for found in ElementTree.fromstring(svg).iter() if found.tag.endswith("text")]


def test_it_says_where_a_log_started_and_what_it_took() -> None:
    drawn = log_bounds(STORED)

    assert drawn is not None
    said = texts(drawn.alone())
    assert "orders" in said
    assert "start 0 → 13" in said
    assert "5,000 → 1,800 B" in said
    assert "▼ retention.ms: 30 d → 7 d" in said


@pytest.mark.parametrize(
    "stored", [{}, {"log_bounds": {}}, {"log_bounds": 3}, {"log_bounds": {"orders": [[1], "x", None]}}]
)
def test_without_logs_there_is_no_picture(stored: dict[str, Any]) -> None:
    assert log_bounds(stored) is None


def test_events_that_are_damaged_are_left_out() -> None:
    drawn = log_bounds({**STORED, "log_events": [["soon", 1], [3]]})

    assert drawn is not None
    assert not [said for said in texts(drawn.drawn()) if said.startswith("▼")]
