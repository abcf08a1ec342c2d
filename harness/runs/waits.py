"""Timeouts of a run, derived from the clients' settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.judging.guarantees import ClientSettings

_CLOSING_S = 10.0
"""What a client's close may take at most."""
_RECORDS_A_SECOND = 1_000
"""The lowest rate of the final read (records per second), also on a busy machine."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Bounds in seconds."""

    client: ClientSettings = field(default_factory=ClientSettings)
    poll_s: float = 0.2

    @property
    def delivery_s(self) -> float:
        """For the end of a send."""
        return self.client.delivery_timeout_ms / 1000

    @property
    def place_s(self) -> float:
        """For a place among the sends in flight: one of them must end in its delivery timeout."""
        return 2 * self.delivery_s

    @property
    def flush_s(self) -> float:
        """For the last deliveries of a producer."""
        return 1.5 * self.delivery_s

    @property
    def producer_end_s(self) -> float:
        """For a producer that was told to end: a place, the flush, the close."""
        return self.place_s + self.flush_s + _CLOSING_S

    @property
    def catch_up_s(self) -> float:
        """For consumers to reach the end of the log once nothing is written: longer than they may take to recover, or
        none would ever be found that does not."""
        return 1.5 * self.client.recovery_s

    @property
    def consumer_end_s(self) -> float:
        """For a consumer that was told to end: a poll, a commit, the close."""
        return self.poll_s + 3 * self.delivery_s + 2 * _CLOSING_S

    def final_read_s(self, records: int) -> float:
        """For the final read of so many records."""
        return 6 * self.delivery_s + records / _RECORDS_A_SECOND
