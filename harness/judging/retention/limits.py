"""Judges when records went: none before its limit, none later than the settings allow, and whole segments only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from harness.judging.retention.log_history import NO_TIMESTAMP, Append, Limits, LogHistory, Look, Timeline
from harness.judging.retention.segments import FILE_CLOCK_MS, Segment, segments_of
from harness.judging.retention.wrong import Wrong, at, line


class Ages:
    """Whether batches and segments may be gone, or must be."""

    def __init__(self, history: LogHistory) -> None:
        self._history = history
        self.limits = Timeline(history.limits, history.changes)
        self.clock = Timeline(0, history.clock)
        self._began = [batch.began_ms for batch in history.appends]
        self._ended = [batch.ended_ms for batch in history.appends]
        self._sums = [0, *accumulate(batch.size for batch in history.appends)]
        self._index = {batch.base_offset: index for index, batch in enumerate(history.appends)}
        self._lasts = [*self.limits.lasts(), *self.clock.lasts()]
        self._turns = sorted({*self.limits.turns(), *self.clock.turns()})

    def may_be_cut(self, batch: Append, by_ms: int) -> bool:
        """Whether a deletion of all records of a batch was asked for before a time."""
        return any(cut.began_ms <= by_ms and cut.offset > batch.last_offset for cut in self._history.cuts)

    def may_be_gone(self, batch: Append, by_ms: int, latest_ms: int | None) -> bool:
        """Whether there was a moment up to a time at which retention could take a batch.

        `latest_ms`: from when its age counts, at the earliest; None where that cannot be known.
        """
        if latest_ms is None:
            return True
        moments = [by_ms, *(last for last in self._lasts if last < by_ms)]
        return any(
            self._is_over(limits, latest_ms, moment + ahead, self._after(batch, moment, self._began))
            for moment in moments
            if moment >= batch.began_ms
            for limits in self.limits.possible(moment)
            for ahead in self.clock.possible(moment)
        )

    def must_be_gone(self, segment: Segment, since_ms: int, until_ms: int) -> bool:
        """Whether retention had to take a segment at every moment between two."""
        latest_ms, last = segment.latest_ms[1], segment.batches[-1]
        moments = [since_ms, *(turn for turn in self._turns if since_ms < turn <= until_ms)]
        return last.ended_ms < since_ms and all(
            self._is_over(limits, latest_ms, moment + ahead, self._after(last, moment, self._ended))
            for moment in moments
            for limits in self.limits.possible(moment)
            for ahead in self.clock.possible(moment)
        )

    @staticmethod
    def _is_over(limits: Limits, latest_ms: int, now_ms: int, bytes_after: int) -> bool:
        if limits.retention_ms is not None and now_ms - latest_ms > limits.retention_ms:
            return True
        return limits.retention_bytes is not None and bytes_after >= limits.retention_bytes

    def _after(self, batch: Append, moment: int, times: list[int]) -> int:
        """The bytes after a batch, of those appended by a moment."""
        upto = bisect_right(times, moment)
        return max(0, self._sums[upto] - self._sums[self._index[batch.base_offset] + 1])


def wrong_deletions(history: LogHistory) -> Iterator[Wrong]:
    """Where the log's start was too early or too late, or not at the start of a segment."""
    ages = Ages(history)
    looks = [look for look in history.looks if look.start is not None]
    ended_at = _ends_by_retention(history, ages, looks)
    segments = segments_of(history.appends, history.rules, ended_at)
    yield from _early(history, ages, looks, segments)
    yield from _between(history, looks, segments, ended_at)
    yield from _late(history, ages, looks, segments)


def _ends_by_retention(history: LogHistory, ages: Ages, looks: list[Look]) -> set[int]:
    """The offsets at which the active segment may have ended because retention took it, with all before it."""
    places = {batch.base_offset: index for index, batch in enumerate(history.appends)}
    if history.appends:
        places[history.appends[-1].last_offset + 1] = len(history.appends)
    found: set[int] = set()
    since = 0
    for look in sorted(looks, key=lambda one: (one.ended_ms, one.start)):
        upto = places.get(look.start or 0, 0)
        if upto <= since:
            continue
        gone = history.appends[since:upto]
        is_last = upto == len(history.appends)
        by_ms = look.ended_ms if is_last else min(look.ended_ms, history.appends[upto].ended_ms)
        by_retention = [ages.may_be_gone(batch, by_ms, _known_age(batch)) for batch in gone]
        if by_retention[-1] and all(
            one or ages.may_be_cut(batch, by_ms) for one, batch in zip(by_retention, gone, strict=True)
        ):
            found.add(gone[-1].last_offset + 1)
        since = upto
    return found


