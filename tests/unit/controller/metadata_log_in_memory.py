"""A metadata log in memory that is committed as soon as it is written, for tests of who decides and of who replays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class MetadataBatch:
    last_offset: int
    epoch: int
    records: tuple[Any, ...]
    is_snapshot: bool = False


@dataclass
class MetadataLogInMemory:
    batches: list[MetadataBatch] = field(default_factory=list)
    leader_epoch: int = 0
    high_watermark: int = 0
    voters: None = None

    def load(self) -> Iterator[MetadataBatch]:
        yield from list(self.batches)

    def bootstrap_records(self) -> tuple[Any, ...]:
        return ()

    def lead(self, now_ms: int) -> None:
        self.leader_epoch += 1
        self.high_watermark += 1

    def append(self, records: Sequence[Any], now_ms: int, *, must_last: bool = True) -> int:
        self.high_watermark += len(records)
        self.batches.append(MetadataBatch(self.high_watermark - 1, self.leader_epoch, tuple(records)))
        return self.high_watermark - 1

    def is_snapshot_due(self, now_ms: int) -> bool:
        return False

    def write_snapshot(self, records: Sequence[Any], now_ms: int) -> None:
        self.batches = [MetadataBatch(self.high_watermark - 1, self.leader_epoch, tuple(records))]

    def sweep(self, now_ms: int) -> None:
        """Nothing to remove."""

    def close(self, now_ms: int) -> None:
        """Nothing is held."""

    def names(self) -> list[str]:
        """What the records are."""
        return [type(message).__name__ for batch in self.batches for message, _ in batch.records]
