"""Requests of this broker to the active controller, whichever node that is; its own node among them.

One request is on its way at a time, in the order in which they were asked. A request that got no answer, or that was
answered NOT_CONTROLLER, is sent again until its time is over; one that is on its way when another node becomes the
controller is sent to that one at once. Source: KIP-500, KIP-590.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from msgspec import Struct

from reference_broker.effects import NotServed, Outbox, Peer, PeerLost
from reference_broker.environment import Now
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode

RETRY_BACKOFF_MS: Final = 50
Then = Callable[[Any, Now], None]
"""Told the response, or PeerLost when the time for retries is over."""


class NoController(PeerLost, frozen=True):
    """The outcome of a request that was sent to nobody: no active controller was known in all its time."""


class _Asked(Struct, frozen=True):
    api_key: ApiKey
    message: Any
    then: Then
    deadline_ms: int


class ControllerChannel:
    """One of this broker's channels to the controller, by its name (`heartbeat`, `forwarding`, …).

    `request_timeout_ms` is what one attempt may take (controller.socket.timeout.ms). After `retry_timeout_ms` no other
    attempt begins; one that is on its way then is waited for, so that a controller that is found late can still
    answer. `on_time` must be called at `next_deadline_ms`.
    """

    def __init__(self, name: str, *, outbox: Outbox, request_timeout_ms: int, retry_timeout_ms: int) -> None:
        self._name, self._outbox = f"controller-{name}", outbox
        self._request_timeout_ms, self._retry_timeout_ms = request_timeout_ms, retry_timeout_ms
        self._controller: Peer | None = None
        self._queue: deque[_Asked] = deque()
        self._is_sent = False
        """Whether the first of the queue is on its way."""
        self._attempt = 0
        self._retry_at_ms = 0
        self.next_deadline_ms = NEVER_MS
        """When `on_time` must be called at the latest (monotonic)."""

    def request(self, api_key: ApiKey, message: Any, then: Then, now: Now) -> None:
        """Ask the active controller; `then` is told the outcome once."""
        self._queue.append(_Asked(api_key, message, then, now.monotonic_ms + self._retry_timeout_ms))
        self._advance(now)

    def follow(self, controller: Peer | None, now: Now) -> None:
        """The active controller is another one, or not known any more."""
        if controller == self._controller:
            return
        self._controller = controller
        self._attempt += 1  # whatever the last one answers comes too late
        self._is_sent = False
        self._retry_at_ms = now.monotonic_ms
        self._advance(now)

    def _advance(self, now: Now) -> None:
        """Send the first request, unless something has to happen before; note when something is due next."""
        if self._is_sent or not self._queue or self._controller is None or now.monotonic_ms < self._retry_at_ms:
            self._plan()
            return
        first = self._queue[0]
        self._is_sent = True
        self._attempt += 1
        self._outbox.send(
            self._controller,
            first.api_key,
            first.message,
            channel=self._name,
            timeout_ms=min(self._request_timeout_ms, self._retry_timeout_ms),
            then=partial(self._on_outcome, self._attempt),
        )
        self._plan()

    def _on_outcome(self, attempt: int, outcome: Any, now: Now) -> None:
        if attempt != self._attempt:
            return
        self._is_sent = False
        if _may_help_to_retry(outcome) and now.monotonic_ms < self._queue[0].deadline_ms:
            self._retry_at_ms = now.monotonic_ms + RETRY_BACKOFF_MS
            self._plan()
            return
        if getattr(outcome, "error_code", ErrorCode.NONE) == ErrorCode.NOT_CONTROLLER:
            outcome = PeerLost("no active controller was found in time")
        first = self._queue.popleft()
        first.then(outcome, now)
        self._advance(now)

    def _plan(self) -> None:
        if not self._queue or (self._is_sent and len(self._queue) == 1):
            self.next_deadline_ms = NEVER_MS
            return
        waiting = [one.deadline_ms for place, one in enumerate(self._queue) if place or not self._is_sent]
        if not self._is_sent and self._controller is not None:
            waiting.append(self._retry_at_ms)
        self.next_deadline_ms = min(waiting)

    def on_time(self, now: Now) -> None:
        """Give up the requests whose time is over, and send what waited for its next attempt."""
        for one in list(self._queue):
            is_on_its_way = self._is_sent and self._queue and one is self._queue[0]
            if now.monotonic_ms >= one.deadline_ms and not is_on_its_way:
                self._queue.remove(one)
                one.then(self._outcome_of_silence(), now)
        self._advance(now)

    def _outcome_of_silence(self) -> PeerLost:
        if self._controller is None:
            return NoController("no active controller is known")
        return PeerLost("no active controller answered in time")

    def close(self) -> None:
        """Forget all requests; nobody is told."""
        self._queue.clear()
        self._is_sent = False
        self._attempt += 1
        self._plan()


def _may_help_to_retry(outcome: Any) -> bool:
    """Whether another attempt, perhaps at another node, may have another outcome."""
    if isinstance(outcome, PeerLost):
        return not isinstance(outcome, NotServed)
    return bool(getattr(outcome, "error_code", ErrorCode.NONE) == ErrorCode.NOT_CONTROLLER)
