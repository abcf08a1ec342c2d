"""Forgets on a restart which batches it has of whom.

**Bug** The state of idempotent producers is read neither from its snapshot nor from the log: a batch that is sent again
after the restart stands in the log twice. Like Redpanda 21.10.1, whose state of producers was not rebuilt.

**Rejected by**
`checks/durability/test_retried_batches_are_appended_once.py::test_batches_from_before_a_restart_are_not_appended_again[kill]`:
should be ('NONE', 4), and is ('NONE', 9)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reference_broker.log import recovery
from reference_broker.log.producer_state import ProducerState


def plant() -> None:
    """Puts it in. A producer of which nothing is known may begin anywhere, as in Kafka."""
    recovery.loading_producers = _nothing
    check = ProducerState.check

    def lenient(producers: ProducerState, header: Any) -> None:
        if header.producer_id in producers.producers:
            check(producers, header)

    ProducerState.check = lenient


def _nothing(**circumstances: Any) -> Iterator[None]:
    """Loads no producers."""
    yield from ()
