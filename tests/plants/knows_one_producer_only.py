"""Knows of each partition the producer that wrote last.

**Bug** Who has not written last is taken for expired, however young its records are: what it sends again is appended
again.

**Rejected by**
`python -m harness simulate`: from an idempotent producer
"""

from __future__ import annotations

from reference_broker.log.producer_state import ProducerState
from reference_broker.wire.records import BatchHeader


def plant() -> None:
    """Puts it in."""
    plain = ProducerState.note

    def note(self: ProducerState, header: BatchHeader) -> None:
        self.producers = {one: found for one, found in self.producers.items() if one == header.producer_id}
        plain(self, header)

    ProducerState.note = note  # type: ignore[method-assign]
