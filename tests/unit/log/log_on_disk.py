"""A log in a folder, and what tests put into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference_broker.environment import Disk
from reference_broker.log.config import LogConfig
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.producer_replay import KNOWS_ALL
from reference_broker.log.recovery import open_log
from reference_broker.server.disk import OsDisk
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.records import Record, encode_batch

TOPIC_ID = Uuid(bytes(range(16)))
NOW = 1_700_000_000_000


def opened(
    folder: Path,
    *,
    is_clean: bool = False,
    recovery_point: int = 0,
    log_start_offset: int = 0,
    silent_since_ms: int = KNOWS_ALL,
    on_warning: Callable[[str], None] = print,
    disk: Disk | None = None,
    **settings: Any,
) -> PartitionLog:
    return open_log(
        disk=disk or OsDisk(),
        directory=str(folder / "orders-0"),
        topic="orders",
        partition=0,
        topic_id=TOPIC_ID,
        config=LogConfig(**settings),
        is_clean=is_clean,
        recovery_point=recovery_point,
        log_start_offset=log_start_offset,
        silent_since_ms=silent_since_ms,
        on_warning=on_warning,
    )


def batch(count: int = 1, *, size: int = 20, timestamp: int = NOW, **options: Any) -> bytes:
    records = [Record(i, timestamp + i, b"k", bytes([i % 256]) * size) for i in range(count)]
    return encode_batch(records, **options)


def values(log: PartitionLog, offset: int = 0) -> list[tuple[int, bytes]]:
    found = []
    for one in log.batches_from(offset):
        found += [(r.offset, r.value or b"") for r in one.records() if r.offset >= offset]
    return found
