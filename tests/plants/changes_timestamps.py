"""Adds a second to the timestamps that producers set.

**Bug** Under message.timestamp.type=CreateTime the times of a batch are shifted by 1,000 ms when it is stored.

**Rejected by**
`checks/ordering/test_records_come_back_whole.py::test_records_come_back_whole[raw-none]`:
timestamp: 1700000000000 came back as 1700000001000
`checks/retention/test_offsets_equal_the_log.py::test_lookups_equal_brute_force[one-segment]`: All records at first
"""

from __future__ import annotations

from typing import Any

from reference_broker.log import partition_log
from reference_broker.log.validation import Validated
from reference_broker.wire.records import HEADER_SIZE, Batch, parse_batch_header, with_header

SHIFT_MS = 1_000


def plant() -> None:
    """Puts it in."""
    validate = partition_log.validate

    def shifted(batch: Batch, *circumstances: Any) -> Validated:
        valid = validate(batch, *circumstances)
        header = valid.header._replace(
            base_timestamp=valid.header.base_timestamp + SHIFT_MS, max_timestamp=valid.header.max_timestamp + SHIFT_MS
        )
        data = with_header(header, valid.data[HEADER_SIZE:])
        return Validated(parse_batch_header(data), data)

    partition_log.validate = shifted
