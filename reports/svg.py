"""Drawing in SVG: a canvas of marks with classes, coloured by the page's style sheet or, standing alone, by its own."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

STYLE = """
.pic text{font:11px system-ui,sans-serif;fill:var(--ink)}
.pic .soft{fill:var(--soft)} .pic .mono{font-family:ui-monospace,monospace;font-size:10.5px}
.pic .axis{stroke:var(--soft);stroke-width:1;fill:none} .pic .grid{stroke:var(--line);stroke-width:1;fill:none}
.pic .band{fill:var(--band);stroke:var(--bandline);stroke-dasharray:4 3}
.pic .ok{fill:var(--held);stroke:none} .pic .okline{stroke:var(--held);stroke-width:1.5;fill:none}
.pic .read{fill:var(--read);stroke:none} .pic .readline{stroke:var(--read);stroke-width:1.2;fill:none;opacity:.7}
.pic .bad{stroke:var(--broken);stroke-width:2.2;fill:none} .pic .badfill{fill:var(--broken)}
.pic .gap{stroke:var(--unknown);stroke-width:2;fill:none}
.pic .cell{fill:var(--panel);stroke:var(--line)} .pic .hole{fill:none;stroke:var(--broken);stroke-dasharray:3 3}
"""
"""Marks of pictures, in the colours (custom properties) of whoever shows them."""

_ALONE = (
    "svg{--ink:#1c2024;--soft:#60646c;--line:#d9d9e0;--panel:#fff;--band:#f5d90a33;--bandline:#b8860b;"
    "--held:#18794e;--broken:#c62a2f;--unknown:#946800;--read:#3451b2;background:#fff}"
    "@media(prefers-color-scheme:dark){svg{--ink:#edeef0;--soft:#b0b4ba;--line:#43484e;--panel:#18191b;"
    "--band:#f5d90a22;--bandline:#d6b23a;--held:#3dd68c;--broken:#ff9592;--unknown:#ffca16;--read:#9eb1ff;"
    "background:#111113}}"
)


class Canvas:
    """Collects marks; coordinates are pixels at the picture's full width."""

    def __init__(self, width: int, height: int, label: str) -> None:
        self.width = width
        self.height = height
        self.label = label
        self._marks: list[str] = []

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """A straight line."""
        self._marks.append(f'<path class="{kind}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>')

    def path(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """A line through points."""
        if points:
            steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            self._marks.append(f'<path class="{kind}" d="M{steps}"/>')

    def strokes(self, segments: Sequence[tuple[float, float, float, float]], kind: str) -> None:
        """Many lines as one mark."""
        if segments:
            steps = "".join(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" for x1, y1, x2, y2 in segments)
            self._marks.append(f'<path class="{kind}" d="{steps}"/>')

    def box(self, x: float, y: float, width: float, height: float, kind: str, tip: str = "") -> None:
        """A rectangle; `tip` shows when a pointer rests on it."""
        shape = f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}"'
        self._marks.append(f"{shape}>{_tip(tip)}</rect>" if tip else f"{shape}/>")

    def dot(self, x: float, y: float, radius: float, kind: str, tip: str = "") -> None:
        """A circle."""
        shape = f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"'
        self._marks.append(f"{shape}>{_tip(tip)}</circle>" if tip else f"{shape}/>")

    def text(self, x: float, y: float, said: str, kind: str = "", anchor: str = "start", tip: str = "") -> None:
        """A word or a few."""
        classes = f' class="{kind}"' if kind else ""
        self._marks.append(
            f'<text{classes} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}{_tip(tip)}</text>'
        )

    def drawn(self) -> str:
        """The picture for a page that has `STYLE` in its style sheet."""
        return self._svg("")

    def alone(self) -> str:
        """The picture as a file."""
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + self._svg(f"<style>{_ALONE}{STYLE}</style>")

    def _svg(self, style: str) -> str:
        return (
            f'<svg class="pic" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" role="img" aria-label="{escape(self.label, quote=True)}">'
            f"{style}{''.join(self._marks)}</svg>"
        )


def _tip(said: str) -> str:
    return f"<title>{escape(said)}</title>" if said else ""


def ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Round values between two, about as many as wanted."""
    span = high - low
    if span <= 0:
        return [low]
    rough = span / wanted
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [number * step for number in range(ceil(low / step), floor(high / step) + 1)]
