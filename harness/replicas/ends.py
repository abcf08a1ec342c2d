"""What replicas tell of their own logs, look after look: their ends never go back but by a truncation. Pure.

A replica that comes to follow in a new leader epoch may cut off what the new leader does not have, and takes its high
watermark, which may be lower for a moment (KIP-101, KIP-207). Once it has appended in an epoch, its log is a prefix of
the leader's. Never may it cut off what a leader had told as committed before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.judging.outcome import BrokenPromise

IN_ORDER = ("log start", "last stable offset", "high watermark", "log end")


@dataclass(frozen=True, slots=True)
class Telling:
    """What a replica told, and what was known when it was asked."""

    node: int
    life: int
    """How often the node was started before: its high watermark may go back when it starts again."""
    epoch: int
    """The leader epoch that it was asked in, and knows."""
    committed: int
    """The highest offset that a leader had told as committed before."""
    ends: dict[str, int]
    """By the names of IN_ORDER; asked for in that order, so that each may have risen."""


@dataclass(slots=True)
class ReplicaEnds:
    """The replicas of one partition."""

    looks: Counter[int] = field(default_factory=Counter)
    """Node → looks that were compared with an earlier one of a log that is a prefix of the leader's."""
    _last: dict[int, Telling] = field(default_factory=dict)
    _risen: set[tuple[int, int, int]] = field(default_factory=set)
    """(node, life, epoch) in which it was seen to append."""
    _settled: set[tuple[int, int, int]] = field(default_factory=set)
    """… and was looked at since."""
    _kept: dict[int, int] = field(default_factory=dict)
    """Node → the offset below which it was seen to hold what a leader had told as committed."""

    def saw(self, now: Telling) -> None:
        """BrokenPromise where an end goes back, or the ends are out of order."""
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
        """Its high watermark follows its log end a moment later: it counts from the look after the one that saw it."""
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
