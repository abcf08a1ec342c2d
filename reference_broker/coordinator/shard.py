"""What a coordinator keeps for one partition of its topic, and what it gives back when it decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from reference_broker.environment import Now
from reference_broker.state_machine import decision as state_machine
from reference_broker.waiting import Later
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.records import NO_PRODUCER_ID


@dataclass(frozen=True, slots=True)
class CoordinatorRecord:
    """A key, and a value with the version it is written in; no value is a tombstone."""

    key: Any
    value: Any = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class TransactionMarker:
    """The end of a producer's transaction. It stands alone in its decision. `coordinator_epoch` is for the log."""

    is_commit: bool
    coordinator_epoch: int = -1


class Producer(NamedTuple):
    """Whose transaction a batch belongs to."""

    id: int = NO_PRODUCER_ID
    epoch: int = -1

    @property
    def is_none(self) -> bool:
        """Whether the batch is outside transactions."""
        return self.id == NO_PRODUCER_ID


NO_PRODUCER: Final = Producer()


@dataclass(frozen=True, slots=True)
class Decision(state_machine.Decision[CoordinatorRecord | TransactionMarker]):
    """Records, and the answer once they are committed.

    Records are replayed as they are appended, and `then(now)` decides what follows over the state that they make: its
    response is the answer. With `settle` they are not replayed: memory is ahead of them (a classic group's members join
    long before anything is written), and `settle(code, now)` tells it their fate instead. By then the state may be
    another, so it must look again; what it decides is written, too.
    `is_atomic` keeps the records in one batch; without it they may be split where a batch would be too large.
    `producer` makes them part of a transaction.
    """

    settle: Callable[[ErrorCode, Now], Decision] | None = None
    is_atomic: bool = True
    then: Callable[[Now], Decision] | None = None
    producer: Producer = NO_PRODUCER


NOTHING: Final = Decision()

TimedAction = Callable[[Now], Decision]
"""What to do when a timer is due; takes the time at which it runs."""


class ShardTimers(Protocol):
    """Timers of one shard, by key; a key has one timer at a time."""

    def after(self, key: tuple[str, ...], delay_ms: int, now: Now, action: TimedAction) -> None:
        """Run the action `delay_ms` from now, in place of what was set for the key."""

    def cancel(self, key: tuple[str, ...]) -> None:
        """Forget a key's timer; no error where there is none."""


@dataclass(frozen=True, slots=True)
class ShardServices:
    """What a shard may use of its runtime: timers, and answers to requests that it let wait."""

    timers: ShardTimers
    answer: Callable[[Later, Any], None]


class Shard(Protocol):
    """The state of one partition. Every change comes from a record, or lives only as long as the process."""

    def replay(self, record: CoordinatorRecord, offset: int, producer_id: int) -> None:
        """Apply one record, at load or as it is appended; the producer id is -1 outside transactions."""

    def replay_marker(self, producer_id: int, *, is_commit: bool) -> None:
        """A transaction has ended."""

    def mark(self) -> Any:
        """The state that records have made, for `restore`; it must not cost more where there is more."""

    def restore(self, mark: Any) -> None:
        """Be as at a mark."""

    def on_loaded(self, now: Now) -> Iterable[Decision]:
        """All records have been replayed; what follows of them."""

    def on_unloaded(self) -> None:
        """Another broker leads now: those who wait are told."""
