"""Stores records without their headers.

**Bug** A batch is written anew when it comes in, as by a broker that changes the format, and its headers are forgotten
on the way.

**Rejected by**
`checks/ordering/test_records_come_back_whole.py::test_records_come_back_whole[confluent-none]`: came back as ()
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

    def bare(batch: Batch, *circumstances: Any) -> Validated:
        valid = validate(batch, *circumstances)
        header = valid.header
        payload = b"".join(
            encode_record(at, record.timestamp - header.base_timestamp, record._replace(headers=()))
            for at, record in enumerate(Batch(header, valid.data).records())
        )
        header = header._replace(
            batch_length=HEADER_SIZE - LENGTH_END + len(payload), attributes=header.attributes & ~COMPRESSION_MASK
        )
        data = with_header(header, payload)
        return Validated(parse_batch_header(data), data)

    partition_log.validate = bare
