"""Loses the headers of records in batches of which something is left out.

**Bug** A batch that compaction rewrites is made anew from offsets, timestamps, keys and values.

**Rejected by**
`checks/retention/test_compacted_logs.py::test_each_reading_has_the_last_value_of_each_key[none-idempotent]`:
headers changed
"""

from __future__ import annotations

from reference_broker.log.compaction import filtering
from reference_broker.wire.records import encode_record


def plant() -> None:
    """Puts it in."""
    filtering.encode_record = lambda offset_delta, timestamp_delta, record: encode_record(
        offset_delta, timestamp_delta, record._replace(headers=())
    )
