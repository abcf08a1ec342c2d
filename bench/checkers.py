"""Seconds of the processor, and memory, that it takes to judge a history in a file, from its first byte to the last
verdict.

The evidence, which all checkers share, is gathered in one pass; each checker then looks at its columns.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.table import Row, Table, at_most
from harness.history.files import HistoryWriter, stream_history
from harness.judging.evidence.evidence import Evidence
from harness.judging.guarantees import Guarantees
from harness.workloads.queue import CHECKERS
from harness.workloads.synthetic import legal_operations

LIMIT_S_A_MILLION = 10.0
LIMIT_MB, LIMIT_MB_A_MILLION = 100.0, 120.0


def measure(table: Table, *, sizes: Sequence[int]) -> None:
    """Add the rows of histories with about so many operations."""
    for size in sizes:
        _measure(table, size)


def _measure(table: Table, operations: int) -> None:
    """One history, judged in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-history-") as folder:
        path = Path(folder) / "history.jsonl"
        with HistoryWriter(path) as writer:
            for each in legal_operations(operations // 2):
                writer.append(each.process, each.kind, each.f, each.value, error=each.error, of=each.of)
        done = subprocess.run(
            [sys.executable, "-m", "bench.checkers", str(path)], capture_output=True, text=True, check=True
        )
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    found = {name: (float(number), note) for name, number, note in lines}
    table.heading(f"Checkers on {int(found['operations'][0]):,} operations")
    limit_s = LIMIT_S_A_MILLION * operations / 1e6
    for name, (number, note) in found.items():
        if name == "operations":
            continue
        is_memory = name == "memory"
        goal = at_most(LIMIT_MB + LIMIT_MB_A_MILLION * operations / 1e6 if is_memory else limit_s)
        table.add(Row(name=name, unit="MB" if is_memory else "s", reference=number, goal=goal))
        if note:
            table.note(note)


def _judge(path: Path) -> None:
    """Prints name, number and a note for each thing measured."""
    before = _memory_kb("VmRSS")
    began = time.process_time()
    history = stream_history(path)
    evidence = Evidence.of(history)
    print(f"evidence\t{time.process_time() - began}\t")
    rules = Guarantees.of()
    for checker in CHECKERS:
        start = time.process_time()
        verdict = checker(history, rules)
        note = "" if verdict.validity == "valid" else f"{checker.__name__} said {verdict.validity} of a legal history"
        print(f"{checker.__name__}\t{time.process_time() - start}\t{note}")
    print(f"all together\t{time.process_time() - began}\t")
    operations = 1 + max(evidence.sends.completed[-1], evidence.sends.invoked[-1])
    print(f"memory\t{(_memory_kb('VmHWM') - before) * 1024 / 1e6}\t")
    print(f"operations\t{operations}\t")


def _memory_kb(what: str) -> int:
    """VmRSS, the memory in use now, or VmHWM, the most that it was."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{what}:")))


if __name__ == "__main__":
    _judge(Path(sys.argv[1]))
