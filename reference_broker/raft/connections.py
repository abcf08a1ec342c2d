"""The requests of a member to its peers: one at a time to each, and a pause after a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from reference_broker.effects import NotServed, Outbox, Peer, PeerLost
from reference_broker.environment import Now
from reference_broker.wire.api_keys import ApiKey

IN_FLIGHT: Final = -1

Handler = Callable[[Any, Now], bool]
"""Takes a response; false where the peer is to be left alone for the retry backoff."""


class Connections:
    """Requests that were sent before `reset` have no outcome any more: they belong to another role or epoch."""

    def __init__(self, outbox: Outbox, *, request_timeout_ms: int, retry_backoff_ms: int) -> None:
        self._outbox = outbox
        self._request_timeout_ms, self._retry_backoff_ms = request_timeout_ms, retry_backoff_ms
        self._peers: dict[Peer, int] = {}
        self._generation = 0
        self.in_flight = 0
        self.after: Callable[[Now], None] = lambda now: None
        """Called after each outcome: it may have made something else due."""

    def reset(self) -> None:
        """Forget all requests and pauses."""
        self._generation += 1
        self._peers.clear()
        self.in_flight = 0

    def ready_ms(self, peer: Peer, now: Now) -> int | None:
        """When a request may go to a peer, `now` or later; None while one is in flight: its outcome will tell."""
        state = self._peers.get(peer, 0)
        return None if state == IN_FLIGHT else max(state, now.monotonic_ms)

    def is_pausing(self, peer: Peer, now: Now) -> bool:
        """Whether the last request to a peer failed, and the pause after it is not over."""
        return self._peers.get(peer, 0) > now.monotonic_ms

    def pause(self, peer: Peer, now: Now) -> None:
        """Leave a peer alone for the retry backoff."""
        self._peers[peer] = now.monotonic_ms + self._retry_backoff_ms

    def send(
        self,
        peer: Peer,
        api_key: ApiKey,
        request: Any,
        then: Handler,
        *,
        channel: str = "raft",
        max_wait_ms: int = 0,
        on_not_served: Callable[[Now], None] | None = None,
    ) -> None:
        """Send a request; `then` gets the response. `max_wait_ms` is how long the peer may hold it back.

        `on_not_served` is called where the peer knows no version in which the request can be written.
        """
        generation = self._generation
        self._peers[peer] = IN_FLIGHT
        self.in_flight += 1

        def settle(outcome: Any, now: Now) -> None:
            if generation != self._generation:
                return
            self.in_flight -= 1
            del self._peers[peer]
            is_fine = not isinstance(outcome, PeerLost) and then(outcome, now)
            if isinstance(outcome, NotServed) and on_not_served is not None:
                on_not_served(now)
            if not is_fine and generation == self._generation:
                self.pause(peer, now)
            self.after(now)

        timeout_ms = max(self._request_timeout_ms, max_wait_ms + self._retry_backoff_ms)
        self._outbox.send(peer, api_key, request, channel=channel, timeout_ms=timeout_ms, then=settle)
