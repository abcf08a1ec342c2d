"""Lets two batches of one producer, sent one after the other, change places in the log.

**Bug** Every fifth time that a producer's batch follows another one of its own, it is put before that one, which is
already answered or about to be. Order within a partition, which idempotence promises with up to five requests in
flight, is gone.

**Rejected by**
`checks/ordering/test_order_of_one_producer.py::test_order_with_five_requests_in_flight[confluent]`: O4
`checks/ordering/test_order_of_one_producer.py::test_order_with_one_request_in_flight[raw]`: O4
`python -m harness simulate`: is committed (base
"""

from __future__ import annotations

from itertools import count

from reference_broker.log.partition_log import Appended, PartitionLog
from reference_broker.wire.records import Batch

EVERY = 5


def plant() -> None:
    """Puts it in."""
    append, numbers = PartitionLog.append_batch, count(1)

    def overtake(log: PartitionLog, batch: Batch, leader_epoch: int, now_ms: int) -> Appended:
        appended = append(log, batch, leader_epoch, now_ms)
        if appended.is_duplicate or not appended.first_offset:
            return appended
        *_, before, last = log.batches_from(appended.first_offset - 1)
        if before.header.producer_id != last.header.producer_id or next(numbers) % EVERY:
            return appended
        log.truncate_to(before.header.base_offset)
        moved = log.append_own(last.data, leader_epoch, now_ms)
        log.append_own(before.data, leader_epoch, now_ms)
        return moved

    PartitionLog.append_batch = overtake
