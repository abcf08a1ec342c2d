"""Executors run the roles of a run: here with threads and the machine's clock; another one may use virtual time.

Roles use time, waits and other tasks only through an executor, never through `time` or `threading`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Signal(Protocol):
    """An event that happens once (as threading.Event)."""

    def set(self) -> None:
        """It has happened."""
        ...

    def is_set(self) -> bool:
        """Whether it has happened."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for it, at most so many seconds; whether it has happened."""
        ...


class Window(Protocol):
    """A semaphore: a number of places."""

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Takes a place, waiting for one at most so many seconds; whether there was one."""
        ...

    def release(self, n: int = 1) -> None:
        """Gives places back."""
        ...


class Task(Protocol):
    """A running role."""

    @property
    def name(self) -> str:
        """As the process in the history."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Waits for its end, at most so many seconds."""
        ...

    def is_alive(self) -> bool:
        """Whether it is still at work."""
        ...


class Executor(Protocol):
    """Time, waits and tasks."""

    def now_ns(self) -> int:
        """A clock that never goes back."""
        ...

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        ...

    def signal(self) -> Signal:
        """A new signal."""
        ...

    def window(self, places: int) -> Window:
        """A new window."""
        ...

    def start(self, name: str, work: Callable[[], None]) -> Task:
        """Starts a role."""
        ...


class ThreadExecutor:
    """Each role is a thread (Executor)."""

    def now_ns(self) -> int:
        """The machine's monotonic clock."""
        return time.monotonic_ns()

    def wall_ms(self) -> int:
        """The machine's clock."""
        return time.time_ns() // 1_000_000

    def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        time.sleep(seconds)

    def signal(self) -> Signal:
        """A new signal."""
        return threading.Event()

    def window(self, places: int) -> Window:
        """A new window."""
        return threading.Semaphore(places)

    def start(self, name: str, work: Callable[[], None]) -> Task:
        """Starts a role in a daemon thread."""
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread
