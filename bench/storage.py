"""What storage costs: compaction beside traffic, recovery after kill -9, fetches from cold segments, memory."""

from __future__ import annotations

import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException, Producer

from bench.clients import Confluent
from bench.partitions import await_served, create, delete
from bench.process import peak_mb
from bench.startup import seconds_to_first_answer
from bench.subjects import Subject, Subjects
from bench.table import Row, Table
from bench.topics import topic
from harness.clients.connection import RawConnection
from harness.hosts.host import HostTrouble
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.primitives import TopicName

TOPIC, BROKER = 2, 4
"""Types of resources that have settings."""
SET: Final = 0
KEYS: Final = 50_000
VALUE_BYTES: Final = 100
"""Of a record that is compacted: small ones, since it is records that compaction takes its time for."""
SEGMENT_BYTES: Final = 16 << 20
LARGE_VALUE_BYTES: Final = 1000
QUIET_EVERY_S: Final = 0.01
BASELINE_S: Final = 5.0
LONGEST_S: Final = 600.0
_LOOK_EVERY_S: Final = 0.01
_TIMEOUT_S: Final = 30

Figures = dict[tuple[str, str], float]
"""(what, unit) → the figure of one broker."""


def measure(table: Table, subjects: Subjects, *, compacted_mb: int, recovered_mb: int) -> None:
    """Add the rows: each broker in turn compacts a log, and recovers and reads another."""
    table.heading(f"Storage: {compacted_mb:,} MB compacted, {recovered_mb:,} MB recovered and read")
    for part in (
        lambda subject: _compaction(subject, compacted_mb),
        lambda subject: _recovery(subject, recovered_mb),
    ):
        found: dict[str, Figures] = {}
        for subject in subjects.present:
            try:
                found[subject.name] = part(subject)
            except (HostTrouble, TimeoutError) as trouble:
                table.note(f"{subject.name}: {trouble}")
        for name, unit in next(iter(found.values()), {}):
            reference, kafka = (found.get(who, {}).get((name, unit)) for who in ("reference", "kafka"))
            table.add(Row(name=name, unit=unit, reference=reference, kafka=kafka))


# -- compaction ---------------------------------------------------------------------------------------------------


