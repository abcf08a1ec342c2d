"""One way to answer later: whoever will know the answer makes a `Later`, returns it, and completes it once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from reference_broker.environment import Now

NEVER_MS: Final = 1 << 62
"""A deadline that does not come."""


class Later:
    """An answer that is not known yet.

    It is completed once: by whoever holds it, with a response message or with the KafkaError that refuses the request,
    or at `deadline_ms` (monotonic) by the node, with what `on_expired` returns. What comes after that is passed over.
    """

    __slots__ = ("_on_expired", "_result", "_then", "deadline_ms", "is_done")

    def __init__(self, deadline_ms: int = NEVER_MS, on_expired: Callable[[Now], Any] | None = None) -> None:
        self.deadline_ms, self._on_expired = deadline_ms, on_expired
        self.is_done = False
        self._result: Any = None
        self._then: Callable[[Any], None] | None = None

    def complete(self, result: Any) -> None:
        """The answer is known."""
        if self.is_done:
            return
        self.is_done, self._result = True, result
        if self._then is not None:
            self._then(result)

    def expire(self, now: Now) -> None:
        """The deadline has come."""
        if not self.is_done and self._on_expired is not None:
            self.complete(self._on_expired(now))

    def then(self, listener: Callable[[Any], None]) -> None:
        """Have one listener told the answer; at once where it is known already."""
        self._then = listener
        if self.is_done:
            listener(self._result)
