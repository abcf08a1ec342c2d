"""Picture: what was sampled over a long run, a strip for each figure, with a line for each node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.svg import Canvas, ticks

_WIDTH, _LEFT, _RIGHT = 760, 62, 12
_STRIP, _GAP, _TOP = 92, 34, 22
_KINDS = ("okline", "readline", "gap")
"""The lines of the first, second and third node."""


def soak(measures: Mapping[str, Any]) -> Canvas | None:
    """The picture of the samples in a run's measures; None where there are none.

    `measures["soak"]` has `figures`, {figure: {"unit": …, "lines": {node: [[s, value], …]}}}, and `rolls`, the
    stretches [s, s] in which nodes were restarted.
    """
    found = measures.get("soak")
    figures = found.get("figures") if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or not isinstance(figures, Mapping) or not figures:
        return None
    end_s = max((line[-1][0] for one in figures.values() for line in one["lines"].values() if line), default=0.0)
    if end_s <= 0:
        return None
    names = list(figures)
    height = _TOP + len(names) * (_STRIP + _GAP) + 20
    canvas = Canvas(_WIDTH, height, f"{', '.join(names)} over {end_s:.0f} s")
    scale = (_WIDTH - _LEFT - _RIGHT) / end_s
    for begin, end in found.get("rolls", ()):
        canvas.box(_LEFT + begin * scale, _TOP - 6, (end - begin) * scale, height - _TOP - 20, "band", "restarts")
    for number, name in enumerate(names):
        _draw_strip(canvas, _TOP + number * (_STRIP + _GAP), name, figures[name], scale)
    base = height - 24
    canvas.line(_LEFT, base, _WIDTH - _RIGHT, base, "axis")
    for tick in ticks(0, end_s, 6):
        canvas.line(_LEFT + tick * scale, base, _LEFT + tick * scale, base + 4, "axis")
        canvas.text(_LEFT + tick * scale, base + 16, f"{tick:,.0f} s", "soft", "middle")
    return canvas


def _draw_strip(canvas: Canvas, top: float, name: str, figure: Mapping[str, Any], scale: float) -> None:
    lines: Mapping[str, Sequence[Sequence[float]]] = figure["lines"]
    most = max((value for line in lines.values() for _, value in line), default=0.0) or 1.0

    def y(value: float) -> float:
        return top + 16 + (_STRIP - 16) * (1 - value / (1.1 * most))

    canvas.text(_LEFT, top + 8, f"{name} ({figure['unit']})")
    for tick in ticks(0, 1.1 * most, 3):
        canvas.line(_LEFT, y(tick), _WIDTH - _RIGHT, y(tick), "grid")
        canvas.text(_LEFT - 5, y(tick) + 4, f"{tick:,.0f}", "soft", "end")
    at: float = _WIDTH - _RIGHT
    for number, (node, line) in reversed(list(enumerate(lines.items()))):
        kind = _KINDS[number % len(_KINDS)]
        canvas.path([(_LEFT + when * scale, y(value)) for when, value in line], kind)
        canvas.text(at, top + 8, node, "soft", "end")
        at -= 6.2 * len(node) + 22
        canvas.line(at + 4, top + 4, at + 18, top + 4, kind)
