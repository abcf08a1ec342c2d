"""A thread for calls that may block: it does them one after the other, and the event loop takes the results."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final

LONGEST_JOIN_S: Final = 10.0


class Worker:
    """One thread, started with its first job. `wake` makes the event loop call `report`; it may be called from here."""

    def __init__(self, name: str, wake: Callable[[], None]) -> None:
        self._name, self._wake = name, wake
        self._thread: threading.Thread | None = None
        self._jobs: SimpleQueue[tuple[Callable[[], Any], Callable[[Any], None]] | None] = SimpleQueue()
        self._done: deque[tuple[Callable[[Any], None], Any]] = deque()

    def submit(self, job: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Have a job done in the thread; `then` gets its result, or the exception it raised, in the event loop."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._jobs.put((job, then))

    def _run(self) -> None:
        while (one := self._jobs.get()) is not None:
            job, then = one
            try:
                result = job()
            except Exception as error:
                result = error
            self._done.append((then, result))
            self._wake()

    def report(self) -> None:
        """Hand over the results of the jobs that are done, in their order."""
        while self._done:
            then, result = self._done.popleft()
            then(result)

    def close(self) -> None:
        """Wait until the jobs are done; a result that was not taken is not handed over."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(LONGEST_JOIN_S)
            self._thread = None
