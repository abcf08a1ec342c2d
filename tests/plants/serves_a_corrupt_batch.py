"""Changes one byte of a stored value and mends the checksum, as bad memory between two checks would.

**Bug** In every tenth batch the last byte of the first value differs from what was sent; the CRC is made anew over the
damage, so that no client notices. NATS 2.12.1 lost 679,153 of 1,367,069 messages to single wrong bits.

**Rejected by**
`checks/durability/test_acknowledged_records_survive.py::test_acknowledged_records_survive[no-fault-acks_all]`:
O7 corrupt-record
"""

from __future__ import annotations

from itertools import count
from typing import Any

from reference_broker.log import partition_log
from reference_broker.log.validation import Validated
from reference_broker.wire.records import HEADER_SIZE, Batch, parse_batch_header, with_header

EVERY = 10


def plant() -> None:
    """Puts it in."""
    validate, numbers = partition_log.validate, count(1)

    def damaged(batch: Batch, *circumstances: Any) -> Validated:
        valid = validate(batch, *circumstances)
        if next(numbers) % EVERY:
            return valid
        payload = bytearray(valid.data[HEADER_SIZE:])
        value = next(Batch(valid.header, valid.data).records()).value
        if value is None or (at := payload.find(value)) < 0:
            return valid  # compressed: another batch will do
        payload[at + len(value) - 1] ^= 1
        data = with_header(valid.header, payload)
        return Validated(parse_batch_header(data), data)

    partition_log.validate = damaged
