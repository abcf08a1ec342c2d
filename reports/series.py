"""From a stored history to what a picture shows: latencies, rates, stretches under a fault, gaps without success.

Only times and kinds are decoded, and no checksum is checked: judging is not done here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.history.operations import ADMIN, NEMESIS, AdminCall, FaultAct, Operation, OpType
from harness.judging.periods import fault_periods


@dataclass(frozen=True, slots=True)
class Call:
    """A send from its start to its end, in ms since the start of the history."""

    start_ms: float
    stop_ms: float
    outcome: str
    """ok, fail or info; info also when no answer came."""

    @property
    def latency_ms(self) -> float:
        """How long it took."""
        return self.stop_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time under a fault, in ms since the start of the history."""

    fault: str
    what: str
    start_ms: float
    stop_ms: float


@dataclass(frozen=True, slots=True)
class Change:
    """What an administrator asked the cluster for, from its request to its answer; ms since the start."""

    what: str
    start_ms: float
    stop_ms: float
    outcome: str
    """ok, fail or info; info also when no answer came."""

    @property
    def told(self) -> str:
        """What it was, and how it ended unless it was done."""
        return self.what if self.outcome == "ok" else f"{self.what} ({self.outcome})"

    @property
    def took_ms(self) -> float:
        """How long the answer took."""
        return self.stop_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Gap:
    """The longest time without a success, in ms since the start of the history."""

    start_ms: float
    stop_ms: float

    @property
    def length_ms(self) -> float:
        """How long it was."""
        return self.stop_ms - self.start_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A history's course."""

    started_at_ms: int = 0
    end_ms: float = 0.0
    producing_end_ms: float = 0.0
    calls: tuple[Call, ...] = ()
    reads: tuple[float, ...] = ()
    """When polls returned records, in ms."""
    bands: tuple[Band, ...] = ()
    changes: tuple[Change, ...] = ()

    def produce_gap(self) -> Gap | None:
        """The longest time in which no send was acknowledged, while producers worked."""
        if not self.calls:
            return None
        done = [call.stop_ms for call in self.calls if call.outcome == "ok"]
        return longest_gap(done, self.calls[0].start_ms, self.producing_end_ms)

    def consume_gap(self) -> Gap | None:
        """The longest time in which no poll returned a record, while producers worked."""
        return longest_gap(self.reads, self.reads[0], self.producing_end_ms) if self.reads else None

    def fault_of(self, gap: Gap) -> str:
        """What was done to the cluster during a gap, or shortly before it."""
        for band in self.bands:
            if band.start_ms <= gap.stop_ms and gap.start_ms <= band.stop_ms + 1_000:
                return band.what or band.fault
        return ""


def longest_gap(times: Sequence[float], start_ms: float, stop_ms: float) -> Gap | None:
    """The longest stretch between `start_ms` and `stop_ms` that none of the times falls into."""
    if stop_ms <= start_ms:
        return None
    best = Gap(start_ms, start_ms)
    before = start_ms
    for moment in [*sorted(moment for moment in times if start_ms <= moment <= stop_ms), stop_ms]:
        if moment - before > best.length_ms:
            best = Gap(before, moment)
        before = moment
    return best


class _Line(msgspec.Struct, gc=False):
    """What is needed of a line; lines that are no operation lack `process`."""

    index: int = -1
    time_ns: int = 0
    process: str = ""
    kind: str = ""
    f: str = ""
    value: msgspec.Raw = msgspec.Raw()
    of: int = -1
    started_at_ms: int = 0


_decoder = msgspec.json.Decoder(_Line)


def series_of(path: Path) -> Series:
    """The course of a stored history; an empty one when the file cannot be read."""
    try:
        lines = _lines(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return Series()
    return _series(lines)


def _lines(data: bytes) -> list[_Line]:
    try:
        return _decoder.decode_lines(data)
    except msgspec.DecodeError:  # a harness that died leaves a torn last line
        return _decoder.decode_lines(data[: data.rfind(b"\n", 0, len(data) - 1) + 1])


def _series(lines: Sequence[_Line]) -> Series:
    open_sends: dict[int, float] = {}
    calls: list[Call] = []
    reads: list[float] = []
    nemesis: list[Operation] = []
    asked: dict[int, _Line] = {}
    changes: list[Change] = []
    end_ms = producing_end_ms = 0.0
    for line in lines:
        if not line.process:
            continue
        now_ms = line.time_ns / 1e6
        end_ms = now_ms
        if line.f == "send":
            if line.kind == "invoke":
                open_sends[line.index] = now_ms
                producing_end_ms = now_ms
            else:
                started = open_sends.pop(line.of, None)
                if started is not None:
                    calls.append(Call(started, now_ms, line.kind))
        elif line.f == "poll" and line.kind == "ok" and b'"partitions":[]' not in bytes(line.value):
            reads.append(now_ms)
        elif line.process == NEMESIS:
            nemesis.append(_act(line))
        elif line.process == ADMIN and line.kind == "invoke":
            asked[line.index] = line
        elif line.process == ADMIN and line.of in asked:
            changes.append(_change(asked.pop(line.of), line, now_ms))
    calls += [Call(started, end_ms, "info") for started in open_sends.values()]
    calls.sort(key=lambda call: call.start_ms)
    return Series(
        started_at_ms=lines[0].started_at_ms if lines else 0,
        end_ms=end_ms,
        producing_end_ms=producing_end_ms,
        calls=tuple(calls),
        reads=tuple(reads),
        bands=_bands(nemesis, end_ms),
        changes=(*changes, *(_change(line, None, end_ms) for line in asked.values())),
    )


def _act(line: _Line) -> Operation:
    """A line of the nemesis, as it was written."""
    return Operation(
        index=line.index,
        time_ns=line.time_ns,
        process=line.process,
        kind=OpType(line.kind),
        f=line.f,
        value=msgspec.json.decode(line.value, type=FaultAct),
        of=line.of if line.of >= 0 else None,
    )


def _change(asked: _Line, answered: _Line | None, stop_ms: float) -> Change:
    """A request with its answer, or without one."""
    call = msgspec.json.decode((answered or asked).value, type=AdminCall)
    return Change(call.sentence, asked.time_ns / 1e6, stop_ms, answered.kind if answered else "info")


def _bands(nemesis: Sequence[Operation], end_ms: float) -> tuple[Band, ...]:
    """Each fault from the moment before it was injected to the end of its heal, or of the history."""
    return tuple(
        Band(
            period.name,
            period.act.sentence,
            period.begin_ns / 1e6,
            end_ms if period.end_ns is None else period.end_ns / 1e6,
        )
        for period in fault_periods(nemesis)
    )
