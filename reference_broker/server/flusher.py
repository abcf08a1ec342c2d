"""Carries out `Flush` effects in a thread, so that fsync never holds up the event loop.

Flushes are done in the order in which they were asked for. Those that wait while one is being done are done together:
a file that several of them name is flushed once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from reference_broker.effects import Flush, Flushable
from reference_broker.server.worker import Worker

Settle = Callable[[int, OSError | None], None]
"""Told a token, and None or what failed."""


class Flusher:
    """Every flush is settled once, in the event loop, by `report`."""

    def __init__(self, wake: Callable[[], None], settle: Settle) -> None:
        self._worker = Worker("flush", wake)
        self._settle = settle
        self._waiting: deque[Flush] = deque()

    def flush(self, effect: Flush) -> None:
        """Begin a flush; it covers what was written before this call."""
        self._waiting.append(effect)
        self._worker.submit(self._flush_waiting, self._settle_all)

    def _flush_waiting(self) -> list[tuple[int, OSError | None]]:
        """In the thread: all that wait now. The flush of a file counts for those that were asked for before it."""
        together = [self._waiting.popleft() for _ in range(len(self._waiting))]
        outcomes: dict[int, OSError | None] = {}
        for target in (target for one in together for target in one.targets):
            if id(target) not in outcomes:
                outcomes[id(target)] = _flush(target)
        return [(one.token, _first_failure(one, outcomes)) for one in together]

    def _settle_all(self, outcomes: list[tuple[int, OSError | None]]) -> None:
        for token, outcome in outcomes:
            self._settle(token, outcome)

    def report(self) -> None:
        """Settle the flushes that are done."""
        self._worker.report()

    def close(self) -> None:
        """Wait for the flushes that were asked for."""
        self._worker.close()


def _flush(target: Flushable) -> OSError | None:
    try:
        target.flush()
    except OSError as error:
        return error
    except Exception as error:  # a fault of ours: what was to be durable is in doubt all the same
        return OSError(f"a flush failed: {error!r}")
    return None


def _first_failure(one: Flush, outcomes: dict[int, OSError | None]) -> OSError | None:
    return next((error for target in one.targets if (error := outcomes[id(target)]) is not None), None)
