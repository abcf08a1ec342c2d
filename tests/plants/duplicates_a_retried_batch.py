"""Appends a batch again when its producer, who missed the answer, sends it again.

**Bug** The sequence numbers of idempotent producers are ignored; and so that producers retry, every fifth answer to a
Produce request is lost with its connection, after the append. Like Redpanda 21.10.1 (issues 3038 and 3039).

**Rejected by**
`checks/durability/test_acknowledged_records_survive.py::test_acknowledged_records_survive[no-fault-acks_all]`:
O5 duplicate
`checks/durability/test_retried_batches_are_appended_once.py::test_retried_batches_are_appended_once`: O5 duplicate
`checks/durability/test_retried_batches_are_appended_once.py::test_a_batch_older_than_the_last_five_is_refused`:
the first of six batches again (error, offset) should be ('OUT_OF_ORDER_SEQUENCE_NUMBER', -1)
`checks/ordering/test_order_of_one_producer.py::test_order_holds_through_a_restart`: O5 duplicate
"""

from __future__ import annotations

from itertools import count
from typing import Any

from reference_broker.log.producer_state import ProducerState
from reference_broker.node import InProgress, Node
from reference_broker.wire.api_keys import ApiKey

LOST_EVERY = 5


def plant() -> None:
    """Puts it in."""
    answer, numbers = Node._answer, count(1)

    def lose_some(node: Node, in_progress: InProgress, result: Any) -> None:
        if in_progress.api_key == ApiKey.PRODUCE and next(numbers) % LOST_EVERY == 0:
            in_progress.connection.in_progress = None
            node._hang_up(in_progress.connection, "a planted bug loses this answer")
            return
        answer(node, in_progress, result)

    Node._answer = lose_some
    ProducerState.find_duplicate = lambda producers, header: None
    ProducerState.check = lambda producers, header: None
