"""Splits of clusters that live through several: each life begins with one formed cluster, and goes on in a fork of it.

The cluster is formed once in a process. What a fork learns is lost with it: encoders, caches, and what the interpreter
knows of code that has run. So the first life of a process is run in itself; a fork of it then knows all that.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from typing import Final

from msgspec import msgpack

from reference_broker.simulation.scenario.plan import Plan
from reference_broker.simulation.scenario.run import Outcome, Scenario

READ_BYTES: Final = 1 << 16
_formed: dict[int, Scenario | None] = {}
"""By the seed that formed it; None while only one life has been run."""


def run_life(plans: Sequence[Plan]) -> list[Outcome]:
    """The outcomes of splits of one cluster, one after the other; after one that fails another cluster goes on."""
    outcomes: list[Outcome] = []
    while left := plans[len(outcomes) :]:
        outcomes += _run_some(left)
    return outcomes


def _run_some(plans: Sequence[Plan]) -> list[Outcome]:
    """The outcomes of one cluster, up to the first that failed."""
    forming_seed = plans[0].forming_seed
    scenario = _formed.get(forming_seed)
    if scenario is None:
        is_first = forming_seed not in _formed
        gc.collect()
        scenario = Scenario(plans[0])
        if (failed := scenario.form()) is not None:
            return [failed]
        _formed[forming_seed] = None if is_first else scenario
        if is_first:
            return _live(scenario, plans)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _live_apart(scenario, plans, writing)
    os.close(writing)
    parts: list[bytes] = []
    while part := os.read(reading, READ_BYTES):
        parts.append(part)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if status or not parts:
        wrong = f"seed {plans[0].seed}: its process ended with status {os.waitstatus_to_exitcode(status)}"
        return [Outcome(seed=plans[0].seed, wrong=wrong, digest=0, events=0, virtual_ms=0, acknowledged=0)]
    return msgpack.decode(b"".join(parts), type=list[Outcome])


def _live(scenario: Scenario, plans: Sequence[Plan]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for plan in plans:
        outcomes.append(scenario.go_on(plan))
        if outcomes[-1].wrong is not None:
            break
    return outcomes


def _live_apart(scenario: Scenario, plans: Sequence[Plan], writing: int) -> None:
    """In the child: nothing of the parent's is to run at its end."""
    status = 1
    try:
        data = memoryview(msgpack.encode(_live(scenario, plans)))
        while data:
            data = data[os.write(writing, data) :]
        status = 0
    finally:
        os._exit(status)


def trace_life(plans: Sequence[Plan]) -> Outcome:
    """All that happens in the last of these splits."""
    scenario: Scenario | None = None
    for plan in plans:
        if scenario is None:
            scenario = Scenario(plan, is_recorded=True)
            if (failed := scenario.form()) is not None:
                return failed
        scenario.world.lines.clear()
        outcome = scenario.go_on(plan)
        if outcome.wrong is not None:
            scenario = None
    return outcome
