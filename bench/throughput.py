"""Throughput and the server's processor time: Kafka's own tools and confluent-kafka, the same against both brokers.

Processor time is that of the server's process, per GB (10^9 bytes) of record values that went through it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Protocol

from bench.subjects import Subject, Subjects
from bench.table import Row, Table, ratio_at_least, ratio_at_most
from bench.topics import topic

SIZES = (100, 1000)
PARTITIONS = (1, 6)
ACKS = ("1", "all")


class Client(Protocol):
    """A way to send and to read records; both give records a second."""

    @property
    def name(self) -> str:
        """As in the table."""
        ...

    def produce(self, bootstrap: str, topic: str, *, records: int, size: int, acks: str) -> float:
        """Sends records as fast as it can."""
        ...

    def consume(self, bootstrap: str, topic: str, *, records: int) -> float:
        """Reads records from the beginning as fast as it can."""
        ...


@dataclass(slots=True)
class Figures:
    """What was taken of each broker in one cell of the table."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu_per_gb: dict[str, list[float]] = field(default_factory=dict)

    def take(self, subject: Subject, gigabytes: float, run: Callable[[], float]) -> None:
        """Runs once, and keeps the rate and the processor time."""
        before = subject.cpu_seconds()
        rate = run()
        self.rates.setdefault(subject.name, []).append(rate)
        self.cpu_per_gb.setdefault(subject.name, []).append((subject.cpu_seconds() - before) / gigabytes)

    def add_to(self, table: Table, name: str) -> None:
        """The two rows."""
        rates, costs = (
            [statistics.median(taken[who]) if who in taken else None for who in ("reference", "kafka")]
            for taken in (self.rates, self.cpu_per_gb)
        )
        table.add(Row(name=name, unit="records/s", reference=rates[0], kafka=rates[1], goal=ratio_at_least(1.0)))
        table.add(Row(name="  server's CPU", unit="s/GB", reference=costs[0], kafka=costs[1], goal=ratio_at_most(0.5)))


def measure(
    table: Table, subjects: Subjects, client: Client, *, rounds: int, megabytes: int, most_records: int
) -> None:
    """Add the rows of one client. Each measurement sends so many megabytes, or so many records when that is less."""
    table.heading(f"Throughput with {client.name}")
    warm_up(subjects, client)
    for size in SIZES:
        records = min(megabytes * 1_000_000 // size, most_records)
        for partitions in PARTITIONS:
            _measure_topic(table, subjects, client, rounds=rounds, records=records, size=size, partitions=partitions)


def warm_up(subjects: Subjects, client: Client) -> None:
    """A JVM compiles what is used often; it should have done so before it is measured."""
    for subject in subjects.present:
        with topic(subject, "bench-warm-up", 1) as name:
            client.produce(subject.bootstrap, name, records=100_000, size=500, acks="all")
            client.consume(subject.bootstrap, name, records=100_000)


def _measure_topic(
    table: Table, subjects: Subjects, client: Client, *, rounds: int, records: int, size: int, partitions: int
) -> None:
    gigabytes = records * size / 1e9
    what = f"{size} B, {partitions} partition{'s' if partitions > 1 else ''}"
    with ExitStack() as stack:
        names = {
            subject.name: stack.enter_context(topic(subject, f"bench-{size}-{partitions}", partitions))
            for subject in subjects.present
        }

        def produce(subject: Subject, acks: str) -> float:
            return client.produce(subject.bootstrap, names[subject.name], records=records, size=size, acks=acks)

        def consume(subject: Subject) -> float:
            return client.consume(subject.bootstrap, names[subject.name], records=records)

        for acks in ACKS:
            figures = Figures()
            for _ in range(rounds):
                for subject in subjects.present:
                    figures.take(subject, gigabytes, lambda subject=subject, acks=acks: produce(subject, acks))  # type: ignore[misc]
            figures.add_to(table, f"produce {what}, acks={acks}")
        figures = Figures()
        for _ in range(rounds):
            for subject in subjects.present:
                figures.take(subject, gigabytes, lambda subject=subject: consume(subject))  # type: ignore[misc]
        figures.add_to(table, f"consume {what}")
