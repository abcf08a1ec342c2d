"""What Kafka's releases do differently beside what they advertise: each behaviour with the releases that have it.

A part of the broker asks `release.does(Behaviour.X)`; here stands since when, until when, and by which KIP or KAFKA
number. Found by comparing the profiles with the releases (checks on `reference@R` and `kafka@R`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Behaviour(StrEnum):
    """A way to behave that not every release has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The releases that have a behaviour, (major, minor), ends included; None is open."""

    source: str
    first: tuple[int, int] | None = None
    last: tuple[int, int] | None = None


SPANS: Final[Mapping[Behaviour, Span]] = {}
