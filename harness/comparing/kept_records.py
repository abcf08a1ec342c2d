"""Extracts the interesting parts of the answers to a Produce and to the Fetch after it."""

from __future__ import annotations

from harness.judging.outcome import require
from reference_broker.wire.messages.fetch_response import FetchResponse
from reference_broker.wire.messages.produce_response import PartitionProduceResponse, ProduceResponse
from reference_broker.wire.records import BatchHeader, iter_batches


def only_partition(answer: ProduceResponse) -> PartitionProduceResponse:
    """The answer for the only partition in the response."""
    ((found,),) = (one.partition_responses for one in answer.responses)
    return found


def kept(read: FetchResponse) -> list[tuple[int, bytes | None, bytes | None]]:
    """(offset, key, value) of each fetched record. BrokenPromise unless they are all records from offset 0 up to the
    high watermark."""
    ((found,),) = (one.partitions for one in read.responses)
    told = [one for batch in iter_batches(found.records or b"") for one in batch.records()]
    require([one.offset for one in told], list(range(found.high_watermark)), "the offsets of what is kept")
    return [(one.offset, one.key, one.value) for one in told]


def only_header(read: FetchResponse) -> BatchHeader:
    """The header of the only batch in the response."""
    ((found,),) = (one.partitions for one in read.responses)
    (one,) = iter_batches(found.records or b"")
    return one.header
