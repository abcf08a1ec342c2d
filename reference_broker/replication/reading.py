"""What a reader of a partition finds: a consumer at the leader or at a follower, or a follower at the leader.

Source: KIP-101 and KIP-279 (leader epochs), KIP-595 (a log that has gone another way is told in the Fetch response).
"""

from __future__ import annotations

from typing import Final

from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.transaction_index import AbortedTransaction
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import FileSlice, Frozen
from reference_broker.wire.refusal import KafkaError

NO_EPOCH: Final = -1


class Read(Frozen, frozen=True):
    """What a fetch found. `diverging` is (epoch, end offset) where the reader's log has gone another way (KIP-595).

    `preferred_replica` is the broker that the reader is to turn to instead, -1 for none (KIP-392).
    """

    high_watermark: int
    last_stable_offset: int
    log_start_offset: int
    slices: tuple[FileSlice, ...]
    size: int
    aborted: list[AbortedTransaction] | None
    diverging: tuple[int, int] | None
    preferred_replica: int = -1


def divergence(log: PartitionLog, offset: int, last_fetched_epoch: int) -> tuple[int, int] | None:
    """(epoch, end offset) where the reader's last epoch ended earlier here; None where both logs agree so far.

    OFFSET_OUT_OF_RANGE where this log does not know the epoch, or starts after the offset.
    """
    if last_fetched_epoch == NO_EPOCH:
        return None
    found, end = log.end_offset_for_epoch(last_fetched_epoch)
    if found < 0 or offset < log.log_start_offset:
        raise KafkaError(
            ErrorCode.OFFSET_OUT_OF_RANGE,
            f"{log.name}: offset {offset} after epoch {last_fetched_epoch} is not here "
            f"({log.log_start_offset}..{log.log_end_offset})",
        )
    return (found, end) if found < last_fetched_epoch or end < offset else None


def diverged(log: PartitionLog, diverging: tuple[int, int]) -> Read:
    """An answer without records: the reader has to truncate first."""
    return Read(log.high_watermark, log.last_stable_offset, log.log_start_offset, (), 0, None, diverging)
