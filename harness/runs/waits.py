"""How long a run waits for what: each bound follows from what the clients were set to do."""

from __future__ import annotations

from dataclasses import dataclass

from harness.clients.client import DELIVERY_TIMEOUT_MS, REQUEST_TIMEOUT_MS

_SESSION_TIMEOUT_S = 6.0
"""Of every consumer of ours in a group."""
_CLOSING_S = 10.0
"""What a client's close may take at most."""
_RECORDS_A_SECOND = 1_000
"""At least so many the final read gets through, on a machine that does much else."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Bounds in seconds."""

    delivery_s: float = DELIVERY_TIMEOUT_MS / 1000
    request_s: float = REQUEST_TIMEOUT_MS / 1000
    poll_s: float = 0.2

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
        """For consumers to reach the end of the log once nothing is written: a rebalance, a lost session, and as long
        again."""
        return 2 * (_SESSION_TIMEOUT_S + self.delivery_s)

    @property
    def consumer_end_s(self) -> float:
        """For a consumer that was told to end: a poll, a commit, the close."""
        return self.poll_s + 3 * self.delivery_s + 2 * _CLOSING_S

    def final_read_s(self, records: int) -> float:
        """For the final read of so many records."""
        return 6 * self.delivery_s + records / _RECORDS_A_SECOND
