"""The controller of a test: what a broker asks it comes out of an Outbox, and the test says what it answers."""

from __future__ import annotations

from typing import Any

from reference_broker.broker.channel import ControllerChannel
from reference_broker.effects import Outbox, Peer, PeerLost, Send
from reference_broker.environment import Now

FIRST = Peer(3000, "127.0.0.1", 9093)
SECOND = Peer(3001, "127.0.0.1", 9094)


class ScriptedController:
    """`now` is the time of every call; `channel` follows FIRST. `sent` are all requests so far."""

    def __init__(self, retry_timeout_ms: int = 2000, request_timeout_ms: int = 1000) -> None:
        self.outbox = Outbox()
        self.monotonic_ms = 1000
        self.sent: list[Send] = []
        self.channel = ControllerChannel(
            "test",
            outbox=self.outbox,
            request_timeout_ms=request_timeout_ms,
            retry_timeout_ms=retry_timeout_ms,
        )
        self.channel.follow(FIRST, self.now)

    @property
    def now(self) -> Now:
        return Now(1_700_000_000_000 + self.monotonic_ms, self.monotonic_ms)

    def taken(self) -> list[Send]:
        """The requests since the last call."""
        new = [one for one in self.outbox.take() if isinstance(one, Send)]
        self.sent += new
        return new

    def asked(self) -> Any:
        """The message of the one request since the last call."""
        (one,) = self.taken()
        return one.request

    def answer(self, response: Any) -> None:
        """Answer the last request."""
        self.taken()
        self.outbox.settle(self.sent[-1].token, response, self.now)

    def lose(self) -> None:
        """The last request gets no answer."""
        self.answer(PeerLost("gone"))

    def sleep(self, time_ms: int) -> None:
        """Let time pass for the channel."""
        self.monotonic_ms += time_ms
        self.channel.on_time(self.now)
