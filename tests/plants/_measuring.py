"""Measures how soon plants are found: `python -m tests.plants measure [NAME …]`, which writes measured.json."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.plants._catalogue import MEASURED, bugs, measured, places, rejecting_checks, simulated, target_of
from tests.plants._judged_runs import judge
from tests.plants._simulated_search import search
from tests.warm_process import warm_process

MOST_SEEDS = 1000


def measure(names: Sequence[str]) -> bool:
    """Look for these plants, or for all of the catalogue and all that the simulation is to find. Whether each was
    found; what was found is written down after each."""
    by_simulation = simulated()
    chosen = names or [*dict.fromkeys((*(one for bug in bugs() for one in bug.plants), *by_simulation))]
    lost = []
    with warm_process() as warm:
        for name in chosen:
            found = _by_simulation(name) if name in by_simulation else _by_check(warm, name)
            if found is None:
                lost.append(name)
            print(f"{name}: {'not found' if found is None else ', '.join(f'{k} {v}' for k, v in found.items())}")
            _note(name, found)
    return not lost


def _by_simulation(name: str) -> dict[str, Any] | None:
    found = search(name, MOST_SEEDS)
    return None if found is None else {"seed": found.seed, "seconds": round(found.seconds, 1), "said": found.said}


def _by_check(warm: str, name: str) -> dict[str, Any] | None:
    """The first check of the header that rejects it, and how long that took by itself."""
    for check, evidence in rejecting_checks(name):
        target = target_of(name)
        run_on, options = f"planted@{name}", ("--nodes", "3") if target.endswith("3") else ()
        if target == "simulated":
            run_on, options = target, ("-p", "tests.plants._planted_here", "--planted", name)
        with tempfile.TemporaryDirectory(prefix="kafka-verification-") as folder:
            run = judge(warm, [check], run_on, Path(folder) / "run", *options)
        if "broken" in run.outcomes() and evidence in run.said_of_broken():
            return {"check": check, "target": target, "seconds": round(run.seconds(), 1)}
    return None


def _note(name: str, found: dict[str, Any] | None) -> None:
    known = measured() if MEASURED.exists() else {}
    known.pop(name, None)
    if found is not None:
        known[name] = found
    text = json.dumps({one: known[one] for one in sorted(known) if one in places()}, indent=1, ensure_ascii=False)
    MEASURED.write_text(f"{text}\n", encoding="utf-8")
