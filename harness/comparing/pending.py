"""Requests of an exchange whose answers are read later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.clients.connection import RawConnection
from harness.comparing.connections import ANSWER_TIMEOUT_S
from harness.comparing.expectations import require_answer
from harness.comparing.observation import Observation, Pace, RequestOutcome
from harness.hosts import cluster_time as time
from reference_broker.wire.framing import decode_response

if TYPE_CHECKING:
    from harness.comparing.exchange import Exchange


@dataclass(slots=True)
class Pending:
    """A request that was sent on a connection of its own, and whose answer has not been read yet."""

    exchange: Exchange
    connection: RawConnection
    words: str
    message: Any
    version: int
    started: float
    waits_ms: int | None

    def answer(self, timeout_s: float = ANSWER_TIMEOUT_S, *, pace: Pace | None = None) -> Any:
        """Waits for the answer and observes it; returns the response.

        AssertionError if the broker closes the connection, does not answer, or answers at another pace than `pace`.
        """
        response, seen = self.observe(timeout_s)
        require_answer(seen, self.words, pace)
        return response

    def observe(self, timeout_s: float = ANSWER_TIMEOUT_S) -> tuple[Any, Observation]:
        """Waits for the answer; returns (response or None, observation), however the request ended."""
        response, outcome = None, RequestOutcome.ANSWERED
        try:
            frame = self.connection.receive_frame(timeout_s)
            _, response = decode_response(self.message.API_KEY, self.version, frame)
        except TimeoutError:
            outcome = RequestOutcome.SILENT
        except OSError:
            outcome = RequestOutcome.CLOSED
        elapsed_ms = 1000 * (time.monotonic() - self.started)
        seen = self.exchange.observe(
            self.words, self.message, self.version, outcome, response, elapsed_ms, self.waits_ms
        )
        return response, seen

    def is_answered(self, within_s: float) -> bool:
        """Whether the answer starts to arrive within this time. Reads nothing."""
        return self.connection.has_answer(within_s)
