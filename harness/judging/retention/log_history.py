"""What clients saw of the two ends of one partition, and what was done to it meanwhile.

Times are milliseconds since 1970 on the clock of the machine that looks, rounded down. Each operation has the time of
its invocation and of its completion: what it tells was so at some moment between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

NO_TIMESTAMP = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From the invocation of an operation to its completion."""

    began_ms: int
    ended_ms: int

    def is_before(self, other: Span) -> bool:
        """Whether it was over before the other was invoked. Within one millisecond nobody knows."""
        return self.ended_ms < other.began_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Append(Span):
    """One batch that was acknowledged."""

    base_offset: int
    last_offset: int
    size: int
    """Bytes in the log."""
    max_timestamp: int = NO_TIMESTAMP
    """The largest timestamp (ms) of its records, as the log has it; -1 where they have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt(Span):
    """A batch that was refused by a leader that may have appended it: it resigned before others had it."""

    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Span):
    """One answer of a broker. What it does not tell is None."""

    asked: str
    start: int | None = None
    """The log start offset."""
    end: int | None = None
    """The high watermark."""
    answered_at: int | None = None
    """An offset from which a Fetch was answered without an error."""
    refused_at: int | None = None
    """An offset from which a Fetch was refused with OFFSET_OUT_OF_RANGE."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a log keeps. None: without limit."""

    retention_ms: int | None = None
    retention_bytes: int | None = None


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Span, Generic[T]):
    """A value takes the place of another: from the invocation on it may be in force, from the completion on it is."""

    value: T


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Span):
    """DeleteRecords. `low_watermark` is None where it was not acknowledged."""

    offset: int
    low_watermark: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Break(Span):
    """The broker was gone, or another leads: from the fault's invocation until the partition is served again."""

    words: str
    forgets: bool = False
    """Whether the log may start again where it did before: a follower, or a checkpoint, may lag behind."""
    forgets_cuts: bool = False
    """Whether also deletions that were acknowledged may be forgotten (a kill of the only replica)."""


@dataclass(slots=True, kw_only=True)
class Rules:
    """The settings that bind the log, beside its limits."""

    check_interval_ms: int
    """log.retention.check.interval.ms."""
    initial_delay_ms: int
    """log.initial.task.delay.ms: until the first of these checks after a start."""
    slack_ms: int
    """What a busy machine may add to these."""
    segment_bytes: int
    segment_ms: int
    has_exact_segments: bool = True
    """Whether every batch was appended alone, so that its segment is known. A follower that catches up appends many."""


@dataclass(slots=True, kw_only=True)
class LogHistory:
    """Everything about one partition. Appends are in the order of their offsets, without a gap but for doubts."""

    rules: Rules
    limits: Limits
    """Those in force at the beginning."""
    appends: list[Append] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    changes: list[Change[Limits]] = field(default_factory=list)
    clock: list[Change[int]] = field(default_factory=list)
    """How far the broker's wall clock is ahead (ms); 0 at the beginning."""
    cuts: list[Cut] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)

    @property
    def has_exact_segments(self) -> bool:
        """Whether its segments can be known. After a deletion of records nobody sees whether retention has closed the
        active segment where the log starts already."""
        return self.rules.has_exact_segments and not self.cuts


class Timeline(Generic[T]):
    """Which values may be in force at a time."""

    def __init__(self, first: T, changes: list[Change[T]]) -> None:
        self._first, self._changes = first, changes

    def possible(self, at_ms: int) -> list[T]:
        """The value that was in force last for certain, and those that may have taken its place."""
        settled = [change for change in self._changes if change.ended_ms <= at_ms]
        since = settled[-1].ended_ms if settled else None
        pending = [
            change.value
            for change in self._changes
            if change.began_ms <= at_ms < change.ended_ms and (since is None or change.ended_ms >= since)
        ]
        return [settled[-1].value if settled else self._first, *pending]

    def turns(self) -> list[int]:
        """The times at which something may change."""
        return [at for change in self._changes for at in (change.began_ms, change.ended_ms)]

    def lasts(self) -> list[int]:
        """The last times at which what was before a change may be in force."""
        return [change.ended_ms - 1 for change in self._changes]
