"""Refuses a batch that it has already, instead of answering again where it stands.

**Bug** A retried batch of an idempotent producer gets OUT_OF_ORDER_SEQUENCE_NUMBER: the producer believes that records
were lost, takes a new epoch, and sends them once more. Redpanda issue 3039.

**Rejected by**
`checks/protocol/test_idempotent_produce.py::test_a_retried_batch_is_appended_once`:
(45, -1) == (<ErrorCode.NONE: 0>, 0)
`python -m harness simulate`: is refused with OUT_OF_ORDER_SEQUENCE_NUMBER
"""

from __future__ import annotations

from reference_broker.log.producer_state import ProducerState


def plant() -> None:
    """Puts it in."""
    ProducerState.find_duplicate = lambda producers, header: None
