"""Names of topics and groups that no other run uses, so that a cluster in use can be checked."""

from __future__ import annotations

import os
import time
from zlib import crc32

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def run_tag() -> str:
    """Six characters that tell this run from others: from the time and the process."""
    return tag_of(time.time_ns() // 1_000_000 * 65_536 + os.getpid() % 65_536)


def tag_of(number: int) -> str:
    """Six characters for a number."""
    number %= 36**6
    text = ""
    for _ in range(6):
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text


class Names:
    """Names for one check: the same for each target, so that answers can be compared."""

    def __init__(self, tag: str, check: str) -> None:
        self._stem = f"{tag}-{crc32(check.encode()):08x}"
        self._counts: dict[str, int] = {}
        self.topics: list[str] = []
        """All that were given out for topics."""
        self.groups: list[str] = []
        """All that were given out for groups."""

    def topic(self, label: str = "topic") -> str:
        """A new topic's name that starts with the label."""
        self.topics.append(self._next(label))
        return self.topics[-1]

    def group(self, label: str = "group") -> str:
        """A new group's id that starts with the label."""
        self.groups.append(self._next(label))
        return self.groups[-1]

    def _next(self, label: str) -> str:
        self._counts[label] = self._counts.get(label, 0) + 1
        return f"{label}-{self._stem}-{self._counts[label]}"
