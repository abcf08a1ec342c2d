"""The in-sync replicas of a partition as its leader knows them: committed, and asked for.

A leader must not count on a change that the controller may refuse. So while one is pending the committed ISR decides
whether records may be written, and the maximal ISR, committed and asked for together, what is replicated.

Source: KIP-497 (AlterPartition), KIP-903 (broker epochs in it).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

from reference_broker.wire.primitives import Uuid

TopicIdPartition = tuple[Uuid, int]


class IsrChange(Struct, frozen=True):
    """What a leader asks the controller for: an ISR as (broker id, broker epoch) each, -1 where no epoch is known."""

    partition: TopicIdPartition
    leader_epoch: int
    partition_epoch: int
    isr: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Isr:
    """Changed by metadata and by the controller's answers only."""

    committed: tuple[int, ...] = ()
    pending: IsrChange | None = None
    maximal: tuple[int, ...] = field(default=())

    def commit(self, isr: tuple[int, ...]) -> None:
        """The controller has decided; what was asked for is settled."""
        self.committed = self.maximal = isr
        self.pending = None

    def propose(self, change: IsrChange) -> None:
        """Ask for another ISR. A member that is to leave still counts, and one that is to join counts already."""
        self.pending = change
        self.maximal = tuple(dict.fromkeys((*self.committed, *(broker_id for broker_id, _ in change.isr))))

    def withdraw(self) -> None:
        """The controller has refused: the committed ISR holds."""
        self.commit(self.committed)
