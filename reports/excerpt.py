"""The part of a stored history and of the nodes' logs that lies around an anomaly or a fault."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import nsmallest
from pathlib import Path
from typing import Any

from harness.history.operations import Acknowledged, Committed, FaultAct, FinalEnd, Operation, Polled, Position, Send
from harness.judging.checkers.evidence import line
from harness.judging.verdicts import Anomaly

BEFORE_MS = 1_000
AFTER_MS = 4_000
LINES = 60
"""Lines of one log that an excerpt holds at most."""
_PLACE = re.compile(r"([A-Za-z0-9._-]+)-(\d+)(?: offset (\d+)|\b)")
_OFFSETS = re.compile(r"offsets? ((?:\d+(?:, | and | after offset | to )?)+)")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?(Z|[+-]\d\d:?\d\d)?")
_TIME = re.compile(r"^\W{0,2}(\d\d):(\d\d):(\d\d)[.,](\d{3})")


@dataclass(frozen=True, slots=True)
class Focus:
    """Where in a topic an anomaly lies."""

    topic: str
    partition: int
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LogExcerpt:
    """Lines of one node's log."""

    name: str
    lines: tuple[str, ...]
    is_timed: bool
    """Whether the lines were chosen by their time; else they are the log's last."""
    total: int


def focus_of(anomaly: Anomaly, operations: Sequence[Operation]) -> Focus | None:
    """The partition and offsets that an anomaly names, or those of its operation."""
    operation = operations[anomaly.index] if 0 <= anomaly.index < len(operations) else None
    value = operation.value if operation is not None else None
    offsets = [int(digits) for found in _OFFSETS.findall(anomaly.sentence) for digits in re.findall(r"\d+", found)]
    if isinstance(value, Send):
        acknowledged = _acknowledgement(operations, anomaly.index)
        partition = value.partition
        if acknowledged is not None:
            partition = acknowledged.partition if acknowledged.partition >= 0 else partition
            offsets.append(acknowledged.offset)
        return Focus(value.topic, partition, _unique(offsets))
    if isinstance(value, Polled):
        here = offsets or [record.offset for record in value.records[:1]]
        return Focus(value.topic, value.partition, _unique(here))
    place = _PLACE.search(anomaly.sentence)
    return Focus(place.group(1), int(place.group(2)), _unique(offsets)) if place and offsets else None


def _acknowledgement(operations: Sequence[Operation], index: int) -> Acknowledged | None:
    for operation in operations[index + 1 :]:
        if operation.of == index:
            return operation.value if isinstance(operation.value, Acknowledged) else None
    return None


def _unique(offsets: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({offset for offset in offsets if offset >= 0}))


def history_lines(operations: Sequence[Operation], around: int, width: int = 15) -> list[str]:
    """Operations around one of them, one line each; the one itself is marked."""
    chosen = operations[max(0, around - width) : around + width + 1]
    return [f"{'>' if operation.index == around else ' '} {line(operation, _said(operation))}" for operation in chosen]


def _said(operation: Operation) -> str:
    value = operation.value
    text = ""
    if isinstance(value, Send):
        text = f"{value.topic}-{value.partition}  value {value.value}"
    elif isinstance(value, Acknowledged):
        text = f"→ acknowledged, offset {value.offset}"
    elif isinstance(value, Polled):
        text = f"{value.topic}-{value.partition}  {_records(value)}"
    elif isinstance(value, Position):
        text = "from here on reads " + (
            ", ".join(f"{topic}-{number}" for topic, number in value.partitions) or "nothing"
        )
    elif isinstance(value, Committed):
        text = f"{value.group}: " + ", ".join(
            f"{topic}-{number} at {offset}" for topic, number, offset in value.offsets
        )
    elif isinstance(value, FinalEnd):
        text = f"{value.topic}-{value.partition}  read offsets {value.start} to {value.reached - 1} of {value.end}"
    elif isinstance(value, FaultAct):
        text = f"{value.sentence}  {value.proof}".strip()
    elif value is not None:
        text = value
    return f"{text}  {operation.kind}: {operation.error}".strip() if operation.error else text


def _records(polled: Polled) -> str:
    records = polled.records
    if not records:
        return "no records"
    if len(records) <= 4:
        return ", ".join(f"{record.offset} → {record.value}" for record in records)
    first, last = records[0], records[-1]
    return f"{len(records):,} records, {first.offset} → {first.value} … {last.offset} → {last.value}"


def log_excerpts(folder: Path, moments_ms: Sequence[float]) -> list[LogExcerpt]:
    """Of each log in a folder the lines around some moments (ms since 1970), or its end where lines bear no time."""
    found = []
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        if path.is_file():
            found.append(_log_excerpt(path, moments_ms))
    return found


def _log_excerpt(path: Path, moments_ms: Sequence[float]) -> LogExcerpt:
    zone = datetime.now().astimezone().tzinfo
    tail: deque[str] = deque(maxlen=LINES)
    by_zone: dict[Any, list[tuple[float, int, str]]] = {zone: []}
    if datetime.now(zone).utcoffset():
        by_zone[UTC] = []
    distances: dict[Any, float | None] = dict.fromkeys(by_zone)
    total = 0
    with path.open(encoding="utf-8", errors="replace") as log:
        for raw in log:
            text = raw.rstrip("\n")
            total += 1
            tail.append(text)
            for of, chosen in by_zone.items():
                moment = moment_of(text, of, moments_ms[0] if moments_ms else 0.0)
                if moment is not None:
                    distances[of] = _distance(moment, moments_ms)
                distance = distances[of]
                if distance is not None:
                    chosen.append((distance, total, text))
    for chosen in by_zone.values():  # a container's clock may show UTC where this machine does not
        if chosen:
            nearest = sorted(nsmallest(LINES, chosen), key=lambda line: line[1])
            return LogExcerpt(path.name, tuple(text for _, _, text in nearest), True, total)
    return LogExcerpt(path.name, tuple(tail), False, total)


def _distance(moment: float, moments_ms: Sequence[float]) -> float | None:
    """How far a line is from the nearest of the moments, in ms; None where it is too far from all."""
    near = [abs(moment - other) for other in moments_ms if -BEFORE_MS <= moment - other <= AFTER_MS]
    return min(near, default=None)


def moment_of(text: str, zone: Any, near_ms: float) -> float | None:
    """When a line was logged, in ms since 1970; None where it does not say. Without a date, that of `near_ms`."""
    found = _DATE.search(text[:60])
    if found:
        date, clock, fraction, offset = found.groups()
        stamp = f"{date}T{clock}.{(fraction or '0')[:6].ljust(6, '0')}"
        try:
            moment = datetime.fromisoformat(stamp + (offset or "").replace("Z", "+00:00"))
        except ValueError:
            return None
        return (moment if offset else moment.replace(tzinfo=zone)).timestamp() * 1000
    clock_only = _TIME.match(text)
    if clock_only is None:
        return None
    hour, minute, second, milli = (int(part) for part in clock_only.groups())
    try:
        day = datetime.fromtimestamp(near_ms / 1000, zone)
        return day.replace(hour=hour, minute=minute, second=second, microsecond=milli * 1000).timestamp() * 1000
    except ValueError:
        return None
