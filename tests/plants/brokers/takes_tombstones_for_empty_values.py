"""Takes, as a follower, records without a value for records with an empty one.

**Bug** What a follower copies has an empty value where the leader's has none: when it leads, keys are there again that
were deleted, and compaction keeps them for ever.

**Rejected by**
`checks/retention/test_compacted_replicas.py::test_whoever_leads_has_the_last_value_of_each_key[kill]`: value changed
"""

from __future__ import annotations

from reference_broker.log.compaction import filtering
from reference_broker.log.partition_log import PartitionLog
from reference_broker.wire.records import Batch, encode_record


def plant() -> None:
    """Puts it in."""
    plain = PartitionLog.append_as_it_is

    def append(self: PartitionLog, batch: Batch, now_ms: int) -> None:
        plain(self, batch if self.topic.startswith("__") else _with_values(batch), now_ms)

    PartitionLog.append_as_it_is = append  # type: ignore[method-assign]


def _with_values(batch: Batch) -> Batch:
    header = batch.header
    payload = b"".join(
        encode_record(
            record.offset - header.base_offset,
            record.timestamp - header.base_timestamp,
            record._replace(value=record.value or b""),
        )
        for record in batch.records()
    )
    header, data = filtering._rewritten(header, payload)
    return Batch(header, memoryview(data))
