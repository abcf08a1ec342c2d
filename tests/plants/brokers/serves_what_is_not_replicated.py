"""Serves consumers up to the log's end.

**Bug** Consumers get records above the high watermark, which the next leader may not have.

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_readers_see_what_the_follower_has`:
(high watermark, values) that no follower has
`python -m harness simulate`: was read there before it was committed
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.replication.partition import Partition
from reference_broker.replication.reading import Read


def plant() -> None:
    """Plants it."""
    plain = Partition.read

    def read(self: Partition, offset: int, max_bytes: int, **options: Any) -> Read:
        found = plain(self, offset, max_bytes, **options)
        fetched = self.log.read(offset, max_bytes, self.log.log_end_offset, at_least_one_batch=True)
        return replace(found, slices=fetched.slices, size=fetched.size)

    Partition.read = read  # type: ignore[method-assign]
