"""Looks for a planted bug by `python -m harness simulate`: seed after seed until one fails.

A seed is a cluster of whole nodes and clients under splits, crashes, pauses and slow disks on virtual time, then a heal
after which all must get on. What is broken is told by an invariant, by a client, or by the lack of progress.
"""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.connection import Connection

from msgspec import Struct

from harness.simulate.runs import run_all
from tests.plants._catalogue import plant

TIMEOUT_S = 600.0


class Found(Struct, frozen=True):
    """The first seed that failed, counted from 0, what was broken in it, and how long it took from the first on."""

    seed: int
    said: str
    seconds: float


def search(name: str, seeds: int) -> Found | None:
    """The first of so many seeds that fails with a bug in it, or without one ("" for its name); None where none does.

    It happens in a process of its own, since the bug changes classes. TimeoutError.
    """
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_search, args=(name, seeds, sending))
    process.start()
    sending.close()
    try:
        if not receiving.poll(TIMEOUT_S):
            raise TimeoutError(f"{name or 'no bug'}: the simulation is not done within {TIMEOUT_S:g} s")
        found: Found | None = receiving.recv()
    finally:
        process.kill()
        process.join()
    return found


def _search(name: str, seeds: int, result: Connection) -> None:
    if name:
        plant(name)
    started = time.monotonic()
    for finding in run_all("usual", range(seeds), 1, is_shrunk=False):
        wrong = finding.outcome.wrong
        if wrong is not None:
            result.send(Found(finding.outcome.seed, wrong, time.monotonic() - started))
            return
    result.send(None)
