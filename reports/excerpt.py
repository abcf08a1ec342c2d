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

from harness.history.operations import (
    EARLIEST,
    Acknowledged,
    AdminCall,
    Assign,
    Assigned,
    Commit,
    FaultAct,
    FinalEnd,
    Lost,
    Operation,
    PartitionRecords,
    PartitionStates,
    Polled,
    ProducerIdentity,
    Retries,
    Revoked,
    Seek,
    Send,
    ShareAcknowledged,
    ShareAcquired,
    Subscribe,
    Transaction,
)
from harness.judging.evidence.witness import line
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
    place = _PLACE.search(anomaly.sentence)
    if isinstance(value, Polled) and value.partitions and not place:
        part = value.partitions[0]
        here = offsets or [record.offset for record in part.records[:1]]
        return Focus(part.topic, part.partition, _unique(here))
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
    text = _value_text(operation)
    if operation.error and operation.error in text:
        return f"{text} ({operation.kind})"
    return f"{text}  {operation.kind}: {operation.error}".strip() if operation.error else text


def _value_text(operation: Operation) -> str:
    """What an operation carries, in a few words."""
    match operation.value:
        case None:
            return "" if operation.of is not None else "…"
        case str(text):
            return text
        case Send(topic=topic, partition=partition, value=name):
            return f"{topic}-{partition}  value {name}"
        case Acknowledged(offset=offset):
            return f"→ acknowledged, offset {offset}"
        case Polled(partitions=parts):
            return "; ".join(f"{part.topic}-{part.partition}  {_records(part)}" for part in parts) or "no records"
        case Assign(partitions=wanted):
            return "from here on reads " + (", ".join(_from(*where) for where in wanted) or "nothing")
        case Seek(topic=topic, partition=partition, offset=offset):
            return "from here on reads " + _from(topic, partition, offset)
        case Subscribe(group=group, topics=topics):
            return f"joins {group} for {', '.join(topics)}"
        case Assigned() | Revoked() | Lost() as change:
            given = ", ".join(f"{topic}-{number}" for topic, number in change.partitions) or "nothing"
            return f"{given} by {change.group}" + (
                f", generation {change.generation}" if change.generation >= 0 else ""
            )
        case Commit(group=group, offsets=offsets):
            return f"{group}: " + ", ".join(f"{topic}-{number} at {offset}" for topic, number, offset in offsets)
        case FinalEnd(topic=topic, partition=partition, start=start, reached=reached, end=end):
            return f"{topic}-{partition}  read offsets {start} to {reached - 1} of {end}"
        case FaultAct() as act:
            return f"{act.sentence}  {act.proof}".strip()
        case ProducerIdentity(producer_id=producer_id, epoch=epoch):
            return f"producer id {producer_id}, epoch {epoch}" if producer_id >= 0 else "no producer id"
        case Retries(count=count):
            return f"{count:,} records were sent again"
        case PartitionStates(partitions=states):
            return "; ".join(
                f"{state.topic}-{state.partition} led by {state.leader} in epoch {state.leader_epoch}, isr {state.isr}"
                for state in states
            )
        case AdminCall() as call:
            return call.details
        case Transaction(transactional_id=name, operations=steps, ends=ends):
            return f"transaction of {name}: {len(steps)} steps, then {ends}"
        case ShareAcquired(group=group, topic=topic, partition=partition, deliveries=deliveries):
            return f"{group} acquired {len(deliveries)} records of {topic}-{partition}"
        case ShareAcknowledged(group=group, topic=topic, partition=partition, acknowledgements=told):
            return f"{group} acknowledged {len(told)} records of {topic}-{partition}"


def _from(topic: str, partition: int, offset: int) -> str:
    return f"{topic}-{partition}" + ("" if offset == EARLIEST else f" from offset {offset}")


def _records(part: PartitionRecords) -> str:
    records = part.records
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
