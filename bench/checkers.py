"""Seconds that each checker takes for a history of a million operations: `python -m bench.checkers [OPERATIONS]`.

The target is 10 s for each; the evidence, which all share, is counted with the first.
"""

from __future__ import annotations

import sys
import time

from harness.guarantees import Guarantees
from harness.workloads.queue import CHECKERS
from harness.workloads.synthetic import legal_history

LIMIT_S = 10.0


def main(arguments: list[str]) -> int:
    """0 when every checker keeps the limit, else 1."""
    operations = int(arguments[0]) if arguments else 1_000_000
    history = legal_history(operations // 2)
    rules = Guarantees.of()
    slowest = 0.0
    print(f"checkers on {len(history):,} operations (target: {LIMIT_S:.0f} s each)")
    for checker in CHECKERS:
        start = time.perf_counter()
        verdict = checker(history, rules)
        took = time.perf_counter() - start
        slowest = max(slowest, took)
        print(f"  {checker.__name__:<22} {took:6.2f} s   {verdict.validity}")
    return 0 if slowest <= LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
