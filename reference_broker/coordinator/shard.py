"""What a coordinator keeps for one partition of its topic, and what it gives back when it decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from reference_broker.environment import Now
from reference_broker.waiting import Later
from reference_broker.wire.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class CoordinatorRecord:
    """A key, and a value with the version it is written in; no value is a tombstone."""

    key: Any
    value: Any = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """Records, and the answer once they are committed.

    Records are replayed as they are appended. With `settle` they are not: memory is ahead of them (a classic group's
    members join long before anything is written), and `settle(code, now)` tells it their fate instead;
    what it decides then is written, too.
    `is_atomic` keeps the records in one batch; without it they may be split where a batch would be too large.
    """

    records: tuple[CoordinatorRecord, ...] = ()
    response: Any = None
    settle: Callable[[ErrorCode, Now], Decision] | None = None
    is_atomic: bool = True


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
        """Apply one record, at load or right after it was appended; the producer id is -1 outside transactions."""

    def replay_marker(self, producer_id: int, *, is_commit: bool) -> None:
        """A transaction has ended."""

    def on_loaded(self, now: Now) -> Iterable[Decision]:
        """All records have been replayed; what follows of them."""

    def on_unloaded(self) -> None:
        """Another broker leads now: those who wait are told."""
