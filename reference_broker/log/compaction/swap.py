"""How a compacted segment takes the place of those it was made of, so that a crash at any point leaves one or the
other.

It is written as `.cleaned`; once it is durable it becomes `.swap`, and counts: a start that finds it completes the
swap. Then the old segments go, and it gets its name. The names are Kafka's, so each goes on where the other stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from reference_broker.environment import Disk
from reference_broker.log import retention
from reference_broker.log.config import LogConfig
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.segment import Segment

CLEANED: Final = ".cleaned"
SWAP: Final = ".swap"
_LOG: Final = ".log"


def replace(log: PartitionLog, old: Sequence[Segment], new: Segment, now_ms: int) -> None:
    """Put a segment that is called `.swap` into the place of others; their files go after file.delete.delay.ms."""
    at = log.segments.index(old[0])
    log.segments[at : at + len(old)] = [new]
    for segment in old:
        retention.doom(log, segment, now_ms, keeps_snapshot=segment is old[0])
    new.change_suffix("")
    log.has_new_files = True


def complete_swaps(disk: Disk, directory: str, config: LogConfig, on_warning: Callable[[str], None]) -> None:
    """What a process left behind that ended within a swap: one that counts is completed, what does not is removed.

    `on_warning` is told of those that are completed.
    """
    names = [name for name in disk.list(directory) if name.partition(".")[0].isdigit()]
    cleaned = [name for name in names if name.endswith(CLEANED)]
    swaps = [name for name in names if name.endswith(SWAP)]
    # A file that is still called `.cleaned` beside those that are called `.swap` already: the step had not ended.
    unfinished = min((base_of(name) for name in cleaned), default=None)
    valid = [name for name in swaps if unfinished is None or base_of(name) < unfinished]
    for name in {*cleaned, *swaps} - {*valid}:
        disk.remove(f"{directory}/{name}")
    for name in valid:
        if name.endswith(f"{_LOG}{SWAP}"):
            on_warning(
                f"{directory}/{name} was left by a compaction that did not end: it takes the place of what it replaces"
            )
            _remove_replaced(disk, directory, config, base_of(name))
    for name in valid:
        disk.rename(f"{directory}/{name}", f"{directory}/{name.removesuffix(SWAP)}")
    if valid:
        disk.flush_directory(directory)


def base_of(name: str) -> int:
    """The first offset that a segment's file is named after."""
    return int(name.partition(".")[0])


def _remove_replaced(disk: Disk, directory: str, config: LogConfig, base: int) -> None:
    segment = Segment(disk, directory, base, config, create=False, suffix=SWAP)
    end = base
    for _, header in segment.headers_from():
        end = header.next_offset
    segment.file.close()
    for name in disk.list(directory):
        stem, _, suffix = name.partition(".")
        is_of_a_segment = stem.isdigit() and suffix in ("log", "index", "timeindex", "txnindex")
        if is_of_a_segment and base <= int(stem) < max(end, base + 1):
            disk.remove(f"{directory}/{name}")
