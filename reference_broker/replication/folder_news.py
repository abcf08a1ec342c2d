"""What a broker has to tell the controller of its log folders (KIP-858)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from reference_broker.environment import Now
from reference_broker.wire.primitives import Uuid

TopicIdPartition = tuple[Uuid, int]


@dataclass(frozen=True, slots=True)
class FolderNews:
    """Replicas that were put into a folder that the metadata does not name, and those in folders that failed.

    `online` are the ids of the folders that work; `has_failed`: a folder failed since the last news.
    """

    placed: Mapping[TopicIdPartition, Uuid]
    online: tuple[Uuid, ...]
    lost: tuple[TopicIdPartition, ...]
    has_failed: bool


class FolderReport(Protocol):
    """Tells the controller."""

    def __call__(self, news: FolderNews, now: Now, /) -> bool:
        """Whether it was told, or need not be; False: not yet, it is to be told again."""
