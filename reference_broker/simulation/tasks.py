"""Tasks on virtual time: what a client of a world does, written one step after another.

A task is a coroutine that waits with `await` for a `Promise`, and for nothing else, or a generator that yields them.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Promise(Generic[T]):
    """A value that is not there yet. It is kept once, or broken with an error; what comes after that is passed over."""

    __slots__ = ("_value", "_waiting", "error", "is_done")

    def __init__(self) -> None:
        self.is_done = False
        self._value: T | None = None
        self.error: Exception | None = None
        """What it was broken with; None where it was not."""
        self._waiting: list[Callable[[Promise[T]], None]] = []

    def keep(self, value: T) -> None:
        """The value is there."""
        if not self.is_done:
            self._value = value
            self._finish()

    def fail(self, error: Exception) -> None:
        """There will be no value."""
        if not self.is_done:
            self.error = error
            self._finish()

    def then(self, action: Callable[[Promise[T]], None]) -> None:
        """Have something done once it is kept or broken; at once where it is already."""
        if self.is_done:
            action(self)
        else:
            self._waiting.append(action)

    def result(self) -> T:
        """The value; raises what it was broken with. ValueError where it is not done."""
        if not self.is_done:
            raise ValueError("the promise is not done")
        if self.error is not None:
            raise self.error
        return self._value  # type: ignore[return-value]

    def _finish(self) -> None:
        self.is_done = True
        waiting, self._waiting = self._waiting, []
        for action in waiting:
            action(self)

    def __await__(self) -> Generator[Promise[T], None, T]:
        """Wait for the value, in a coroutine."""
        if not self.is_done:
            yield self
        return self.result()


Task = Coroutine["Promise[Any]", Any, T] | Generator["Promise[Any]", Any, T]
"""A coroutine, or a generator that yields promises and gets their values."""


def spawn(task: Task[T]) -> Promise[T]:
    """Run a task up to its first wait now, and on whenever what it waits for is done; its result, or its error."""
    outcome: Promise[T] = Promise()

    def go_on(awaited: Promise[Any] | None = None) -> None:
        try:
            if awaited is None:
                following = task.send(None)
            elif (error := awaited.error) is not None:
                following = task.throw(error)
            else:
                following = task.send(awaited.result())
        except StopIteration as end:
            outcome.keep(end.value)
        except Exception as error:
            outcome.fail(error)
        else:
            following.then(go_on)

    go_on()
    return outcome