def _compaction(subject: Subject, megabytes: int) -> Figures:
    """A log that was not compacted until now is, from a known moment on, while another client sends a little."""
    with topic(subject, "bench-compacted", 1) as name, topic(subject, "bench-quiet", 1) as quiet:
        alter(subject, TOPIC, name, {"segment.bytes": str(SEGMENT_BYTES)})
        alter(subject, BROKER, "", {"log.cleaner.backoff.ms": "100"})
        fill(subject, name, megabytes, VALUE_BYTES)
        folder = subject.node.data_dir / f"{name}-0"
        dirty = sorted(folder.glob("*.log"))[:-1]
        size_mb, end = sum(path.stat().st_size for path in dirty) / 1e6, int(sorted(folder.glob("*.log"))[-1].stem)
        with quiet_producer(subject, quiet) as sent:
            time.sleep(BASELINE_S)
            calm = sent()
            before, begin = subject.cpu_seconds(), time.perf_counter()
            alter(subject, TOPIC, name, {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01"})
            _await_clean(subject, name, end)
            took_s, cpu_s = time.perf_counter() - begin, subject.cpu_seconds() - before
            busy = sent()[len(calm) :]
    return {
        ("compaction", "MB/s"): size_mb / took_s,
        ("  server's CPU", "s/GB"): cpu_s / size_mb * 1000,
        ("  p50 of a quiet producer before", "ms"): statistics.median(calm) * 1000,
        ("  p50 meanwhile", "ms"): statistics.median(busy) * 1000,
        ("  p99 of a quiet producer before", "ms"): p99(calm) * 1000,
        ("  p99 meanwhile", "ms"): p99(busy) * 1000,
        ("  most memory until then", "MB"): peak_mb(subject.pid),
    }


def _await_clean(subject: Subject, name: str, end: int) -> None:
    """Until the broker's own checkpoint says that the log is clean up to an offset. TimeoutError."""
    checkpoint, deadline = subject.node.data_dir / "cleaner-offset-checkpoint", time.monotonic() + LONGEST_S
    while clean_up_to(checkpoint, name) < end:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} is not compacted after {LONGEST_S:g} s")
        time.sleep(_LOOK_EVERY_S)


def clean_up_to(checkpoint: Path, name: str) -> int:
    """The offset that a checkpoint has for the first partition of a topic; -1 for none."""
    try:
        lines = checkpoint.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return -1
    return next((int(line.split()[2]) for line in lines if line.startswith(f"{name} 0 ")), -1)


# -- recovery and cold reads --------------------------------------------------------------------------------------


def _recovery(subject: Subject, megabytes: int) -> Figures:
    """A folder in segments of the default size, after kill -9, and then read from the disk."""
    name = TopicName("bench-recovered")
    with RawConnection.to(subject.bootstrap, timeout_s=_TIMEOUT_S) as client:
        create(client, subject.name, name, 1)
    await_served(subject, name, 1)
    fill(subject, name, megabytes, LARGE_VALUE_BYTES)
    subject.node.kill()
    begin = time.perf_counter()
    seconds_to_first_answer(subject)
    await_served(subject, name, 1)
    took_s, cpu_s = time.perf_counter() - begin, subject.cpu_seconds()
    recovered_mb = peak_mb(subject.pid)
    records = megabytes * 1_000_000 // LARGE_VALUE_BYTES
    forget_cached(subject.node.data_dir / f"{name}-0")
    before = subject.cpu_seconds()
    rate = Confluent().consume(subject.bootstrap, name, records=records)
    read_cpu_s = subject.cpu_seconds() - before
    delete(subject, name)
    return {
        ("served again after kill -9", "s"): took_s,
        ("  server's CPU until then", "s"): cpu_s,
        ("  most memory until then", "MB"): recovered_mb,
        ("fetch from cold segments", "MB/s"): rate * LARGE_VALUE_BYTES / 1e6,
        ("  server's CPU", "s/GB"): read_cpu_s / megabytes * 1000,
        ("  most memory until then ", "MB"): peak_mb(subject.pid),
    }


def forget_cached(folder: Path) -> None:
    """Have the kernel read a log's files from the disk again: they are written out first, else they would stay."""
    for path in folder.glob("*.log"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


# -- clients ------------------------------------------------------------------------------------------------------


def alter(subject: Subject, resource_type: int, name: str, settings: dict[str, str]) -> None:
    """Set some settings; a broker's without a name are those of all. RuntimeError where the broker refuses."""
    resource = AlterConfigsResource(
        resource_type=resource_type,
        resource_name=name,
        configs=tuple(AlterableConfig(name=key, config_operation=SET, value=value) for key, value in settings.items()),
    )
    with RawConnection.to(subject.bootstrap, timeout_s=_TIMEOUT_S) as client:
        request = IncrementalAlterConfigsRequest(resources=(resource,), validate_only=False)
        (answer,) = client.request(ApiKey.INCREMENTAL_ALTER_CONFIGS, 1, request).responses
    if answer.error_code:
        raise RuntimeError(f"{subject.name} refuses {settings}: {answer.error_message}")


def fill(subject: Subject, name: str, megabytes: int, value_bytes: int) -> None:
    """Records of so many bytes in all, with keys drawn from some thousands. KafkaException, TimeoutError."""
    chance, refused = random.Random(7), []
    value, keys = chance.randbytes(value_bytes), [b"key-%08d" % number for number in range(KEYS)]

    def keep(error: object, message: object) -> None:
        if error is not None:
            refused.append(error)

    producer = Producer(
        {
            "bootstrap.servers": subject.bootstrap,
            "linger.ms": 20,
            "batch.num.messages": 1000,
            "queue.buffering.max.messages": 200_000,
            "log_level": 0,
            "delivery.report.only.error": True,
            "on_delivery": keep,
        }
    )
    for _ in range(megabytes * 1_000_000 // value_bytes):
        while True:
            try:
                producer.produce(name, value, chance.choice(keys))
                break
            except BufferError:
                producer.poll(0.01)
    if producer.flush(LONGEST_S):
        raise TimeoutError(f"{subject.name} has not acknowledged all records of {name}")
    if refused:
        raise KafkaException(refused[0])


@contextmanager
def quiet_producer(subject: Subject, name: str) -> Iterator[Callable[[], list[float]]]:
    """While it lasts a client sends a small record every 10 ms; gives how long (s) each until now had to wait.

    KafkaException at the end where one was not acknowledged.
    """
    is_over = threading.Event()
    waited: list[float] = []
    refused: list[object] = []

    def send() -> None:
        producer = Producer({"bootstrap.servers": subject.bootstrap, "linger.ms": 0, "acks": "all", "log_level": 0})
        producer.list_topics(name, timeout=_TIMEOUT_S)
        due = time.perf_counter()
        while not is_over.is_set():
            begin = time.perf_counter()

            def keep(error: object, message: object, begin: float = begin) -> None:
                (waited if error is None else refused).append(time.perf_counter() - begin)

            producer.produce(name, b"x" * VALUE_BYTES, on_delivery=keep)
            due += QUIET_EVERY_S
            while (wait := due - time.perf_counter()) > 0:
                producer.poll(wait)
        producer.flush(_TIMEOUT_S)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield lambda: list(waited)
    finally:
        is_over.set()
        thread.join()
    if refused:
        raise KafkaException(f"{len(refused)} records of the quiet producer were not acknowledged")


def p99(values: list[float]) -> float:
    """What 99 in 100 stay below."""
    ordered = sorted(values)
    return ordered[len(ordered) * 99 // 100]
