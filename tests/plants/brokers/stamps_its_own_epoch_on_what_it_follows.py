"""Writes another leader epoch into the batches that it follows.

**Bug** A follower's bytes are not its leader's, so nobody can say later where their logs part.

**Rejected by**
`checks/protocol/test_leaders_are_followed.py::test_a_follower_has_its_leaders_bytes`:
bytes that the follower serves as the next leader
"""

from __future__ import annotations

from reference_broker.log.partition_log import PartitionLog
from reference_broker.wire.records import Batch

EPOCH_AT = 12


def plant() -> None:
    """Plants it."""
    plain = PartitionLog.append_as_it_is

    def append(self: PartitionLog, batch: Batch, now_ms: int) -> None:
        data = bytearray(batch.data)
        data[EPOCH_AT : EPOCH_AT + 4] = (batch.header.partition_leader_epoch + 1).to_bytes(4)
        plain(self, Batch(batch.header, memoryview(data)), now_ms)

    PartitionLog.append_as_it_is = append  # type: ignore[method-assign]
