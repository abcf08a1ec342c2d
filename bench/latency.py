"""The slowest hundredth of acknowledgements at a modest, steady rate."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import KafkaException, Producer

from bench import java_tools
from bench.subjects import Subject, Subjects
from bench.table import Row, Table, ratio_at_most
from bench.topics import topic

RATE = 1000
ACKS = ("1", "all")
_WARM_UP_S = 2


def measure(table: Table, subjects: Subjects, libs: Path | None, *, rounds: int, seconds: int) -> None:
    """Add the rows: p99 at 1,000 records of 1 KB a second, with both clients."""
    table.heading(f"Latency at {RATE:,} records/s of 1 KB, no linger")

    def with_java(subject: Subject, name: str, acks: str) -> float:
        assert libs is not None
        return java_tools.produce_latency_p99_ms(libs, subject.bootstrap, name, rate=RATE, seconds=seconds, acks=acks)

    def with_confluent(subject: Subject, name: str, acks: str) -> float:
        return confluent_p99_ms(subject.bootstrap, name, seconds=seconds, acks=acks)

    clients: list[tuple[str, Callable[[Subject, str, str], float]]] = [("confluent-kafka", with_confluent)]
    if libs is not None:
        clients.insert(0, ("ProducerPerformance", with_java))
    for client, run in clients:
        for acks in ACKS:

            def once(subject: Subject, acks: str = acks, run: Callable[[Subject, str, str], float] = run) -> float:
                with topic(subject, "bench-latency", 1) as name:
                    return run(subject, name, acks)

            reference, kafka = subjects.medians(rounds, once)
            title = f"p99, {client}, acks={acks}"
            table.add(Row(name=title, unit="ms", reference=reference, kafka=kafka, goal=ratio_at_most(1.0)))


def confluent_p99_ms(bootstrap: str, name: str, *, seconds: int, acks: str) -> float:
    """p99 from produce() to the acknowledgement. KafkaException when a record was not delivered."""
    producer = Producer({"bootstrap.servers": bootstrap, "acks": acks, "linger.ms": 0})
    producer.list_topics(name, timeout=30)
    value, taken = bytes(1000), []

    def on_delivery(sent_at: float) -> Callable[..., None]:
        def keep(error: object, message: object) -> None:
            if error is not None:
                raise KafkaException(error)
            taken.append(time.perf_counter() - sent_at)

        return keep

    begin = time.perf_counter()
    for number in range(RATE * (seconds + _WARM_UP_S)):
        due = begin + number / RATE
        while (wait := due - time.perf_counter()) > 0:
            producer.poll(wait)
        producer.produce(name, value, on_delivery=on_delivery(time.perf_counter()))
    if producer.flush(30):
        raise TimeoutError("not every record was acknowledged")
    steady = sorted(taken[RATE * _WARM_UP_S :])
    return steady[len(steady) * 99 // 100] * 1000