def _known_age(batch: Append) -> int:
    return batch.began_ms - FILE_CLOCK_MS if batch.max_timestamp == NO_TIMESTAMP else batch.max_timestamp


def _early(history: LogHistory, ages: Ages, looks: list[Look], segments: list[Segment]) -> Iterator[Wrong]:
    homes = {batch.base_offset: segment for segment in segments for batch in segment.batches}
    judged = 0
    for look in sorted(looks, key=lambda one: (one.ended_ms, one.start)):
        while judged < len(history.appends) and history.appends[judged].last_offset < (look.start or 0):
            batch = history.appends[judged]
            judged += 1
            age = _counts_from(batch, homes[batch.base_offset], history)
            if not ages.may_be_cut(batch, look.ended_ms) and not ages.may_be_gone(batch, look.ended_ms, age):
                limits = " or ".join(str(one) for one in ages.limits.possible(look.ended_ms))
                words = f"offsets {batch.base_offset} to {batch.last_offset} are deleted before their limit"
                yield Wrong("R2", words, (_appended(batch), f"{at(look)}  in force: {limits}", line(look)))
                return


def _counts_from(batch: Append, home: Segment, history: LogHistory) -> int | None:
    """From when the age of a batch counts at the earliest; None where only its segment knows, which is not known."""
    if history.has_exact_segments:
        return home.latest_ms[0]
    return None if batch.max_timestamp == NO_TIMESTAMP else batch.max_timestamp


def _between(history: LogHistory, looks: list[Look], segments: list[Segment], ended_at: set[int]) -> Iterator[Wrong]:
    if not history.has_exact_segments:
        return
    bases = {0, *ended_at, *(segment.base_offset for segment in segments)}
    for look in looks:
        cuts = {cut.offset for cut in history.cuts if cut.began_ms <= look.ended_ms}
        if look.start not in bases and look.start not in cuts:
            words = f"the log starts at {look.start}, where no segment begins and no deletion was asked for"
            yield Wrong("R2", words, (line(look),))
            return


def _late(history: LogHistory, ages: Ages, looks: list[Look], segments: list[Segment]) -> Iterator[Wrong]:
    rules = history.rules
    if not history.has_exact_segments:
        segments = [Segment(tuple(history.appends))] if history.appends else []
    ends = [segment.end_offset for segment in segments]
    bound_ms = rules.check_interval_ms + rules.slack_ms
    told = sorted((look.ended_ms, look.start or 0) for look in looks)
    for look in looks:
        first = bisect_right(ends, look.start or 0)
        since_ms = look.began_ms - bound_ms
        is_disturbed = any(
            gap.began_ms <= look.ended_ms and gap.ended_ms + rules.initial_delay_ms > since_ms for gap in history.breaks
        )
        if first == len(segments) or is_disturbed:
            continue
        known = told[bisect_right(told, (since_ms, -1)) - 1][1] if told[0][0] < since_ms else 0
        # One that had to stay keeps all after it, until it goes.
        due = segments[min(first, bisect_right(ends, known)) : first + 1]
        if all(ages.must_be_gone(segment, since_ms, look.began_ms) for segment in due):
            segment = segments[first]
            words = f"the segment from {segment.base_offset} to {segment.end_offset - 1} is still there"
            limits = " or ".join(str(one) for one in ages.limits.possible(look.began_ms))
            lines = (_appended(segment.batches[-1]), f"in force: {limits}; for {bound_ms} ms", line(look))
            yield Wrong("R3", f"{words} {bound_ms} ms after its limit", lines)
            return


def _appended(batch: Append) -> str:
    when = "without a timestamp" if batch.max_timestamp == NO_TIMESTAMP else f"of {batch.max_timestamp}"
    return f"{at(batch)}  append  offsets {batch.base_offset}..{batch.last_offset}, {batch.size} bytes, {when}"
