"""Appends a batch, and then tells its producer that it is invalid.

**Bug** Every twentieth batch is answered with INVALID_RECORD although it is in the log: the producer takes for certain
that it is not, and readers see it. Like KAFKA-13574, where an error that sounds definite came after the append.

**Rejected by**
`checks/durability/test_acknowledged_records_survive.py::test_acknowledged_records_survive[no-fault-acks_1]`:
O1 aborted-read
"""

from __future__ import annotations

from itertools import count

from reference_broker.log.partition_log import Appended, PartitionLog
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.records import Batch
from reference_broker.wire.refusal import KafkaError

EVERY = 20


def plant() -> None:
    """Puts it in."""
    append, numbers = PartitionLog.append_batch, count(1)

    def ungrateful(log: PartitionLog, batch: Batch, leader_epoch: int, now_ms: int) -> Appended:
        appended = append(log, batch, leader_epoch, now_ms)
        if next(numbers) % EVERY == 0:
            raise KafkaError(ErrorCode.INVALID_RECORD, "a planted bug")
        return appended

    PartitionLog.append_batch = ungrateful
