"""Which batches of a log belong to aborted transactions, and which markers nothing in the log needs any more (KIP-98).

Told of every batch of a log in order. A log is read for this twice, each time by an object of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from reference_broker.log.producer_state import marker_of
from reference_broker.log.transaction_index import AbortedTransaction
from reference_broker.wire.records import Batch, BatchHeader


@dataclass(slots=True)
class _Aborted:
    transaction: AbortedTransaction
    has_batches: bool = False


@dataclass(slots=True)
class Transactions:
    """`still_there` are the aborted transactions of which batches were met before their marker."""

    still_there: list[AbortedTransaction] = field(default_factory=list)
    _to_come: list[AbortedTransaction] = field(default_factory=list)
    _aborted: dict[int, _Aborted] = field(default_factory=dict)
    _committed: set[int] = field(default_factory=set)

    def expect(self, transactions: Iterable[AbortedTransaction]) -> None:
        """What the indexes of the next segments say; a transaction may be in the indexes of several."""
        known = {one.last_offset for one in self._to_come}
        self._to_come += [one for one in transactions if one.last_offset not in known]
        self._to_come.sort(key=lambda one: one.first_offset, reverse=True)

    def is_aborted(self, header: BatchHeader) -> bool:
        """Whether a batch of records was taken back by an abort."""
        self._begin_up_to(header.last_offset)
        if not header.is_transactional:
            return False
        aborted = self._aborted.get(header.producer_id)
        if aborted is None:
            self._committed.add(header.producer_id)
            return False
        aborted.has_batches = True
        return True

    def is_unneeded(self, control: Batch) -> bool:
        """Whether no batch of a marker's transaction was met; other control records are needed."""
        header = control.header
        self._begin_up_to(header.last_offset)
        if not header.records_count:
            return True
        marker = marker_of(control)
        if marker is None:
            return False
        if marker.is_commit:
            was_met = header.producer_id in self._committed
            self._committed.discard(header.producer_id)
            return not was_met
        aborted = self._aborted.pop(header.producer_id, None)
        if aborted is None or not aborted.has_batches:
            return True
        self.still_there.append(aborted.transaction)
        return False

    def _begin_up_to(self, offset: int) -> None:
        while self._to_come and self._to_come[-1].first_offset <= offset:
            found = self._to_come.pop()
            self._aborted.setdefault(found.producer_id, _Aborted(found))
