"""Never delivers a batch that is larger than the consumer's limit.

**Bug** The first batch is not exempt from the limits of a fetch (KIP-74): a consumer that comes to a large one waits
for ever.

**Rejected by**
`checks/protocol/test_fetch.py::test_large_records_come_back_whole`: [] == [0]
`checks/protocol/test_fetch.py::test_a_partitions_limit[v12-1]`: [] == [0]
"""

from __future__ import annotations

from reference_broker.log.partition_log import Fetched, PartitionLog


def plant() -> None:
    """Puts it in."""
    read = PartitionLog.read

    def strict(log: PartitionLog, offset: int, max_bytes: int, up_to: int, *, at_least_one_batch: bool) -> Fetched:
        return read(log, offset, max_bytes, up_to, at_least_one_batch=False)

    PartitionLog.read = strict
