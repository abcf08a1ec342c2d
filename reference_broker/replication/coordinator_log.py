"""A coordinator's internal topic as the coordinator sees it: the partitions of it that this broker leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reference_broker.environment import Now
from reference_broker.replication.partition import Partition
from reference_broker.replication.partitions import Partitions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.records import Batch
from reference_broker.wire.refusal import KafkaError


@dataclass(frozen=True, slots=True)
class InternalTopicLog:
    """One internal topic. KafkaError as `Partitions.get`.

    NOT_LEADER_OR_FOLLOWER where another broker leads, or this one in another epoch than was asked for.
    """

    partitions: Partitions
    topic: str = "__consumer_offsets"

    def _led(self, partition: int, epoch: int | None = None) -> Partition:
        found = self.partitions.get(self.topic, partition)
        if not found.is_leader:
            raise KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER, f"another broker leads {found}")
        if epoch is not None and found.leader_epoch != epoch:
            told = f"this broker leads {found} in epoch {found.leader_epoch}, not {epoch}"
            raise KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER, told)
        return found

    def batches(self, partition: int, offset: int, epoch: int) -> Iterator[Batch]:
        """Everything in the partition's log from the batch that holds an offset on, in order."""
        return self._led(partition, epoch).log.batches_from(offset)

    def append(self, partition: int, batch: bytes, epoch: int, now_ms: int) -> int:
        """Append a batch that was made here; the offset of its last record."""
        return self._led(partition, epoch).append_own(batch, now_ms).last_offset

    def start_offset(self, partition: int) -> int:
        """Where the log begins."""
        return self._led(partition).log.log_start_offset

    def end_offset(self, partition: int) -> int:
        """The offset that the next record gets."""
        return self._led(partition).log.log_end_offset

    def high_watermark(self, partition: int) -> int:
        """The offset behind the last committed record; 0 where the partition is not hosted here any more."""
        found = self.partitions.find(self.topic, partition)
        return 0 if found is None else found.high_watermark

    def when_committed(self, partition: int, offset: int, then: Callable[[Now], None]) -> None:
        """Call back once the high watermark has passed an offset; not where this broker stops leading before."""

        def on_settled(code: ErrorCode, now: Now) -> None:
            if code in (ErrorCode.NONE, ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND):
                then(now)

        self._led(partition).await_offset(offset + 1, on_settled)

    def max_batch_bytes(self, partition: int) -> int:
        """The largest batch that the topic takes."""
        return self._led(partition).log.config.max_message_bytes
