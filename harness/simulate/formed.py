"""Scenarios that begin with one formed cluster: formed once in a process; each scenario goes on in a fork of it.

What a fork learns is lost with it: encoders, caches, and what the interpreter knows of code that has run. So the first
scenarios of a process are run in itself, from the beginning; a fork of it then knows all that.
"""

from __future__ import annotations

import gc
import os
from typing import Final

from msgspec import msgpack

from reference_broker.simulation.scenario.plan import Plan
from reference_broker.simulation.scenario.run import Outcome, Scenario

READ_BYTES: Final = 1 << 16
RUN_WHOLE: Final = 3
"""So many scenarios have done nearly all that others do."""
_formed: dict[int, Scenario] = {}
"""By the seed that formed it."""
_run_here = {"count": 0}


def run_from_formed(plan: Plan) -> Outcome:
    """The same outcome as `Scenario(plan).run()`, without forming the cluster again."""
    scenario = _formed.get(plan.forming_seed)
    if scenario is None:
        if _run_here["count"] < RUN_WHOLE:
            _run_here["count"] += 1
            return Scenario(plan).run()
        gc.collect()
        scenario = Scenario(plan)
        if (failed := scenario.form()) is not None:
            return failed
        _formed[plan.forming_seed] = scenario
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _go_on(scenario, plan, writing)
    os.close(writing)
    parts: list[bytes] = []
    while part := os.read(reading, READ_BYTES):
        parts.append(part)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if status or not parts:
        wrong = f"seed {plan.seed}: its process ended with status {os.waitstatus_to_exitcode(status)}"
        return Outcome(seed=plan.seed, wrong=wrong, digest=0, events=0, virtual_ms=0, acknowledged=0)
    return msgpack.decode(b"".join(parts), type=Outcome)


def _go_on(scenario: Scenario, plan: Plan, writing: int) -> None:
    """In the child: nothing of the parent's is to run at its end."""
    status = 1
    try:
        data = memoryview(msgpack.encode(scenario.go_on(plan)))
        while data:
            data = data[os.write(writing, data) :]
        status = 0
    finally:
        os._exit(status)
