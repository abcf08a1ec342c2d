"""What a difference between releases is about, and which differences are there by chance or have been met."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from harness.comparing.diff import Difference

SETTING: Final = re.compile(r"configs\[([^\]]+)\](.*)")
NUMBER: Final = re.compile(r"-?\d+")
NAMES: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+|\b(?:workers|others|orders|events|nobody's|nowhere)(?!\w)")
"""Of settings, and those that sequences give."""
MADE_UP: Final = re.compile(r"(?<![\w-])[\w-]{22}(?![\w-])|127\.0\.0\.1:\d+")
"""The id that a coordinator gives to a member that speaks the classic protocol; where a node listens."""
BY_CHANCE: Final = (
    "ListTransactions ",  # what other sequences left, and how far their ends have come
    "ConsumerGroupDescribe groups[].members[]",  # in the order of names that are made up
    "ShareGroupHeartbeat assignment",  # by a hash of what is made up
    "ShareGroupDescribe groups[].members[].assignment",
    "ShareFetch responses[].topic_id",  # which partitions a fetch serves, and in which turn
    "ShareFetch responses[].partitions[].partition_index",
    "ShareFetch responses[].partitions[].records",
    "ShareFetch responses[].partitions[].acquired_records",
    "ShareFetch responses[].partitions[].current_leader",
)
"""Beginnings of items that differ between two of one release too."""
TURNS: Final = ("ShareFetch responses[]", "ShareFetch responses[].partitions[]")
"""Elements that one answer has and the other not, by chance too."""
TEXTS: Final = ".documentation"
"""A setting's words for people are no behaviour."""


def item_of(difference: Difference) -> str:
    """What a difference is about, whatever sequence met it: a setting, or a field with both codes or messages."""
    setting = SETTING.search(difference.field)
    if setting is not None:
        return f"setting {setting[1]}{setting[2]}"
    path = re.sub(r"\[\d+\]", "[]", difference.field)
    says_why = path.endswith(("error_code", "error_message")) or path.startswith("(")
    values = " | ".join(_shape(value) for value in difference.values.values()) if says_why else ""
    return f"{difference.api} {path} {values}".strip()


def _shape(value: str) -> str:
    """A message without the names and numbers of its case; a code as it is."""
    return value if value[:1] != '"' else NUMBER.sub("#", NAMES.sub("…", value))


def counts(difference: Difference, known: Container[str]) -> bool:
    """Whether it is neither known nor there by chance."""
    item = item_of(difference)
    if difference.field.endswith(TEXTS) or item in TURNS or any(map(item.startswith, BY_CHANCE)):
        return False
    return item not in known and len({MADE_UP.sub("…", value) for value in difference.values.values()}) != 1
