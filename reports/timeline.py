"""Picture: how long sends took and how many were acknowledged, over time, under which faults."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

from reports.series import Call, Change, Gap, Series
from reports.svg import Canvas, ticks
from reports.words import count, milliseconds

_WIDTH = 760
_LEFT, _RIGHT = 62, 12
_BANDS, _LATENCY, _GAP, _RATE = 34, 118, 30, 56
_BUCKETS = 110


def timeline(series: Series) -> Canvas | None:
    """The picture; None for a history without sends."""
    if not series.calls or series.end_ms <= 0:
        return None
    end_ms = max(series.producing_end_ms, *(call.stop_ms for call in series.calls), *_stops(series))
    height = _BANDS + _LATENCY + _GAP + _RATE + 34
    label = (
        f"Sends over {end_ms / 1000:.1f} s: latency above, acknowledged records a second below; "
        f"{count(len(series.bands), 'fault')}: {', '.join(band.what or band.fault for band in series.bands) or 'none'}"
    )
    canvas = Canvas(_WIDTH, height, label)
    scale = (_WIDTH - _LEFT - _RIGHT) / end_ms
    _draw_bands(canvas, series, scale, height - 30)
    buckets = _in_buckets(series.calls, end_ms)
    _draw_latency(canvas, buckets)
    _draw_rate(canvas, buckets, end_ms)
    _draw_gap(canvas, series.produce_gap(), scale)
    base = height - 30
    _draw_changes(canvas, series.changes, scale, base)
    canvas.line(_LEFT, base, _WIDTH - _RIGHT, base, "axis")
    for tick in ticks(0, end_ms, 6):
        canvas.line(_LEFT + tick * scale, base, _LEFT + tick * scale, base + 4, "axis")
        canvas.text(_LEFT + tick * scale, base + 16, f"{tick:,.0f}", "soft", "middle")
    canvas.text(_WIDTH - _RIGHT, base + 28, "ms since start", "soft", "end")
    return canvas


def _stops(series: Series) -> list[float]:
    return [band.stop_ms for band in series.bands]


def _draw_bands(canvas: Canvas, series: Series, scale: float, base: float) -> None:
    free = [float("-inf")] * 2
    for band in series.bands:
        x, width = _LEFT + band.start_ms * scale, (band.stop_ms - band.start_ms) * scale
        canvas.box(x, _BANDS - 4, width, base - _BANDS + 4, "band", band.what)
        said = band.what or band.fault
        row = 0 if x >= free[0] else 1
        if x < free[row]:
            continue
        at = min(x, _WIDTH - _RIGHT - 6.2 * len(said))
        canvas.text(at, 11 + 13 * row, "▼ " + said)
        free[row] = at + 6.2 * len(said) + 24


def _draw_changes(canvas: Canvas, changes: Sequence[Change], scale: float, base: float) -> None:
    """A mark on the axis for each request of an administrator; what it was shows when a pointer rests on it."""
    for change in changes:
        colour = "soft" if change.outcome == "ok" else "badfill"
        x = min(_WIDTH - _RIGHT, _LEFT + change.start_ms * scale)
        canvas.text(x, base - 3, "◆", colour, "middle", change.told)


def _in_buckets(calls: Sequence[Call], end_ms: float) -> list[list[Call]]:
    buckets: list[list[Call]] = [[] for _ in range(_BUCKETS)]
    for call in calls:
        buckets[min(_BUCKETS - 1, int(call.start_ms / end_ms * _BUCKETS))].append(call)
    return buckets


def _bucket_x(number: float) -> float:
    return _LEFT + number * (_WIDTH - _LEFT - _RIGHT) / _BUCKETS


def _draw_latency(canvas: Canvas, buckets: Sequence[Sequence[Call]]) -> None:
    slowest = max((call.latency_ms for bucket in buckets for call in bucket), default=1.0)
    low, high = -1.0, max(1.0, log10(max(slowest, 0.1)))

    def y(latency_ms: float) -> float:
        return _BANDS + _LATENCY * (1 - (log10(max(latency_ms, 0.1)) - low) / (high - low))

    power = -1
    while power <= high:
        canvas.line(_LEFT, y(10.0**power), _WIDTH - _RIGHT, y(10.0**power), "grid")
        canvas.text(_LEFT - 5, y(10.0**power) + 4, f"{10.0**power:,.0f} ms" if power >= 0 else "0.1 ms", "soft", "end")
        power += 1
    spans = []
    for number, bucket in enumerate(buckets):
        x = _bucket_x(number + 0.5)
        ok = sorted(call.latency_ms for call in bucket if call.outcome == "ok")
        if ok:
            middle = ok[len(ok) // 2]
            spans.append((x, y(middle), x, y(ok[-1])))
            tip = f"{count(len(ok), 'send')}: median {milliseconds(middle)}, slowest {milliseconds(ok[-1])}"
            canvas.dot(x, y(middle), 2.2, "ok", tip)
        for sign, outcome, words in (("×", "fail", "refused"), ("?", "info", "without a known outcome")):
            number_of = sum(call.outcome == outcome for call in bucket)
            if number_of:
                at = _BANDS + (8 if outcome == "fail" else 19)
                canvas.text(x, at, sign, "badfill", "middle", f"{count(number_of, 'send')} {words}")
    canvas.strokes(spans, "okline")


def _draw_rate(canvas: Canvas, buckets: Sequence[Sequence[Call]], end_ms: float) -> None:
    top, base = _BANDS + _LATENCY + 14, _BANDS + _LATENCY + _GAP + _RATE
    done = [0] * _BUCKETS
    for bucket in buckets:
        for call in bucket:
            if call.outcome == "ok":
                done[min(_BUCKETS - 1, int(call.stop_ms / end_ms * _BUCKETS))] += 1
    width_s = end_ms / _BUCKETS / 1000
    busy = sorted(filter(None, done)) or [1]
    most = min(busy[-1], 5 * busy[len(busy) // 2])  # what was held back comes in a burst that would dwarf the rest
    for number, acknowledged in enumerate(done):
        if acknowledged:
            height = _RATE * min(acknowledged, most) / most
            tip = f"{acknowledged / width_s:,.0f} acknowledged a second"
            canvas.box(_bucket_x(number), base - height, _bucket_x(1) - _LEFT - 0.6, height, "ok", tip)
            if acknowledged > most:
                canvas.text(_bucket_x(number + 0.5), top - 2, "↑", "", "middle", tip)
    canvas.text(_LEFT - 5, top + 8, f"{most / width_s:,.0f}/s", "soft", "end")
    canvas.text(_LEFT - 5, base, "0", "soft", "end")


def _draw_gap(canvas: Canvas, gap: Gap | None, scale: float) -> None:
    if gap is None or gap.length_ms * scale < 24:
        return
    y = _BANDS + _LATENCY + 7
    x1, x2 = _LEFT + gap.start_ms * scale, _LEFT + gap.stop_ms * scale
    canvas.strokes([(x1, y - 5, x1, y + 5), (x1, y, x2, y), (x2, y - 5, x2, y + 5)], "gap")
    said = f"{milliseconds(gap.length_ms)} without an acknowledgement"
    middle = min(max((x1 + x2) / 2, _LEFT + 3.1 * len(said)), _WIDTH - _RIGHT - 3.1 * len(said))
    canvas.text(middle, y + 17, said, "", "middle")
