"""Work on a log that is done a part at a time, so that other work may go on in between: it gives way by `yield`."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")
Steps = Generator[None, None, Result]
BATCHES_AT_ONCE = 256
BYTES_AT_ONCE = 1 << 20
"""How much is read before other work may go on: a millisecond or two."""


def done(steps: Steps[Result]) -> Result:
    """All of it at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
