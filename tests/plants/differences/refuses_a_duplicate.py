"""Refuses a batch that comes again.

**Differs** A producer that sends one of its last batches again gets DUPLICATE_SEQUENCE_NUMBER; Kafka answers with the
offset that it got.

**Found by** `log`, level error codes: `Produce responses[].partition_responses[].error_code`
"""

from __future__ import annotations

from reference_broker.log.producer_state import BatchSeen, ProducerState
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.records import BatchHeader
from reference_broker.wire.refusal import KafkaError


def plant() -> None:
    """Puts it in."""
    find = ProducerState.find_duplicate

    def refuse(producers: ProducerState, header: BatchHeader) -> BatchSeen | None:
        if find(producers, header) is not None:
            raise KafkaError(ErrorCode.DUPLICATE_SEQUENCE_NUMBER)
        return None

    ProducerState.find_duplicate = refuse
