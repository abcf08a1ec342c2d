"""Stores the records of a batch in the reverse order.

**Bug** A batch is written anew when it comes in, and its records are read from the end: what was sent last stands
first.

**Rejected by**
`checks/walkthrough/test_keyed_and_keyless_records.py::test_what_one_user_does_is_in_one_partition_in_order`:
What user123 did, in order, is not what it should be
`checks/walkthrough/test_command_line_tools.py::test_lines_are_sent_and_printed_again`: and is ['실시간으로 전달될까요?'
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
    """Puts it in: for the topics of clients, whose records have no meaning to the broker."""
    validate = partition_log.validate

    def backwards(batch: Batch, *circumstances: Any) -> Validated:
        valid = validate(batch, *circumstances)
        header = valid.header
        records = list(Batch(header, valid.data).records())
        payload = b"".join(
            encode_record(at, record.timestamp - header.base_timestamp, record)
            for at, record in enumerate(reversed(records))
        )
        header = header._replace(
            batch_length=HEADER_SIZE - LENGTH_END + len(payload), attributes=header.attributes & ~COMPRESSION_MASK
        )
        data = with_header(header, payload)
        return Validated(parse_batch_header(data), data)

    partition_log.validate = backwards
