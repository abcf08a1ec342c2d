"""One way to answer later: whoever will know the answer makes a `Later`, returns it, and completes it once."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, ClassVar, Final

from reference_broker.environment import Now

NEVER_MS: Final = 1 << 62
"""A deadline that does not come."""


class Later:
    """An answer that is not known yet.

    It is completed once: by whoever holds it, with a response message or with the error that refuses the request, or at
    `deadline_ms` (monotonic) by the node, with what `on_expired` returns or raises. What comes after that is passed
    over.
    """

    __slots__ = ("_on_expired", "_result", "_then", "deadline_ms", "is_done")

    NEEDS_REQUEST: ClassVar[bool] = True
    """Whether an error may complete it: its refusal is made from the request, which is kept until then."""

    def __init__(self, deadline_ms: int = NEVER_MS, on_expired: Callable[[Now], Any] | None = None) -> None:
        self.deadline_ms, self._on_expired = deadline_ms, on_expired
        self.is_done = False
        self._result: Any = None
        self._then: Callable[[Any], None] | None = None

    def complete(self, result: Any) -> None:
        """The answer is known."""
        if self.is_done:
            return
        self.is_done, self._result, self._on_expired = True, result, None
        then, self._then = self._then, None  # whoever is told holds this Later in turn
        if then is not None:
            then(result)

    def expire(self, now: Now) -> None:
        """Have the answer made now: the deadline has come, or waiting is over for another reason."""
        if self.is_done or self._on_expired is None:
            return
        try:
            result = self._on_expired(now)
        except Exception as error:
            result = error
        self.complete(result)

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        self.is_done, self._then, self._on_expired = True, None, None

    def then(self, listener: Callable[[Any], None]) -> None:
        """Have one listener told the answer; at once where it is known already."""
        if self.is_done:
            listener(self._result)
        else:
            self._then = listener


class Deadlines:
    """The Laters that have a deadline, the earliest first."""

    FEW: ClassVar[int] = 1024

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Later]] = []
        self._count = 0
        self._purged_from = self.FEW

    def add(self, later: Later) -> None:
        """Have it expire in time."""
        if later.deadline_ms >= NEVER_MS:
            return
        self._count += 1
        heapq.heappush(self._heap, (later.deadline_ms, self._count, later))
        if len(self._heap) >= self._purged_from:
            # Most are answered long before their deadline: they must not stay until then.
            self._heap = [one for one in self._heap if not one[2].is_done]
            heapq.heapify(self._heap)
            self._purged_from = max(self.FEW, 2 * len(self._heap))

    def next_deadline_ms(self) -> int:
        """When `take_due` finds something; NEVER_MS where nothing waits."""
        heap = self._heap
        while heap:
            if not heap[0][2].is_done:
                return heap[0][0]
            heapq.heappop(heap)
        return NEVER_MS

    def take_due(self, monotonic_ms: int) -> list[Later]:
        """Those whose deadline has come, in order."""
        due: list[Later] = []
        while self.next_deadline_ms() <= monotonic_ms:
            due.append(heapq.heappop(self._heap)[2])
        return due
