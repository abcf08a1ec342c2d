"""Knows of each idempotent producer the last batch only, not the last five.

**Bug** With several requests in flight a producer may have to send more than one batch again; all but the last are
refused as out of order. Redpanda 21.10.1, issues 3038 and 3077.

**Rejected by**
`checks/protocol/test_idempotent_produce.py::test_the_last_five_batches_are_remembered`: 45 == <ErrorCode.NONE: 0>
`checks/durability/test_retried_batches_are_appended_once.py::test_each_of_the_last_five_batches_is_known_again`:
('OUT_OF_ORDER_SEQUENCE_NUMBER', -1), where ('NONE', 0) should be
`python -m harness simulate`: is refused with OUT_OF_ORDER_SEQUENCE_NUMBER
"""

from __future__ import annotations

from reference_broker.log.producer_state import BatchSeen, ProducerState
from reference_broker.wire.records import BatchHeader


def plant() -> None:
    """Puts it in."""
    find = ProducerState.find_duplicate

    def find_last(producers: ProducerState, header: BatchHeader) -> BatchSeen | None:
        seen = find(producers, header)
        if seen is None or seen is not producers.producers[header.producer_id].batches[-1]:
            return None
        return seen

    ProducerState.find_duplicate = find_last
