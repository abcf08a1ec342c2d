"""Tells a producer an offset that is one too high.

**Bug** The answer to Produce names the offset after the one at which the batch stands. Like Bufstream 0.1.0, which
acknowledged records with offset 0, and Redpanda issue 2326, where offsets shifted by one.

**Rejected by**
`checks/durability/test_kills_at_any_moment.py::test_every_acknowledged_record_is_there_after_kills_at_any_moment`:
acknowledged records that are not at their offset
`checks/ordering/test_acknowledged_offsets.py::test_acknowledged_offsets[confluent]`: (1, 1): b'2', where b'0' should be
`checks/walkthrough/test_python_orders.py`:
What kafka-python finds at the answered (partition, offset) is not what it should be
`checks/protocol/test_produce.py::test_a_batch_is_appended[v9]`: (0, 1) == (<ErrorCode.NONE: 0>, 0)
`python -m harness simulate`: was acknowledged there and never committed
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.log.partition_log import Appended, PartitionLog
from reference_broker.wire.records import Batch


def plant() -> None:
    """Puts it in."""
    append = PartitionLog.append_batch

    def shifted(log: PartitionLog, batch: Batch, leader_epoch: int, now_ms: int) -> Appended:
        appended = append(log, batch, leader_epoch, now_ms)
        return replace(appended, first_offset=appended.first_offset + 1)

    PartitionLog.append_batch = shifted
