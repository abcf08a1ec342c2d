"""How long a broker takes to answer, what it holds in memory, how long it takes to stop."""

from __future__ import annotations

import time

from bench.process import resident_mb
from bench.subjects import Subject, Subjects
from bench.table import Row, Table, at_most
from harness.hosts.host import HostTrouble
from harness.targets.readiness import answers

_LIMIT_S = 60.0
_LOOK_EVERY_S = 0.002
_IDLE_S = 5.0


def measure(table: Table, subjects: Subjects, *, rounds: int) -> None:
    """Add the rows: both brokers are stopped and started, several times."""
    table.heading("Start, memory, stop")
    started, first, idle, stopped = ({subject.name: [] for subject in subjects.present} for _ in range(4))  # type: ignore[var-annotated]
    for _ in range(rounds):
        for subject in subjects.present:
            begin = time.perf_counter()
            subject.node.stop()
            stopped[subject.name].append(time.perf_counter() - begin)
            started[subject.name].append(seconds_to_first_answer(subject))
            first[subject.name].append(resident_mb(subject.pid))
            subject.node.wait_ready()
    time.sleep(_IDLE_S)
    for subject in subjects.present:
        idle[subject.name].append(resident_mb(subject.pid))
    rows = (
        ("start to the first ApiVersions answer", "s", started, at_most(0.35)),
        ("resident after the first answer", "MB", first, at_most(60)),
        (f"resident when idle for {_IDLE_S:g} s", "MB", idle, at_most(80)),
        ("clean stop", "s", stopped, at_most(1.0)),
    )
    for name, unit, taken, goal in rows:
        reference, kafka = (median_or_none(taken.get(who)) for who in ("reference", "kafka"))
        table.add(Row(name=name, unit=unit, reference=reference, kafka=kafka, goal=goal))


def median_or_none(values: list[float] | None) -> float | None:
    """The median; None of nothing."""
    return sorted(values)[len(values) // 2] if values else None


def seconds_to_first_answer(subject: Subject) -> float:
    """Starts a stopped node; the time from the start of its process to its first ApiVersions answer."""
    begin = time.perf_counter()
    subject.node.start()
    while not answers(subject.node.address, timeout_s=_LIMIT_S):
        if time.perf_counter() - begin > _LIMIT_S or not subject.node.is_alive():
            raise HostTrouble(f"{subject.name} did not answer; its log ends:\n{subject.node.log_text()[-800:]}")
        time.sleep(_LOOK_EVERY_S)
    return time.perf_counter() - begin
