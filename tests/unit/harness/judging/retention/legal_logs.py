"""A small log with retention, whose histories are legal: it does what Kafka's documents say, at drawn times."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from harness.judging.retention.log_history import (
    Append,
    Change,
    Cut,
    Limits,
    LogHistory,
    Look,
    Rules,
)

RULES = Rules(check_interval_ms=100, initial_delay_ms=50, slack_ms=20, segment_bytes=1_000, segment_ms=500)
BEGINNING_MS = 1_000_000


@dataclass
class Log:
    """Batches in segments; `turn` is one run of retention."""

    limits: Limits
    segments: list[list[Append]] = field(default_factory=lambda: [[]])
    start: int = 0
    end: int = 0

    def append(self, at_ms: int, *, size: int, timestamp: int, records: int) -> Append:
        """Appends a batch, in a new segment where the last is full or old."""
        last = self.segments[-1]
        batch = Append(
            began_ms=at_ms - 2,
            ended_ms=at_ms + 1,
            base_offset=self.end,
            last_offset=self.end + records - 1,
            size=size,
            max_timestamp=timestamp,
        )
        is_old = bool(last) and timestamp - last[0].max_timestamp > RULES.segment_ms
        if last and (sum(one.size for one in last) + size > RULES.segment_bytes or is_old):
            self.segments.append([])
        self.segments[-1].append(batch)
        self.end = batch.last_offset + 1
        return batch

    def turn(self, now_ms: int) -> None:
        """Takes the segments below the start, and those that are over the limits, from the first on."""
        while len(self.segments) > 1 and self.segments[1] and self.segments[1][0].base_offset <= self.start:
            self.segments.pop(0)
        while self.segments[0] and self._is_over(now_ms):
            gone = self.segments.pop(0)
            self.start = max(self.start, gone[-1].last_offset + 1)
            if not self.segments:
                self.segments.append([])

    def _is_over(self, now_ms: int) -> bool:
        first, limits = self.segments[0], self.limits
        after = sum(one.size for segment in self.segments[1:] for one in segment)
        if limits.retention_bytes is not None and after >= limits.retention_bytes:
            return True
        newest = max(one.max_timestamp for one in first)
        return limits.retention_ms is not None and now_ms - newest > limits.retention_ms

    def looks(self, at_ms: int) -> list[Look]:
        """What a client is told now."""
        span = {"began_ms": at_ms - 1, "ended_ms": at_ms + 1}
        found = [
            Look(**span, asked="ListOffsets earliest", start=self.start),
            Look(**span, asked="ListOffsets latest", end=self.end),
            Look(**span, asked="Fetch", start=self.start, end=self.end, answered_at=self.start),
            Look(**span, asked="Fetch", refused_at=self.end + 1),
        ]
        if self.start:
            found.append(Look(**span, asked="Fetch", refused_at=self.start - 1))
        return found


def legal_history(seed: int, *, lasts_ms: int = 2_000) -> LogHistory:
    """What clients could see of a log whose limits change, under appends and deletions at drawn times."""
    chance = Random(seed)
    log = Log(drawn_limits(chance))
    history = LogHistory(rules=RULES, limits=log.limits)
    next_turn = BEGINNING_MS + RULES.initial_delay_ms
    for now_ms in range(BEGINNING_MS, BEGINNING_MS + lasts_ms):
        if now_ms == next_turn:
            log.turn(now_ms)
            next_turn += RULES.check_interval_ms + chance.randrange(5)
        act = chance.randrange(400)
        if act < 8:
            timestamp = now_ms + chance.choice((0, 0, 0, -400, -2_000, 700))
            size, records = chance.choice((100, 300, 400, 1_000)), chance.randrange(1, 4)
            history.appends.append(log.append(now_ms, size=size, timestamp=timestamp, records=records))
        elif act < 9:
            log.limits = drawn_limits(chance)
            history.changes.append(Change(began_ms=now_ms - 3, ended_ms=now_ms + 3, value=log.limits))
        elif act < 10:
            log.start = max(log.start, chance.randrange(log.end + 1))
            history.cuts.append(
                Cut(began_ms=now_ms - 1, ended_ms=now_ms + 1, offset=log.start, low_watermark=log.start)
            )
        elif act < 60:
            history.looks += log.looks(now_ms)
    return history


def drawn_limits(chance: Random) -> Limits:
    """By time, by size, both or none."""
    by_time = chance.choice((None, 100, 300, 1_000))
    return Limits(by_time, chance.choice((None, None, 400, 1_000, 2_500)))
