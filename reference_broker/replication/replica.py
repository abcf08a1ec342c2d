"""What a leader knows of a follower's replica: how far it has fetched, and when it had everything.

Source: Kafka documentation, replica.lag.time.max.ms; KIP-903 (broker epochs).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNKNOWN_OFFSET: Final = -1
NEVER_MS: Final = -(1 << 62)


@dataclass(slots=True)
class Contact:
    """When a follower's fetch session was heard last (monotonic), for all its replicas that rest: see `Replica`."""

    last_fetch_ms: int


@dataclass(slots=True)
class Replica:
    """One follower of one partition. Times are monotonic; `broker_epoch` is that of its last fetch, None before it.

    While it has everything and nothing changes it rests: each contact of its session counts as a fetch of it.
    """

    broker_id: int
    log_start_offset: int = UNKNOWN_OFFSET
    log_end_offset: int = UNKNOWN_OFFSET
    broker_epoch: int | None = None
    _last_caught_up_ms: int = NEVER_MS
    _last_fetch_ms: int = NEVER_MS
    _leader_end_at_last_fetch: int = UNKNOWN_OFFSET
    _contact: Contact | None = None

    @property
    def last_caught_up_ms(self) -> int:
        """When it had everything last."""
        contact = self._contact
        return self._last_caught_up_ms if contact is None else max(self._last_caught_up_ms, contact.last_fetch_ms)

    def rest(self, contact: Contact) -> None:
        """It has everything, and nothing is to be told it."""
        self._contact = contact

    def end_rest(self, contact: Contact) -> None:
        """Something changed; no error where it does not rest in this session."""
        if self._contact is contact:
            self._last_caught_up_ms = self._last_fetch_ms = self.last_caught_up_ms
            self._contact = None

    def on_fetch(
        self, offset: int, log_start_offset: int, *, leader_end: int, broker_epoch: int, monotonic_ms: int
    ) -> None:
        """It asks for records from an offset on, so it has all before it.

        Small batches may come faster than it fetches: it was also caught up at its last fetch if it has by now what the
        leader had then.
        """
        if offset >= leader_end:
            self._last_caught_up_ms = max(self._last_caught_up_ms, monotonic_ms)
        elif offset >= self._leader_end_at_last_fetch:
            self._last_caught_up_ms = max(self._last_caught_up_ms, self._last_fetch_ms)
        self.log_start_offset, self.log_end_offset, self.broker_epoch = log_start_offset, offset, broker_epoch
        self._leader_end_at_last_fetch = max(self._leader_end_at_last_fetch, leader_end)
        self._last_fetch_ms = monotonic_ms

    def on_leader_epoch(self, leader_end: int, *, is_in_sync: bool, monotonic_ms: int) -> None:
        """A new leader epoch begins: a member of the ISR has its whole time to fetch, another must show itself."""
        self._last_caught_up_ms = self._last_fetch_ms = monotonic_ms if is_in_sync else NEVER_MS
        self._contact = None
        self._leader_end_at_last_fetch = leader_end

    def is_caught_up(self, leader_end: int, monotonic_ms: int, max_lag_ms: int) -> bool:
        """Whether it has everything, or had not long ago."""
        return self.log_end_offset == leader_end or monotonic_ms - self.last_caught_up_ms <= max_lag_ms
