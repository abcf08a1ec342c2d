"""Gives the same producer id to every producer.

**Bug** InitProducerId does not count on: the batches of one producer are taken for retries of another's.

**Rejected by**
`checks/protocol/test_init_producer_id.py::test_each_producer_has_an_id_of_its_own`: 7 != 7
"""

from __future__ import annotations

from reference_broker.broker.producer_ids import ProducerIds
from reference_broker.wire.primitives import ProducerId


def plant() -> None:
    """Puts it in."""
    ProducerIds.take = lambda ids, now: ProducerId(7)
