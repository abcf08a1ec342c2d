"""Pictures of one partition around an anomaly: who saw what at each offset, and in which order offsets came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.history.operations import Acknowledged, FinalEnd, Operation, OpType, Polled, Send
from reports.excerpt import Focus
from reports.svg import Canvas, ticks

_NARROWEST, _LETTER, _LONGEST = 54, 7, 14
"""Of cells: the least width, that of a letter, and letters at the most."""
_COLUMNS = 12
_ROWS = 7
_AROUND = 40
"""Offsets on each side of the anomaly that the order plot shows."""
_ACKNOWLEDGED = "acknowledged"


@dataclass(slots=True)
class Sightings:
    """What each process saw in a stretch of a partition."""

    cells: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    """Reader → offset → the values that it saw there."""
    sends: list[tuple[float, int, str]] = field(default_factory=list)
    """(ms of the acknowledgement, offset, value)."""
    reads: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    """Reader → (ms, offset), in the order in which it read."""
    log_end: int | None = None

    def see(self, reader: str, offset: int, value: str) -> None:
        """Notes a value at an offset."""
        values = self.cells.setdefault(reader, {}).setdefault(offset, [])
        if value not in values:
            values.append(value)


def sightings(operations: Sequence[Operation], focus: Focus) -> Sightings:
    """What was seen of a partition around the offsets in focus."""
    spans = [range(offset - _AROUND, offset + _AROUND + 1) for offset in _shown(focus)]
    found = Sightings()
    sends: dict[int, Send] = {}
    for operation in operations:
        value = operation.value
        if isinstance(value, Send):
            if value.topic == focus.topic:
                sends[operation.index] = value
        elif isinstance(value, Acknowledged) and operation.kind is OpType.OK and operation.of in sends:
            send = sends[operation.of]
            partition = value.partition if value.partition >= 0 else send.partition
            if partition == focus.partition and any(value.offset in span for span in spans):
                found.see(_ACKNOWLEDGED, value.offset, send.value)
                found.sends.append((operation.time_ns / 1e6, value.offset, send.value))
        elif isinstance(value, Polled):
            reader = "final read" if operation.f == "final_read" else operation.process
            parts = [
                part for part in value.partitions if (part.topic, part.partition) == (focus.topic, focus.partition)
            ]
            for record in (record for part in parts for record in part.records):
                if any(record.offset in span for span in spans):
                    found.see(reader, record.offset, record.value)
                    found.reads.setdefault(reader, []).append((operation.time_ns / 1e6, record.offset))
        elif isinstance(value, FinalEnd) and (value.topic, value.partition) == (focus.topic, focus.partition):
            found.log_end = value.end
    return found


def _shown(focus: Focus) -> tuple[int, ...]:
    """The offsets around which to look: the first two and the last."""
    return tuple(dict.fromkeys((*focus.offsets[:2], *focus.offsets[-1:])))


def _columns(focus: Focus) -> list[int]:
    """The offsets that the strip shows: some around each of the anomaly's, the anomaly's own well to the left."""
    shown = _shown(focus)
    each = _COLUMNS // len(shown)
    return sorted({max(0, offset - each // 4) + step for offset in shown for step in range(each)})


def log_strip(found: Sightings, focus: Focus) -> Canvas | None:
    """A table of offsets and readers; cells that disagree, and holes in what was acknowledged, are marked."""
    if not focus.offsets or not found.cells:
        return None
    offsets = _columns(focus)
    readers = [name for name in found.cells if name not in (_ACKNOWLEDGED, "final read")]
    shown = [_ACKNOWLEDGED, *sorted(readers)[: _ROWS - 2], "final read"]
    longest = max(len(_said(found, reader, offset)) for reader in shown for offset in offsets)
    left, cell, row = 96, max(_NARROWEST, _LETTER * longest + 12), 26
    canvas = Canvas(left + cell * len(offsets) + 8, 34 + row * len(shown) + 22, _strip_label(focus))
    for column, offset in enumerate(offsets):
        kind = "" if offset in focus.offsets else "soft"
        sign = "▼" if offset in focus.offsets else ""
        canvas.text(left + cell * (column + 0.5), 26, f"{sign}{offset:,}", kind, "middle")
        if column and offset != offsets[column - 1] + 1:
            canvas.text(left + cell * column, 12, "…", "soft", "middle")
            canvas.line(left + cell * column, 16, left + cell * column, 34 + row * len(shown), "axis")
    canvas.text(left - 6, 26, "offset", "soft", "end")
    for number, reader in enumerate(shown):
        y = 34 + row * number
        canvas.text(left - 6, y + 17, reader, "", "end")
        for column, offset in enumerate(offsets):
            _draw_cell(canvas, left + cell * column, y, (cell, row), found, reader, offset)
    note = "▼ the anomaly · ✗ disagrees with another reader, or is missing"
    canvas.text(left, 34 + row * len(shown) + 15, note, "soft")
    return canvas


def _said(found: Sightings, reader: str, offset: int) -> str:
    """What stands in a cell: the values that a reader saw there, marked where they are wrong or missing."""
    values = found.cells.get(reader, {}).get(offset, [])
    if _is_hole(found, reader, offset):
        return "✗"
    said = ("✗ " if _disagrees(found, values, offset) else "") + " ".join(values)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


def _disagrees(found: Sightings, values: Sequence[str], offset: int) -> bool:
    return bool(values) and len({value for cells in found.cells.values() for value in cells.get(offset, [])}) > 1


def _is_hole(found: Sightings, reader: str, offset: int) -> bool:
    """Whether the final read found nothing where something was acknowledged."""
    return (
        reader == "final read"
        and not found.cells.get(reader, {}).get(offset)
        and bool(found.cells.get(_ACKNOWLEDGED, {}).get(offset))
        and (found.log_end is not None or "final read" in found.cells)
    )


def _strip_label(focus: Focus) -> str:
    return f"What each reader saw in {focus.topic}-{focus.partition} around offset {focus.offsets[0]}"


def _draw_cell(
    canvas: Canvas, x: float, y: float, size: tuple[int, int], found: Sightings, reader: str, offset: int
) -> None:
    values = found.cells.get(reader, {}).get(offset, [])
    width, height = size
    kind = "hole" if _is_hole(found, reader, offset) else "cell"
    canvas.box(x + 1, y + 1, width - 2, height - 2, kind, " / ".join(values))
    if _disagrees(found, values, offset):
        canvas.box(x + 2, y + 2, width - 4, height - 4, "bad")
    canvas.text(x + width / 2, y + 17, _said(found, reader, offset), "mono", "middle", " / ".join(values))


def order_plot(found: Sightings, focus: Focus) -> Canvas | None:
    """Offsets over time: dots where sends were acknowledged, a line for each reader. Order holds while lines rise."""
    moments = [moment for moment, _, _ in found.sends]
    live = {name: reads for name, reads in found.reads.items() if name != "final read"}
    moments += [moment for reads in live.values() for moment, _ in reads]
    if len(moments) < 2 or max(moments) <= min(moments):
        return None
    width, height, left, bottom = 720, 250, 62, 34
    label = f"Offsets of {focus.topic}-{focus.partition} in the order of time, around offset {focus.offsets[:1]}"
    canvas = Canvas(width, height, label)
    first_ms, last_ms = min(moments), max(moments)
    offsets = [offset for _, offset, _ in found.sends] + [offset for reads in live.values() for _, offset in reads]
    low, high = min(offsets), max(max(offsets), min(offsets) + 1)

    def at(moment: float, offset: int) -> tuple[float, float]:
        x = left + (moment - first_ms) / (last_ms - first_ms) * (width - left - 14)
        return x, 22 + (high - offset) / (high - low) * (height - bottom - 30)

    _draw_axes(canvas, (left, bottom), (first_ms, last_ms), (low, high), at)
    for name, reads in live.items():
        canvas.path([at(moment, offset) for moment, offset in reads], "readline")
        for moment, offset in reads:
            canvas.dot(*at(moment, offset), 1.6, "read", f"{name} read offset {offset}")
    for moment, offset, value in found.sends:
        canvas.dot(*at(moment, offset), 2.6, "ok", f"value {value} acknowledged at offset {offset}")
    for moment, offset, value in found.sends:
        if offset in focus.offsets:
            canvas.dot(*at(moment, offset), 7, "bad", f"value {value}, offset {offset}")
    canvas.text(left, 12, "● acknowledged   • and line: read by a consumer   ◯ in the anomaly", "soft")
    return canvas


def _draw_axes(
    canvas: Canvas,
    corner: tuple[int, int],
    times: tuple[float, float],
    offsets: tuple[int, int],
    at: Callable[[float, int], tuple[float, float]],
) -> None:
    left, bottom = corner
    base = canvas.height - bottom + 2
    canvas.line(left, base, canvas.width - 14, base, "axis")
    canvas.line(left, 18, left, base, "axis")
    for tick in ticks(offsets[0], offsets[1], 5):
        if tick == int(tick):
            y = at(times[0], int(tick))[1]
            canvas.line(left, y, canvas.width - 14, y, "grid")
            canvas.text(left - 5, y + 4, f"{tick:,.0f}", "soft", "end")
    for tick in ticks(times[0], times[1], 5):
        x = at(tick, offsets[0])[0]
        canvas.line(x, base, x, base + 4, "axis")
        canvas.text(x, base + 16, f"{tick:,.0f}", "soft", "middle")
    canvas.text(canvas.width - 14, base + 28, "ms since start", "soft", "end")
    canvas.text(left - 5, 12, "offset", "soft", "end")
