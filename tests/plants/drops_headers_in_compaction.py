"""Loses the headers of records in batches of which something is left out.

**Bug** A batch that compaction rewrites is made anew from offsets, timestamps, keys and values.

**Rejected by**
`checks/retention/test_compacted_logs.py::test_each_reading_has_the_last_value_of_each_key[none-idempotent]`:
headers changed
"""

from __future__ import annotations

from reference_broker.log.compaction import filtering
from reference_broker.wire.primitives import Buffer
from reference_broker.wire.records import Batch, BatchHeader, encode_record


def plant() -> None:
    """Puts it in."""
    rewritten = filtering._rewritten

    def bare(header: BatchHeader, payload: bytes) -> tuple[BatchHeader, Buffer]:
        header, data = rewritten(header, payload)
        records = b"".join(
            encode_record(
                record.offset - header.base_offset,
                record.timestamp - header.base_timestamp,
                record._replace(headers=()),
            )
            for record in Batch(header, memoryview(data)).records()
        )
        return rewritten(header, records)

    filtering._rewritten = bare
