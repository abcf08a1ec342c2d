"""Picture: where logs start and end, and what they take on the disk, over time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from reports.stored_values import listed
from reports.svg import Canvas, ticks

CAPTION: Final = (
    "For each topic, over time: the offset at which its log ends (upper line) and starts (lower line), between them "
    "what can be read; and what it takes on the disk, first and last. ▼ on top: what the operator did."
)
_WIDTH: Final = 760
_LEFT, _RIGHT, _TOP = 150, 12, 34
_ROW, _GAP = 54, 14


class Bounds(NamedTuple):
    """A log at a moment."""

    at_ms: float
    start: int
    end: int
    size: int


def log_bounds(more: Mapping[str, Any]) -> Canvas | None:
    """The picture of what a check has stored; None where it has watched no log."""
    stored = more.get("log_bounds")
    logs = {str(topic): _bounds(rows) for topic, rows in stored.items()} if isinstance(stored, Mapping) else {}
    logs = {topic: rows for topic, rows in logs.items() if rows}
    if not logs:
        return None
    events = [(float(row[0]), str(row[1])) for row in listed(more.get("log_events")) if _is_event(row)]
    end_ms = max(1.0, *(rows[-1].at_ms for rows in logs.values()))
    height = _TOP + len(logs) * (_ROW + _GAP) + 34
    canvas = Canvas(_WIDTH, height, f"Where {len(logs)} logs start and end over {end_ms / 1000:.1f} s")
    scale = (_WIDTH - _LEFT - _RIGHT) / end_ms
    for number, (topic, rows) in enumerate(logs.items()):
        _draw_log(canvas, topic, rows, _TOP + number * (_ROW + _GAP), scale)
    _draw_events(canvas, events, scale, height - 34)
    base = height - 30
    canvas.line(_LEFT, base, _WIDTH - _RIGHT, base, "axis")
    for tick in ticks(0, end_ms, 6):
        canvas.line(_LEFT + tick * scale, base, _LEFT + tick * scale, base + 4, "axis")
        canvas.text(_LEFT + tick * scale, base + 16, f"{tick:,.0f}", "soft", "middle")
    canvas.text(_WIDTH - _RIGHT, base + 28, "ms since the first look", "soft", "end")
    return canvas


def _bounds(rows: object) -> list[Bounds]:
    found = []
    for row in listed(rows):
        if (
            isinstance(row, Sequence)
            and len(row) == len(Bounds._fields)
            and all(isinstance(one, int | float) for one in row)
        ):
            found.append(Bounds(float(row[0]), int(row[1]), int(row[2]), int(row[3])))
    return found


def _is_event(row: object) -> bool:
    return isinstance(row, Sequence) and len(row) == 2 and isinstance(row[0], int | float)


def _draw_log(canvas: Canvas, topic: str, rows: Sequence[Bounds], top: float, scale: float) -> None:
    highest = max(1, *(row.end for row in rows))

    def place(at_ms: float, offset: int) -> tuple[float, float]:
        return _LEFT + at_ms * scale, top + _ROW - _ROW * offset / highest

    canvas.line(_LEFT, top + _ROW, _WIDTH - _RIGHT, top + _ROW, "grid")
    for row, following in zip(rows, (*rows[1:], rows[-1]), strict=True):
        x, y = place(row.at_ms, row.end)
        width = max(0.0, (following.at_ms - row.at_ms) * scale)
        canvas.box(x, y, width, place(0, row.start)[1] - y, "cell", f"{row.start:,} to {row.end:,}, {row.size:,} bytes")
    canvas.path(_steps([place(row.at_ms, row.end) for row in rows]), "okline")
    canvas.path(_steps([place(row.at_ms, row.start) for row in rows]), "readline")
    first, last = rows[0], rows[-1]
    canvas.text(4, top + 12, topic if len(topic) <= 22 else f"{topic[:21]}…", tip=topic)
    canvas.text(4, top + 28, f"start {first.start:,} → {last.start:,}", "soft")
    canvas.text(4, top + 44, f"{first.size:,} → {last.size:,} B", "soft")


def _steps(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A line that stays until the next point, and jumps there."""
    found = list(points[:1])
    for (_, before), (x, y) in itertools.pairwise(points):
        found += [(x, before), (x, y)]
    return found


def _draw_events(canvas: Canvas, events: Sequence[tuple[float, str]], scale: float, bottom: float) -> None:
    free = [float("-inf")] * 2
    for at_ms, what in events:
        x = _LEFT + at_ms * scale
        canvas.line(x, _TOP - 4, x, bottom, "gap")
        row = 0 if x >= free[0] else 1
        if x < free[row]:
            continue
        at = max(0.0, min(x - 4, _WIDTH - _RIGHT - 6.2 * len(what)))
        canvas.text(at, 11 + 13 * row, f"▼ {what}", tip=what)
        free[row] = at + 6.2 * len(what) + 24
