"""Scenarios that begin with one formed cluster: formed once in a process; each scenario goes on in a fork of it."""

from __future__ import annotations

import os
from typing import Final

from msgspec import msgpack

from reference_broker.simulation.scenario.plan import Plan
from reference_broker.simulation.scenario.run import Outcome, Scenario

READ_BYTES: Final = 1 << 16
_formed: dict[int, Scenario] = {}
"""By the seed that formed it."""


def run_from_formed(plan: Plan) -> Outcome:
    """The same outcome as `Scenario(plan).run()`, without forming the cluster again."""
    scenario = _formed.get(plan.forming_seed)
    if scenario is None:
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
