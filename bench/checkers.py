"""Seconds that each checker takes for a history of a million operations.

The evidence, which all checkers share, is counted with the first.
"""

from __future__ import annotations

import time

from bench.table import Row, Table, at_most
from harness.judging.guarantees import Guarantees
from harness.workloads.queue import CHECKERS
from harness.workloads.synthetic import legal_history

LIMIT_S = 10.0


def measure(table: Table, *, operations: int) -> None:
    """Add a row for each checker."""
    history = legal_history(operations // 2)
    table.heading(f"Checkers on {len(history):,} operations")
    rules = Guarantees.of()
    for checker in CHECKERS:
        start = time.perf_counter()
        verdict = checker(history, rules)
        took = time.perf_counter() - start
        table.add(Row(name=checker.__name__, unit="s", reference=took, goal=at_most(LIMIT_S)))
        if verdict.validity != "valid":
            table.note(f"it said {verdict.validity} of a legal history")
