"""Each bug in the quorum of controllers is found by `python -m harness simulate` within some seeds, by the invariant
that its header names; without a bug the same seeds pass.

A seed is a cluster of whole nodes under splits, crashes, pauses and slow disks on virtual time, then a heal: after that
all must get on.
"""

from __future__ import annotations

import ast
import multiprocessing
import re
import time
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from reference_broker.simulation.scenario.plan import plan_of
from reference_broker.simulation.scenario.run import Scenario

FOLDER = Path(__file__).resolve().parent
PLANTS = sorted(path.stem for path in FOLDER.glob("*.py") if not path.name.startswith(("test_", "_")))
FEW = ("commits_what_one_has", "is_elected_by_a_minority", "loses_a_record_of_a_snapshot")
"""Those that every `make test` looks for."""
MOST_SEEDS = 100
"""Each bug has been seen within fewer."""
TIMEOUT_S = 600.0
REJECTED_BY = re.compile(r"^`python -m harness simulate`:\s(?P<evidence>.+)$", re.MULTILINE)


def evidence_of(plant: str) -> str:
    """What the header says that the invariant says."""
    header = ast.get_docstring(ast.parse((FOLDER / f"{plant}.py").read_text(encoding="utf-8"))) or ""
    found = REJECTED_BY.search(header)
    assert found is not None, f"{plant}.py: **Rejected by** must name `python -m harness simulate`: words"
    return found["evidence"]


def search(plant: str, seeds: int, result: Connection) -> None:
    """Sends (seed, what was broken, seconds) of the first seed that fails, or (-1, "", seconds); in a process of its
    own, since the plant changes classes."""
    if plant:
        import_module(f"tests.plants.quorum.{plant}").plant()
    started = time.monotonic()
    for seed in range(seeds):
        outcome = Scenario(plan_of(seed)).run()
        if outcome.wrong is not None:
            result.send((seed, outcome.wrong, time.monotonic() - started))
            return
    result.send((-1, "", time.monotonic() - started))


def found(plant: str, seeds: int) -> tuple[int, str, float]:
    """What `search` sends."""
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=search, args=(plant, seeds, sending))
    process.start()
    sending.close()
    try:
        assert receiving.poll(TIMEOUT_S), f"{plant or 'no plant'}: no result within {TIMEOUT_S:g} s"
        result: tuple[int, str, float] = receiving.recv()
    finally:
        process.kill()
        process.join()
    return result


@pytest.mark.parametrize("plant", [one if one in FEW else pytest.param(one, marks=pytest.mark.long) for one in PLANTS])
def test_a_bug_of_the_quorum_is_found(plant: str) -> None:
    evidence = evidence_of(plant)

    seed, said, seconds = found(plant, MOST_SEEDS)

    print(f"{plant}: seed {seed}, {seconds:.1f} s: {said}")
    assert seed >= 0, f"{plant}: nothing was found in {MOST_SEEDS} seeds"
    assert evidence in said


def test_a_quorum_without_a_bug_passes() -> None:
    assert found("", 5)[:2] == (-1, "")
