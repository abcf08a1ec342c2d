"""Checks offsets that replicas report repeatedly: none may decrease, except by a truncation. Pure.

When a replica becomes a follower in a new leader epoch, it may truncate what the new leader does not have, and takes
over the leader's high watermark, which may be lower for a moment (KIP-101, KIP-207). After it has appended in this
epoch, its log is a prefix of the leader's. It must never truncate records that a leader has reported as committed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.judging.outcome import BrokenPromise

IN_ORDER = ("log start", "last stable offset", "high watermark", "log end")


@dataclass(frozen=True, slots=True)
class Telling:
    """The offsets that a replica reported, and what was known when it was asked."""

    node: int
    life: int
    """How often the node has been restarted. A restart may lower its high watermark."""
    epoch: int
    """The leader epoch of the request, which the replica accepted as current."""
    committed: int
    """The highest offset that a leader had reported as committed before this request."""
    ends: dict[str, int]
    """Name, as in IN_ORDER → offset. They were requested in this order, so a later one may have risen meanwhile."""


@dataclass(slots=True)
class ReplicaEnds:
    """The reports of all replicas of one partition."""

    looks: Counter[int] = field(default_factory=Counter)
    """Node → number of reports that were compared with an earlier one while its log was a prefix of the leader's."""
    _last: dict[int, Telling] = field(default_factory=dict)
    _risen: set[tuple[int, int, int]] = field(default_factory=set)
    """(node, life, epoch) in which the log end was seen to rise."""
    _settled: set[tuple[int, int, int]] = field(default_factory=set)
    """(node, life, epoch) with at least one more report after the log end rose."""
    _kept: dict[int, int] = field(default_factory=dict)
    """Node → the offset below which it was seen to hold everything that a leader had reported as committed."""

    def saw(self, now: Telling) -> None:
        """Adds a report. BrokenPromise (D7) if an offset decreases that must not, or if they are out of order."""
        last = self._last.get(now.node)
        if last is not None:
            self._compare(last, now)
        place = (now.node, now.life, now.epoch)
        if place in self._settled:
            told = [now.ends[what] for what in IN_ORDER]
            if told != sorted(told):
                raise BrokenPromise(
                    f"The ends are out of order: {now.ends} ({_whose(now)}).", claim="D7", anomaly="ends out of order"
                )
        self._note(place, last, now)

    def _compare(self, last: Telling, now: Telling) -> None:
        place = (now.node, now.life, now.epoch)
        if now.life == last.life:
            _not_below("log start", last, now)
        if now.ends["log end"] < last.ends["log end"]:
            if place in self._risen:
                _not_below("log end", last, now)
            if now.ends["log end"] < self._kept.get(now.node, 0):
                raise BrokenPromise(
                    f"The log end goes back from {last.ends['log end']} to {now.ends['log end']} ({_whose(now)}), "
                    f"though it held all that was committed below {self._kept[now.node]}.",
                    claim="D7",
                    anomaly="a committed record is cut off",
                )
        if place in self._settled:
            self.looks[now.node] += 1
            _not_below("last stable offset", last, now)
            _not_below("high watermark", last, now)

    def _note(self, place: tuple[int, int, int], last: Telling | None, now: Telling) -> None:
        """Records a report. A place counts as settled one report after the log end rose, because the high watermark
        follows a moment later."""
        if place in self._risen:
            self._settled.add(place)
        is_same = last is not None and (last.node, last.life, last.epoch) == place
        if is_same and last is not None and now.ends["log end"] > last.ends["log end"]:
            self._risen.add(place)
        if place in self._risen:
            held = min(now.ends["log end"], now.committed)
            self._kept[now.node] = max(held, self._kept.get(now.node, 0))
        self._last[now.node] = now


def _not_below(what: str, last: Telling, now: Telling) -> None:
    if now.ends[what] < last.ends[what]:
        raise BrokenPromise(
            f"The {what} goes back from {last.ends[what]} to {now.ends[what]} ({_whose(now)}).",
            claim="D7",
            anomaly="an end goes back",
        )


def _whose(now: Telling) -> str:
    return f"the replica on node {now.node}, in leader epoch {now.epoch}"
