"""Searches a log's segments for records by time. Kafka documentation, "Log"; KIP-734 for the largest timestamp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reference_broker.log.segment import Segment
from reference_broker.wire.records import iter_batches


@dataclass(frozen=True, slots=True)
class OffsetAtTime:
    """An answer to a question about time; `leader_epoch` -1 when unknown."""

    offset: int
    timestamp: int
    leader_epoch: int


def first_at(segments: Sequence[Segment], timestamp: int, start_offset: int = 0) -> OffsetAtTime | None:
    """The first record from an offset on with this timestamp or a later one; None when there is none.

    Kafka looks at the first segment with such a timestamp alone, though the record may lie before the offset, and a
    later segment have another.
    """
    for segment in segments:
        if segment.max_timestamp < timestamp:
            continue
        for position, header in segment.batches_at_or_after(timestamp):
            if header.last_offset < start_offset:
                continue
            (batch,) = iter_batches(segment.read_batch(position, header))
            for record in batch.records():
                if record.timestamp >= timestamp and record.offset >= start_offset:
                    return OffsetAtTime(record.offset, record.timestamp, header.partition_leader_epoch)
    return None
