"""Stores records without their keys.

**Bug** A batch is written anew when it comes in, as by a broker that changes the format, and its keys are forgotten
on the way.

**Rejected by**
`checks/walkthrough/test_keyed_and_keyless_records.py::test_what_one_user_does_is_in_one_partition_in_order`:
b'user123' is in several partitions
"""

from __future__ import annotations

from typing import Any

from reference_broker.log import partition_log
from reference_broker.log.validation import Validated
from reference_broker.wire.records import (
    COMPRESSION_MASK,
    HEADER_SIZE,
    LENGTH_END,
    Batch,
    encode_record,
    parse_batch_header,
    with_header,
)


def plant() -> None:
    """Puts it in."""
    validate = partition_log.validate

    def keyless(batch: Batch, *circumstances: Any) -> Validated:
        valid = validate(batch, *circumstances)
        header = valid.header
        payload = b"".join(
            encode_record(at, record.timestamp - header.base_timestamp, record._replace(key=None))
            for at, record in enumerate(Batch(header, valid.data).records())
        )
        header = header._replace(
            batch_length=HEADER_SIZE - LENGTH_END + len(payload), attributes=header.attributes & ~COMPRESSION_MASK
        )
        data = with_header(header, payload)
        return Validated(parse_batch_header(data), data)

    partition_log.validate = keyless
