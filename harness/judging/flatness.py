"""Whether a figure that was sampled over a long run stays flat, so that the same load could go on for ever (L4).

Looked at is the second half of the run, in which caches are full and what is kept is deleted as fast as it is written.
A line is laid through its samples (Theil and Sen: the median of the slopes of all pairs, which a few outliers do not
move). It may rise, over that half, by a share of the samples' median, or by a least amount where that is more. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import median
from typing import Any

Samples = Sequence[tuple[float, float]]
"""(seconds since the run began, value), in order of time."""
LEAST_SAMPLES = 8
"""In the second half; with fewer, nothing is said."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How much a figure may rise over the second half of a run."""

    figure: str
    unit: str
    share: float
    least: float

    @property
    def sentence(self) -> str:
        """The rule in words."""
        most = f"{self.share:.0%} of its median, or {self.least:g} {self.unit}"
        return f"over the second half it rises by no more than {most}"


MEMORY = Bound("resident memory", "MB", 0.10, 8.0)
DESCRIPTORS = Bound("open descriptors", "descriptors", 0.10, 10.0)
LATENCY = Bound("p99 of acknowledgements", "ms", 0.5, 50.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatness:
    """How a figure went over the second half of a run."""

    figure: str
    of: str
    """Whose: "node 1"."""
    unit: str
    median: float
    rise: float
    most: float
    rule: str

    @property
    def is_flat(self) -> bool:
        """Whether it rose by no more than it may; a fall is no growth."""
        return self.rise <= self.most

    @property
    def sentence(self) -> str:
        """ "resident memory of node 1: median 63.1 MB, rises by 0.4 MB of at most 8"."""
        way = f"rises by {self.rise:.1f}" if self.rise >= 0 else f"falls by {-self.rise:.1f}"
        return f"{self.figure} of {self.of}: median {self.median:.1f} {self.unit}, {way} of at most {self.most:.1f}"

    def data(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "is_flat": self.is_flat, "sentence": self.sentence}


def flatness(samples: Samples, bound: Bound, of: str) -> Flatness | None:
    """How a figure went; None where the second half has too few samples. O(samples²)."""
    if not samples:
        return None
    begin, end = samples[0][0], samples[-1][0]
    late = [(at, value) for at, value in samples if at >= (begin + end) / 2]
    if len(late) < LEAST_SAMPLES:
        return None
    slopes = [(other - value) / (then - at) for (at, value), (then, other) in combinations(late, 2) if then > at]
    middle = median(value for _, value in late)
    return Flatness(
        figure=bound.figure,
        of=of,
        unit=bound.unit,
        median=middle,
        rise=median(slopes) * (late[-1][0] - late[0][0]) if slopes else 0.0,
        most=max(bound.least, bound.share * middle),
        rule=bound.sentence,
    )
