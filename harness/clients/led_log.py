"""The log of a partition that a check leads as a guest broker: what it serves to a follower."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition
from reference_broker.wire.messages.fetch_response import EpochEndOffset, PartitionData
from reference_broker.wire.records import BatchHeader, iter_batches

NO_DIVERGENCE: Final = EpochEndOffset()


@dataclass(slots=True)
class LedLog:
    """A partition of `topic`, led in `epoch`. It serves the batches as they are; their headers say what it contains."""

    topic: str
    epoch: int = 0
    batches: list[bytes] = field(default_factory=list)
    high_watermark: int = 0
    start: int = 0
    """The log start offset."""
    _told: int = 0
    """The high watermark of the last answer."""

    def headers(self) -> list[BatchHeader]:
        """Of its batches, in order."""
        return [one.header for data in self.batches for one in iter_batches(data)]

    @property
    def end(self) -> int:
        """The log end offset."""
        headers = self.headers()
        return headers[-1].next_offset if headers else self.start

    def end_of(self, epoch: int) -> tuple[int, int]:
        """(largest epoch of a batch that is not above this one, where it ended); (-1, -1) without any."""
        headers = self.headers()
        known = [one.partition_leader_epoch for one in headers if one.partition_leader_epoch <= epoch]
        if not known:
            return -1, -1
        later = [one.base_offset for one in headers if one.partition_leader_epoch > known[-1]]
        return known[-1], later[0] if later else self.end

    def answer_to(self, asked: FetchPartition) -> tuple[PartitionData, bool]:
        """(the answer to a follower, whether it tells the follower anything new)."""
        if asked.last_fetched_epoch >= 0:
            epoch, end = self.end_of(asked.last_fetched_epoch)
            if epoch != asked.last_fetched_epoch or end < asked.fetch_offset:
                return self._part(diverging=EpochEndOffset(epoch=epoch, end_offset=end)), True
        if asked.fetch_offset > self.end:
            return self._part(error=ErrorCode.OFFSET_OUT_OF_RANGE), True
        records = b"".join(
            data
            for data, header in zip(self.batches, self.headers(), strict=True)
            if header.last_offset >= asked.fetch_offset
        )
        is_news = bool(records) or self.start > asked.log_start_offset or self.high_watermark != self._told
        self._told = self.high_watermark
        return self._part(records=records), is_news

    def _part(
        self, *, error: int = 0, records: bytes = b"", diverging: EpochEndOffset = NO_DIVERGENCE
    ) -> PartitionData:
        return PartitionData(
            partition_index=0,
            error_code=error,
            high_watermark=self.high_watermark,
            last_stable_offset=self.high_watermark,
            log_start_offset=self.start,
            diverging_epoch=diverging,
            records=memoryview(records),
        )
