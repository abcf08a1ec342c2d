"""Answers a producer before its batch is in the log, and writes it a little later.

**Bug** A batch is acknowledged once it stands in a queue in memory; the log gets it up to half a second later. A killed
process forgets what it has promised. Like Bufstream 0.1.0, which lost acknowledged writes in a healthy cluster.

**Rejected by**
`checks/durability/test_acknowledged_records_survive.py::test_acknowledged_records_survive[kill-acks_all]`: D1
"""

from __future__ import annotations

from collections import deque

from reference_broker.log import partition_log
from reference_broker.log.partition_log import Appended, PartitionLog
from reference_broker.replication.partition import Partition
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.records import Batch

LATE_MS = 500


def plant() -> None:
    """Puts it in."""
    append, validate = PartitionLog.append_batch, partition_log.validate
    is_overdue, close = PartitionLog.is_overdue, PartitionLog.close
    queues: dict[int, deque[tuple[int, Batch, int]]] = {}

    def write(log: PartitionLog, up_to_ms: int, now_ms: int) -> None:
        queue = queues.setdefault(id(log), deque())
        while queue and queue[0][0] <= up_to_ms:
            _, batch, epoch = queue.popleft()
            append(log, batch, epoch, now_ms)
        log.set_high_watermark(log.log_end_offset)

    def append_later(log: PartitionLog, batch: Batch, leader_epoch: int, now_ms: int) -> Appended:
        write(log, now_ms - LATE_MS, now_ms)
        queue = queues[id(log)]
        validate(batch, log.config, now_ms, log.name)
        first = log.log_end_offset + sum(one.header.records_count for _, one, _ in queue)
        queue.append((now_ms, Batch(batch.header, memoryview(bytes(batch.data))), leader_epoch))
        last = first + batch.header.records_count - 1
        return Appended(
            first_offset=first, last_offset=last, log_append_time_ms=-1, log_start_offset=log.log_start_offset
        )

    def look_too(log: PartitionLog, now_ms: int) -> bool:
        write(log, now_ms - LATE_MS, now_ms)
        return is_overdue(log, now_ms)

    def close_too(log: PartitionLog, now_ms: int) -> None:
        write(log, now_ms, now_ms)
        close(log, now_ms)

    PartitionLog.append_batch = append_later
    PartitionLog.is_overdue, PartitionLog.close = look_too, close_too
    Partition.acknowledgement = lambda partition, required_offset: ErrorCode.NONE
