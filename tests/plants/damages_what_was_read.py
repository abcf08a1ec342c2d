"""Damages a record once it was read.

**Bug** After the first Fetch from a log its first batch has another last byte, and the checksum that goes with it:
whoever reads again reads something else.

**Rejected by**
`checks/walkthrough/test_offsets_are_bookmarks.py::test_a_consumer_that_seeks_back_reads_the_same_again`:
The two readings from offset 3 on is not what it should be
`checks/walkthrough/test_offsets_are_bookmarks.py::test_everybody_who_reads_from_the_beginning_reads_all`:
What each reader found, in turn, is not what it should be
"""

from __future__ import annotations

import crc32c

from reference_broker.log.partition_log import Fetched, PartitionLog
from reference_broker.wire.records import CRC_AT, CRC_FROM


def plant() -> None:
    """Puts it in: for the topics of clients."""
    read = PartitionLog.read
    damaged: set[str] = set()

    def once(log: PartitionLog, offset: int, max_bytes: int, up_to: int, *, at_least_one_batch: bool) -> Fetched:
        if log.topic not in damaged and not log.topic.startswith("__") and 0 < offset == up_to:
            damaged.add(log.topic)
            _damage(log)
        return read(log, offset, max_bytes, up_to, at_least_one_batch=at_least_one_batch)

    PartitionLog.read = once


def _damage(log: PartitionLog) -> None:
    """Changes the last byte of the first batch, and its checksum."""
    segment = log.segments[0]
    position, header = next(segment.headers_from())
    data = bytearray(segment.read_batch(position, header))
    data[-3] ^= 1
    data[CRC_AT:CRC_FROM] = crc32c.crc32c(bytes(data[CRC_FROM:])).to_bytes(4, "big")
    with open(f"{segment.stem}.log", "r+b") as file:
        file.seek(position)
        file.write(data)
