"""Names what differs between releases, and recognizes differences that occur by chance or are already known."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from harness.comparing.diff import Difference

SETTING: Final = re.compile(r"configs\[([^\]]+)\](.*)")
NUMBER: Final = re.compile(r"-?\d+")
NAMES: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+|\b(?:workers|others|orders|events|nobody's|nowhere)(?!\w)")
"""Names in messages: of configs, and of the topics and groups of sequences."""
MADE_UP: Final = re.compile(r"(?<![\w-])[\w-]{22}(?![\w-])|127\.0\.0\.1:\d+")
"""Values that differ between any two targets: member ids that a coordinator generates, and addresses of nodes."""
BY_CHANCE: Final = (
    "ListTransactions ",  # includes transactions of other sequences, in any state
    "ConsumerGroupDescribe groups[].members[]",  # in the order of generated member ids
    "ShareGroupHeartbeat assignment",  # depends on a hash of generated ids
    "ShareGroupDescribe groups[].members[].assignment",
    "ShareFetch responses[].topic_id",  # which partitions a fetch returns, and in which order
    "ShareFetch responses[].partitions[].partition_index",
    "ShareFetch responses[].partitions[].records",
    "ShareFetch responses[].partitions[].acquired_records",
    "ShareFetch responses[].partitions[].current_leader",
)
"""Prefixes of items that may differ even between two clusters of the same release."""
TURNS: Final = ("ShareFetch responses[]", "ShareFetch responses[].partitions[]")
"""Items for array elements that only one answer has; these also occur by chance."""
TEXTS: Final = ".documentation"
"""End of the path of a config's documentation, which is not behaviour."""


def item_of(difference: Difference) -> str:
    """A name for what differs in any sequence: a config, or API and field, with both error codes or messages."""
    setting = SETTING.search(difference.field)
    if setting is not None:
        return f"setting {setting[1]}{setting[2]}"
    path = re.sub(r"\[\d+\]", "[]", difference.field)
    says_why = path.endswith(("error_code", "error_message")) or path.startswith("(")
    values = " | ".join(_shape(value) for value in difference.values.values()) if says_why else ""
    return f"{difference.api} {path} {values}".strip()


def _shape(value: str) -> str:
    """A message without names and numbers; an error code unchanged."""
    return value if value[:1] != '"' else NUMBER.sub("#", NAMES.sub("…", value))


def counts(difference: Difference, known: Container[str]) -> bool:
    """Whether a difference is neither known nor by chance."""
    item = item_of(difference)
    if difference.field.endswith(TEXTS) or item in TURNS or any(map(item.startswith, BY_CHANCE)):
        return False
    return item not in known and len({MADE_UP.sub("…", value) for value in difference.values.values()}) != 1
