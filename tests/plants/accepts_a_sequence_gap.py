"""Appends a batch although the one before it is missing.

**Bug** The sequence numbers of an idempotent producer may jump: a batch that was lost on the way is not noticed, and
order with several requests in flight is gone.

**Rejected by**
`checks/protocol/test_idempotent_produce.py::test_a_gap_in_sequences_is_refused`: OUT_OF_ORDER_SEQUENCE_NUMBER
`checks/protocol/test_log_model.py::test_each_answer_about_a_log_is_allowed`: The model allows another answer
"""

from __future__ import annotations

from reference_broker.log.producer_state import ProducerState


def plant() -> None:
    """Puts it in."""
    ProducerState.check = lambda producers, header: None
