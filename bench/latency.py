"""The slowest hundredth of acknowledgements at a modest, steady rate."""

from __future__ import annotations

import contextlib
import statistics
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
_WARM_UP_S = 2.0
_TURN_S = 1.0
_SETTLING_S = 0.2
"""The first acknowledgements of a turn find caches that the other broker has filled."""
_TIMEOUT_S = 30


def measure(table: Table, subjects: Subjects, libs: Path | None, *, rounds: int, seconds: int) -> None:
    """Add the rows: p99 at 1,000 records of 1 KB a second, with both clients, `rounds` times `seconds` of each."""
    table.heading(f"Latency at {RATE:,} records/s of 1 KB, no linger")
    for acks in ACKS if libs is not None else ():

        def once(subject: Subject, acks: str = acks) -> float:
            assert libs is not None
            with topic(subject, "bench-latency", 1) as name:
                return java_tools.produce_latency_p99_ms(
                    libs, subject.bootstrap, name, rate=RATE, seconds=seconds, acks=acks
                )

        _add(table, "ProducerPerformance", acks, subjects.medians(rounds, once))
    for acks in ACKS:
        _add(table, "confluent-kafka", acks, _by_turns(subjects, acks, turns=round(rounds * seconds / _TURN_S)))


def _add(table: Table, client: str, acks: str, p99_ms: tuple[float | None, float | None]) -> None:
    reference, kafka = p99_ms
    title = f"p99, {client}, acks={acks}"
    table.add(Row(name=title, unit="ms", reference=reference, kafka=kafka, goal=ratio_at_most(1.0)))


def _by_turns(subjects: Subjects, acks: str, turns: int) -> tuple[float | None, float | None]:
    """p99 (ms) of each broker, the median of many short turns: the machine's bad moments fall on both, and on few."""
    with contextlib.ExitStack() as stack:
        steady = {
            subject.name: SteadyProducer(
                subject.bootstrap, stack.enter_context(topic(subject, "bench-latency", 1)), acks
            )
            for subject in subjects.present
        }
        for producer in steady.values():
            producer.p99_ms(_WARM_UP_S)
        p99_ms: dict[str, list[float]] = {name: [] for name in steady}
        for turn in range(turns):
            for name in list(steady)[:: -1 if turn % 2 else 1]:
                p99_ms[name].append(steady[name].p99_ms(_SETTLING_S + _TURN_S, leave_out_s=_SETTLING_S))
    found = {name: statistics.median(taken) for name, taken in p99_ms.items()}
    return found.get("reference"), found.get("kafka")


class SteadyProducer:
    """Sends at the rate, and takes how long each record needs from produce() to its acknowledgement."""

    def __init__(self, bootstrap: str, name: str, acks: str) -> None:
        self._name = name
        self._producer = Producer({"bootstrap.servers": bootstrap, "acks": acks, "linger.ms": 0, "log_level": 3})
        self._producer.list_topics(name, timeout=_TIMEOUT_S)

    def p99_ms(self, seconds: float, leave_out_s: float = 0.0) -> float:
        """What 99 in 100 of some seconds' records needed at most; the first ones do not count.

        KafkaException when a record was not delivered.
        """
        value, taken = bytes(1000), []

        def sent() -> Callable[..., None]:
            sent_at = time.perf_counter()

            def keep(error: object, message: object) -> None:
                if error is not None:
                    raise KafkaException(error)
                taken.append(time.perf_counter() - sent_at)

            return keep

        begin = time.perf_counter()
        for number in range(int(RATE * seconds)):
            due = begin + number / RATE
            while (wait := due - time.perf_counter()) > 0:
                self._producer.poll(wait)
            self._producer.produce(self._name, value, on_delivery=sent())
        if self._producer.flush(_TIMEOUT_S):
            raise TimeoutError("not every record was acknowledged")
        steady = sorted(taken[int(RATE * leave_out_s) :])
        return steady[len(steady) * 99 // 100] * 1000
