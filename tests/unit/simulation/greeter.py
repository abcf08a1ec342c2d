"""The smallest machine: answers with its number, journals what it is told, remembers what came of its requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference_broker.effects import Outbox, Peer
from reference_broker.environment import Now
from reference_broker.simulation.machine import Surroundings
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.api_keys import ApiKey

FILE = "/data/journal"


class Greeter:
    """Answers each request with its text and its own number; journals what it was told to."""

    def __init__(self, surroundings: Surroundings, now: Now) -> None:
        self.outbox = Outbox()
        self.node_id, self.disk = surroundings.node_id, surroundings.disk
        self.heard: list[Any] = []
        self.outcomes: list[Any] = []
        self.due_ms = NEVER_MS
        self.called_at: list[int] = []
        self.disk.make_directories("/data")
        self.file = self.disk.open(FILE, create=True)
        self.keeps_silent = False

    def next_deadline_ms(self) -> int:
        return self.due_ms

    def on_time(self, now: Now) -> None:
        self.called_at.append(now.monotonic_ms)
        self.due_ms = NEVER_MS

    def on_request(self, api_key: ApiKey, request: Any, sender: int, respond: Callable[[Any], None], now: Now) -> None:
        self.heard.append(request)
        if not self.keeps_silent:
            respond(f"{request} from {self.node_id}")

    def shut_down(self, now: Now) -> None:
        self.journal(b"stopped")

    def ask(self, node_id: int, text: str, timeout_ms: int = 500) -> None:
        self.outbox.send(
            Peer(node_id, f"host{node_id}", 9093),
            ApiKey.FETCH,
            text,
            channel="raft",
            timeout_ms=timeout_ms,
            then=lambda outcome, now: self.outcomes.append(outcome),
        )

    def journal(self, data: bytes) -> None:
        self.file.append([data])
        self.outbox.flush([self.file], lambda error, now: self.outcomes.append(error or "flushed"))
