"""How the folders of partitions are called. Source: the folders that Kafka makes."""

from __future__ import annotations

import re
from typing import Final

DELETE: Final = "delete"
STRAY: Final = "stray"
FUTURE: Final = "future"
LONGEST_NAME: Final = 255

PARTITION: Final = re.compile(r"^(?P<topic>[A-Za-z0-9._-]{1,249})-(?P<partition>0|[1-9][0-9]*)$")
MARKED: Final = re.compile(r"^(?P<name>.+)\.[0-9a-f]{32}-(?P<mark>delete|stray|future)$")


def folder_of(topic: str, partition: int) -> str:
    """The folder of a partition that is in use."""
    return f"{topic}-{partition}"


def marked_folder(topic: str, partition: int, mark: str, unique: bytes) -> str:
    """The folder of a partition that is no longer in use, or not yet; a long topic name is cut to fit."""
    ending = f"-{partition}.{unique.hex()}-{mark}"
    return topic[: LONGEST_NAME - len(ending)] + ending


def partition_of(folder: str) -> tuple[str, int] | None:
    """(topic, partition) of a folder in use; None for any other name."""
    found = None if MARKED.match(folder) else PARTITION.match(folder)
    return (found["topic"], int(found["partition"])) if found else None


def mark_of(folder: str) -> str | None:
    """What a folder not in use is: "delete", "stray" or "future"; None for any other name."""
    found = MARKED.match(folder)
    return found["mark"] if found else None


def future_of(folder: str) -> tuple[str, int] | None:
    """(topic, partition) of a folder with a log that is to take another's place; None for any other name."""
    found = MARKED.match(folder)
    inner = PARTITION.match(found["name"]) if found and found["mark"] == FUTURE else None
    return (inner["topic"], int(inner["partition"])) if inner else None
