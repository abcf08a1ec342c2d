"""Gives the records that it keeps offsets without gaps.

**Bug** The records of a rewritten batch are numbered from its first offset on. Kafka keeps each record's offset for
ever: consumers have committed it.

**Rejected by**
`checks/retention/test_compacted_logs.py::test_each_reading_has_the_last_value_of_each_key[none-idempotent]`:
is not what compaction may leave
"""

from __future__ import annotations

import itertools

from reference_broker.log.compaction import filtering
from reference_broker.wire.primitives import Buffer
from reference_broker.wire.records import Batch, BatchHeader, encode_record


def plant() -> None:
    """Puts it in."""
    rewritten = filtering._rewritten

    def renumbered(header: BatchHeader, payload: bytes) -> tuple[BatchHeader, Buffer]:
        header, data = rewritten(header, payload)
        if not header.records_count:
            return header, data
        numbers = itertools.count()
        records = b"".join(
            encode_record(next(numbers), record.timestamp - header.base_timestamp, record)
            for record in Batch(header, memoryview(data)).records()
        )
        return rewritten(header, records)

    filtering._rewritten = renumbered
