"""Judges what brokers told of a log's two ends: neither goes back, and exactly what lies between them is served."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate

from harness.judging.retention.log_history import LogHistory, Look, Span
from harness.judging.retention.wrong import Wrong, line

Bound = tuple[int, int]
"""(time in ms, offset)."""


class Ends:
    """What is known of the two ends at any time, from all that was answered before and after."""

    def __init__(self, history: LogHistory) -> None:
        self._forgets = [one for one in history.breaks if one.forgets]
        self._history = history
        starts = [look for look in history.looks if look.start is not None]
        self.usable = [look for look in starts if not any(_overlap(look, gap) for gap in self._forgets)]
        acknowledged = [(batch.ended_ms, batch.last_offset + 1) for batch in history.appends]
        told = [(look.ended_ms, look.end) for look in history.looks if look.end is not None]
        self._least_end = _rising([*acknowledged, *told])
        self._most_end = _rising([(batch.began_ms, batch.last_offset + 1) for batch in history.appends])
        self._doubts = history.doubts
        self._least_starts = [_rising(self._known_starts(index)) for index in range(len(self._forgets) + 1)]
        self._most_starts = [self._later_starts(index) for index in range(len(self._forgets) + 1)]

    def _known_starts(self, index: int) -> list[Bound]:
        """The starts that bind after so many breaks that forget."""
        begins = self._forgets[index - 1].began_ms if index else -1
        bounds = [(look.ended_ms, look.start) for look in self.usable if look.start is not None]
        known = [bound for bound in bounds if bound[0] >= begins]
        for cut in self._history.cuts:
            is_kept = cut.ended_ms >= begins or not any(
                gap.forgets_cuts and cut.ended_ms < gap.ended_ms for gap in self._forgets[:index]
            )
            if cut.low_watermark is not None and is_kept:
                known.append((cut.ended_ms, cut.low_watermark))
        return known

    def _later_starts(self, index: int) -> list[Bound]:
        """(time, the least start told by an answer that was asked for from then on), until the next break."""
        since = self._forgets[index - 1].began_ms if index else -1
        until = self._forgets[index].began_ms if index < len(self._forgets) else None
        told = [(look.began_ms, look.start) for look in self.usable if look.start is not None]
        told = sorted(bound for bound in told if since < bound[0] and (until is None or bound[0] < until))
        least = list(accumulate((start for _, start in reversed(told)), min))
        return list(zip((began for began, _ in told), reversed(least), strict=True))

    def _breaks_before(self, span: Span) -> int:
        return sum(gap.began_ms <= span.ended_ms for gap in self._forgets)

    def least_start(self, span: Span) -> int:
        """Below this offset the log did not begin any more when an operation was invoked."""
        return _before(self._least_starts[self._breaks_before(span)], span.began_ms)

    def most_start(self, span: Span) -> int | None:
        """Beyond this offset the log did not begin yet when an operation was completed; None where nobody knows."""
        told = self._most_starts[self._breaks_before(span)]
        place = bisect_left(told, (span.ended_ms + 1, -1))
        return told[place][1] if place < len(told) else None

    def least_end(self, span: Span) -> int:
        """The log did not end before this offset when an operation was invoked."""
        return _before(self._least_end, span.began_ms)

    def most_end(self, span: Span) -> int:
        """The log did not end beyond this offset when an operation was completed."""
        doubted = sum(doubt.records for doubt in self._doubts if doubt.began_ms <= span.ended_ms)
        return _before(self._most_end, span.ended_ms + 1) + doubted


def _overlap(one: Span, other: Span) -> bool:
    return one.began_ms <= other.ended_ms and other.began_ms <= one.ended_ms


def _rising(bounds: list[Bound]) -> list[Bound]:
    """The largest offset up to each time."""
    bounds.sort()
    return list(zip((at for at, _ in bounds), accumulate((offset for _, offset in bounds), max), strict=True))


def _before(rising: list[Bound], at_ms: int) -> int:
    place = bisect_right(rising, (at_ms, -1))
    return rising[place - 1][1] if place else 0


def wrong_ends(history: LogHistory) -> Iterator[Wrong]:
    """The answers that contradict what was answered, or acknowledged, before or after."""
    ends = Ends(history)
    for look in history.looks:
        if any(_overlap(look, gap) for gap in history.breaks):
            continue
        yield from _wrong_told(look, ends)
        yield from _wrong_served(look, ends)


def _wrong_told(look: Look, ends: Ends) -> Iterator[Wrong]:
    least = ends.least_start(look)
    if look.start is not None and look.start < least:
        yield Wrong("R4", f"the log start offset goes back: it is told as {look.start}, after {least}", (line(look),))
    if look.start is not None and look.start > ends.most_end(look):
        yield Wrong("R4", f"the log starts at {look.start}, beyond its end {ends.most_end(look)}", (line(look),))
    if look.end is not None and look.end < ends.least_end(look):
        words = f"the end of the log is told as {look.end}, after {ends.least_end(look)}"
        yield Wrong("R4", words, (line(look),))
    if look.end is not None and look.end > ends.most_end(look):
        words = f"the end of the log is told as {look.end}, and no more than {ends.most_end(look)} was sent"
        yield Wrong("R4", words, (line(look),))


def _wrong_served(look: Look, ends: Ends) -> Iterator[Wrong]:
    least, most = ends.least_start(look), ends.most_start(look)
    if look.answered_at is not None and not least <= look.answered_at <= ends.most_end(look):
        words = f"a Fetch from {look.answered_at} is answered, outside of the log from {least} to {ends.most_end(look)}"
        yield Wrong("R4", words, (line(look),))
    refused = look.refused_at
    if refused is not None and most is not None and most <= refused <= ends.least_end(look):
        words = f"a Fetch from {refused} is refused, within the log from {most} to {ends.least_end(look)}"
        yield Wrong("R4", words, (line(look),))
