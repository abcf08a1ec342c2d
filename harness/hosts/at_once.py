"""The same work on several hosts at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from harness.hosts.executor import current

T = TypeVar("T")
R = TypeVar("R")


def at_once(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The results of a function over items, a thread for each; all have ended when it returns or raises the first.

    In virtual time, where there is one thread, one after another.
    """
    chosen = list(items)
    if len(chosen) < 2 or current().is_virtual:
        return [work(item) for item in chosen]
    with ThreadPoolExecutor(len(chosen)) as pool:
        futures = [pool.submit(work, item) for item in chosen]
    return [future.result() for future in futures]
