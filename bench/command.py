"""`python -m bench`: the reference and Apache Kafka measured in one run, on one machine, by the same clients."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench import (
    checkers,
    cluster,
    failover,
    latency,
    lockstep,
    machine,
    partitions,
    python_calls,
    simulation,
    startup,
    storage,
    throughput,
    wire,
)
from bench.clients import Confluent, JavaTools
from bench.subjects import KAFKA, Subjects, opened
from bench.table import Table
from harness.targets.kafka_process import KafkaProcessTarget
from harness.targets.target import TargetTrouble
from reference_broker.command_line import Parser, as_typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much is measured."""

    rounds: int
    starts: int
    megabytes: int
    most_records: int
    latency_s: int
    operations: tuple[int, ...]
    coverage_s: tuple[float, ...]
    model_s: float
    seeds: int
    simulated_s: float
    partitions: tuple[int, ...]
    replicated_partitions: tuple[int, ...]
    compacted_mb: int
    recovered_mb: int


FULL = Amount(
    rounds=3,
    starts=7,
    megabytes=400,
    most_records=2_000_000,
    latency_s=10,
    operations=(1_000_000, 10_000_000),
    coverage_s=(60, 300, 1200),
    model_s=30,
    seeds=1000,
    simulated_s=20,
    partitions=(1_000, 10_000),
    replicated_partitions=(1_000, 3_333, 10_000),
    compacted_mb=200,
    recovered_mb=1_000,
)
QUICK = Amount(
    rounds=1,
    starts=3,
    megabytes=100,
    most_records=500_000,
    latency_s=5,
    operations=(200_000,),
    coverage_s=(5, 15, 30),
    model_s=5,
    seeds=100,
    simulated_s=5,
    partitions=(200, 2_000),
    replicated_partitions=(200, 1_000),
    compacted_mb=50,
    recovered_mb=200,
)

LOCAL: dict[str, Callable[[Table, Amount], None]] = {
    "wire": lambda table, amount: wire.measure(table),
    "calls": lambda table, amount: python_calls.measure(table),
    "simulation": lambda table, amount: simulation.measure(table, seeds=amount.seeds, seconds=amount.simulated_s),
    "cluster": lambda table, amount: cluster.measure(table, rounds=amount.rounds, megabytes=amount.megabytes // 4),
    "failover": lambda table, amount: failover.measure(table, counts=amount.replicated_partitions),
    "checkers": lambda table, amount: checkers.measure(table, sizes=amount.operations),
    "lockstep": lambda table, amount: lockstep.measure(table, coverage_s=amount.coverage_s, model_s=amount.model_s),
}
"""Parts that need no broker, or start their own."""
LAST = ("cluster", "failover", "checkers", "lockstep")
"""Parts that come when the brokers of the others are gone."""


def java_tools(table: Table, subjects: Subjects, amount: Amount, libs: Path | None) -> None:
    """Throughput with Kafka's own clients, where Java is there."""
    if libs is None:
        table.heading("Throughput with Kafka's own tools")
        table.note("not measured: Kafka's jars or Java are not there")
        return
    throughput.measure(
        table,
        subjects,
        JavaTools(libs),
        rounds=amount.rounds,
        megabytes=amount.megabytes,
        most_records=amount.most_records,
    )


def confluent(table: Table, subjects: Subjects, amount: Amount, libs: Path | None) -> None:
    """Throughput with librdkafka; Python makes the records, so fewer of them."""
    throughput.measure(
        table,
        subjects,
        Confluent(),
        rounds=amount.rounds,
        megabytes=amount.megabytes // 2,
        most_records=amount.most_records // 2,
    )


WITH_BROKERS: dict[str, Callable[[Table, Subjects, Amount, Path | None], None]] = {
    "start": lambda table, subjects, amount, libs: startup.measure(table, subjects, rounds=amount.starts),
    "java": java_tools,
    "confluent": confluent,
    "latency": lambda table, subjects, amount, libs: latency.measure(
        table, subjects, libs, rounds=amount.rounds, seconds=amount.latency_s
    ),
    "partitions": lambda table, subjects, amount, libs: partitions.measure(table, subjects, counts=amount.partitions),
    "storage": lambda table, subjects, amount, libs: storage.measure(
        table, subjects, compacted_mb=amount.compacted_mb, recovered_mb=amount.recovered_mb
    ),
}
"""Parts that measure both brokers."""
PARTS = ("wire", "calls", "simulation", *WITH_BROKERS, *LAST)


def kafka_jars() -> Path | None:
    """The folder of Kafka's jars where Java and they are there, fetched when they can be."""
    target = KafkaProcessTarget(f"kafka@{KAFKA}", KAFKA)
    try:
        return None if target.lack() is not None else target.libs()
    except TargetTrouble:
        return None


def run(parts: tuple[str, ...], amount: Amount) -> int:
    """Measures; 1 when the reference did not start, so that nothing could be compared."""
    table, begin, status = Table(), time.monotonic(), 0
    print("\n".join(machine.description()))
    for part in parts:
        if part in LOCAL and part not in LAST:
            LOCAL[part](table, amount)
    wanted = [part for part in parts if part in WITH_BROKERS]
    if wanted:
        libs = kafka_jars()
        with opened() as subjects:
            for reason in subjects.missing:
                print(f"\n{reason}", file=sys.stderr)
            status = 1 if subjects.reference is None else 0
            for part in wanted:
                WITH_BROKERS[part](table, subjects, amount, libs)
    for part in parts:
        if part in LAST:
            LOCAL[part](table, amount)
    print(f"\n{table.summary()}\nmeasured in {time.monotonic() - begin:.0f} s")
    return status


def main(arguments: list[str]) -> int:
    """The exit status: 0 whatever the figures are, 1 when the reference could not be measured."""
    parser = Parser(
        prog=as_typed("bench"),
        description="Measures the reference beside Apache Kafka; ratio is always reference / kafka.",
        epilog=f"example: {as_typed('bench --only java --quick')}",
    )
    parser.add_argument("--only", action="append", choices=PARTS, help="a part (repeatable); default: all")
    parser.add_argument("--quick", action="store_true", help="one round with less data: about five minutes")
    parser.add_argument(
        "--recovered-gb", type=float, metavar="GB", help="how much storage recovers after kill -9; default: 1"
    )
    chosen = parser.parse_args(arguments)
    parts = tuple(part for part in PARTS if chosen.only is None or part in chosen.only)
    amount = QUICK if chosen.quick else FULL
    if chosen.recovered_gb is not None:
        if chosen.recovered_gb <= 0:
            parser.error(f"--recovered-gb {chosen.recovered_gb:g}: give more than 0")
        amount = replace(amount, recovered_mb=max(1, int(chosen.recovered_gb * 1000)))
    return run(parts, amount)
