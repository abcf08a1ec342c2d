"""Runs a workload with clients and faults on a cluster, and gives the finished history.

Phases: run (producers and consumers work, the nemesis strikes) → heal (verified) → quiet (deliveries come in, consumers
catch up) → the faults that were asked for at the end → final read of every partition by fresh clients. Every wait is
bounded.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import msgspec
from crc32c import crc32c

from harness.clients.client import DELIVERY_TIMEOUT_MS, ClientTrouble, Consumed, Consumer, Delivery, Library
from harness.clients.cluster_view import RawAdmin
from harness.history.operations import (
    NEMESIS,
    Acknowledged,
    FinalEnd,
    History,
    HistoryWriter,
    OpType,
    Polled,
    Position,
    Record,
    read_history,
)
from harness.hosts.host import HostTrouble
from harness.runs.fault import Fault
from harness.runs.progress import Counts, Phase, Progress
from harness.targets.target import Cluster
from harness.workloads.queue import Message, Queue, messages, name_of

_POLL_S = 0.2
_IN_FLIGHT = 2_000
_FINAL_READ_S = 60.0
_PROGRESS_S = 0.5
_QUIET_S = 1.0
_CALM_S = 1.0
"""At least so long the clients work in peace before a fault, so that there is something to disturb."""


class DriveTrouble(Exception):
    """The run could not be done as asked: the verdict is unknown, not a broken promise."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that was done as asked."""

    history: History
    phases: tuple[Phase, ...]


class _Run:
    """One run: what its threads share."""

    def __init__(self, queue: Queue, cluster: Cluster, library: Library, seed: object, writer: HistoryWriter) -> None:
        self.queue = queue
        self.cluster = cluster
        self.library = library
        self.seed = seed
        self.writer = writer
        self.counts = Counts()
        self.phases: list[Phase] = []
        self.started = time.monotonic()
        self._entered_s = 0.0
        self.producing_ends = threading.Event()
        self.consuming_ends = threading.Event()
        self.troubles: list[str] = []
        self._lock = threading.Lock()

    def enter(self, name: str) -> None:
        """Ends the present phase and begins another."""
        now_s = time.monotonic() - self.started
        self.phases.append(Phase(self.counts.phase, round(self._entered_s, 3), round(now_s, 3)))
        self.counts.phase, self._entered_s = name, now_s

    def guarded(self, work: Callable[[int], None], number: int) -> None:
        """Runs a thread's work; what it raises makes the whole run a trouble."""
        try:
            work(number)
        except Exception as trouble:
            with self._lock:
                self.troubles.append(f"{type(trouble).__name__}: {trouble}")

    def produce(self, number: int) -> None:
        """A producer's life."""
        process = f"producer {number}"
        client_id = f"{self.queue.topic}-{process.replace(' ', '-')}"
        producer = self.library.producer(self.cluster.bootstrap, self.queue.client, client_id)
        window = threading.Semaphore(_IN_FLIGHT)
        random = Random(f"{self.seed}/{process}")
        started = time.monotonic()
        count = 0
        try:
            for message in messages(self.queue, number, random, time.time_ns() // 1_000_000):
                due = started + count / self.queue.rate
                if self.producing_ends.wait(max(0.0, due - time.monotonic())):
                    break
                if not window.acquire(timeout=2 * DELIVERY_TIMEOUT_MS / 1000):
                    break
                count += 1
                self._send(producer, process, message, window)
            producer.flush(1.5 * DELIVERY_TIMEOUT_MS / 1000)
        finally:
            producer.close()

    def _send(self, producer: object, process: str, message: Message, window: threading.Semaphore) -> None:
        send = message.send
        invoked = self.writer.append(process, OpType.INVOKE, "send", send)
        with self._lock:
            self.counts.sent += 1

        def on_delivery(delivery: Delivery) -> None:
            window.release()
            is_ok = delivery.outcome is OpType.OK
            value = Acknowledged(delivery.partition, delivery.offset, delivery.timestamp) if is_ok else None
            self.writer.append(process, delivery.outcome, "send", value, error=delivery.error, of=invoked)
            if is_ok:
                with self._lock:
                    self.counts.acknowledged += 1

        producer.send(  # type: ignore[attr-defined]
            send.topic,
            send.partition,
            key=None if send.key is None else send.key.encode(),
            value=message.value,
            headers=[(name, text.encode()) for name, text in send.headers],
            timestamp=send.timestamp,
            on_delivery=on_delivery,
        )

    def consume(self, number: int) -> None:
        """A consumer's life; after trouble a fresh one reads from the start, or from its group's offset."""
        process = f"consumer {number}"
        while not self.consuming_ends.is_set():
            try:
                consumer = self._consumer(process, number)
            except (ClientTrouble, OSError) as trouble:
                self.writer.append(process, OpType.INFO, "poll", error=f"{trouble}")
                self.consuming_ends.wait(_POLL_S)
                continue
            try:
                while not self.consuming_ends.is_set():
                    self._poll(consumer, process, "poll")
                    if self.queue.client.commit == "sync":
                        consumer.commit()
            except (ClientTrouble, OSError) as trouble:
                self.writer.append(process, OpType.INFO, "poll", error=f"{trouble}")
                self.consuming_ends.wait(_POLL_S)
            finally:
                consumer.close()

    def _consumer(self, process: str, number: int) -> Consumer:
        queue = self.queue
        group = None
        if queue.client.consumers == "subscribe":
            group = f"{queue.topic}-group-{number % queue.groups}"
        client_id = f"{queue.topic}-{process.replace(' ', '-')}"
        consumer = self.library.consumer(self.cluster.bootstrap, queue.client, client_id, group)

        def on_assigned(partitions: Sequence[tuple[str, int]]) -> None:
            self.writer.append(process, OpType.OK, "position", Position(tuple(partitions)))

        partitions = [(queue.topic, partition) for partition in range(queue.partitions)]
        on_assigned(partitions if group is None else [])
        if group is None:
            consumer.assign(partitions)
        else:
            consumer.subscribe([queue.topic], on_assigned)
        return consumer

    def _poll(self, consumer: Consumer, process: str, f: str) -> list[Consumed]:
        """One poll, into the history, each partition apart."""
        found = consumer.poll(_POLL_S)
        by_partition: dict[tuple[str, int], list[Record]] = {}
        for record in found:
            by_partition.setdefault((record.topic, record.partition), []).append(as_record(record))
        for (topic, partition), records in by_partition.items():
            self.writer.append(process, OpType.OK, f, Polled(topic, partition, tuple(records)))
        with self._lock:
            self.counts.read += len(found)
        return found

    def strike(self, fault: Fault, random: Random, hold_s: float) -> None:
        """Injects a fault, lets it be felt, heals it."""
        self.enter(fault.name)
        self.counts.faults += 1
        act = fault.plan(self.cluster.view((self.queue.topic,), self._groups()), random)
        invoked = self.writer.append(NEMESIS, OpType.INVOKE, fault.name, act)
        done = msgspec.structs.replace(act, proof=fault.inject(self.cluster, act))
        self.writer.append(NEMESIS, OpType.INFO, fault.name, done, of=invoked)
        time.sleep(hold_s)
        invoked = self.writer.append(NEMESIS, OpType.INVOKE, "heal", act)
        healed = msgspec.structs.replace(act, proof=fault.heal(self.cluster))
        fault.verify_healed(self.cluster)
        self.writer.append(NEMESIS, OpType.INFO, "heal", healed, of=invoked)

    def _groups(self) -> tuple[str, ...]:
        """The groups of the consumers, when they subscribe."""
        if self.queue.client.consumers != "subscribe":
            return ()
        return tuple(f"{self.queue.topic}-group-{number}" for number in range(self.queue.groups))

    def final_read(self, partition: int, deadline: float) -> None:
        """Reads a partition from its start to its end by a fresh client."""
        topic, process = self.queue.topic, f"final {partition}"
        admin = RawAdmin(self.cluster.bootstrap)
        try:
            start, end = admin.offsets(topic, partition)
        finally:
            admin.close()
        reached = start
        while reached < end and time.monotonic() < deadline:
            try:
                consumer = self.library.consumer(
                    self.cluster.bootstrap, self.queue.client, f"{topic}-final-{partition}", None
                )
            except (ClientTrouble, OSError) as trouble:
                self.writer.append(process, OpType.INFO, "final_read", error=f"{trouble}")
                time.sleep(_POLL_S)
                continue
            self.writer.append(process, OpType.OK, "position", Position(((topic, partition),)))
            reached = start
            try:
                consumer.assign([(topic, partition)])
                while reached < end and time.monotonic() < deadline:
                    found = self._poll(consumer, process, "final_read")
                    reached = (
                        max(reached, found[-1].offset + 1)
                        if found
                        else self._position(consumer, partition, reached, end)
                    )
            except (ClientTrouble, OSError) as trouble:
                self.writer.append(process, OpType.INFO, "final_read", error=f"{trouble}")
            finally:
                consumer.close()
        self.writer.append(process, OpType.OK, "final_end", FinalEnd(topic, partition, start, end, reached))

    def _position(self, consumer: Consumer, partition: int, reached: int, end: int) -> int:
        """Where an empty poll leaves the reader: the last offsets of a log may hold markers that no client shows."""
        position = consumer.position(self.queue.topic, partition)
        return position if reached < position <= end else reached


def as_record(record: Consumed) -> Record:
    """A consumed record as histories hold it; bytes that are no text are escaped."""
    return Record(
        record.offset,
        name_of(record.value),
        None if record.key is None else record.key.decode("utf-8", "backslashreplace"),
        tuple((name, (value or b"").decode("utf-8", "backslashreplace")) for name, value in record.headers),
        record.timestamp,
        crc32c(record.value or b""),
    )


def run(
    queue: Queue,
    cluster: Cluster,
    library: Library,
    *,
    writer: HistoryWriter,
    seed: object,
    duration_s: float = 10.0,
    faults: Sequence[Fault] = (),
    at_end: Sequence[Fault] = (),
    hold_s: float = 2.0,
    replicas: int = 1,
    topic_config: Mapping[str, str] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Finished:
    """The finished history of a run; the writer is closed. DriveTrouble when the run was not what was asked for.

    The faults come one after another, evenly spread over the run; each lasts `hold_s`. Those `at_end` come when all is
    quiet, just before the final read, and are healed at once. `seed` may be anything that prints alike in each run.
    """
    work = _Run(queue, cluster, library, seed, writer)
    watched = threading.Event()
    watcher = threading.Thread(target=_watch, args=(work, progress, watched), daemon=True)
    watcher.start()
    try:
        _create(queue, cluster, replicas, topic_config)
        work.enter("run")
        producers = _threads(work, work.produce, queue.producers)
        consumers = _threads(work, work.consume, queue.consumers)
        try:
            _strike_all(work, faults, duration_s, hold_s)
        finally:
            work.enter("quiet")
            work.producing_ends.set()
            _join(work, producers, 4 * DELIVERY_TIMEOUT_MS / 1000)
            work.consuming_ends.wait(_QUIET_S)
            work.consuming_ends.set()
            _join(work, consumers, 60.0)
        for fault in at_end:
            work.strike(fault, Random(f"{seed}/at end"), 0.0)
        work.enter("final read")
        deadline = time.monotonic() + _FINAL_READ_S
        for partition in range(queue.partitions):
            work.final_read(partition, deadline)
        work.enter("end")
    except (HostTrouble, ClientTrouble, OSError) as trouble:
        work.troubles.append(f"{type(trouble).__name__}: {trouble}")
    finally:
        watched.set()
        watcher.join(5)
        writer.close()
    if work.troubles:
        raise DriveTrouble("; ".join(list(dict.fromkeys(work.troubles))[:4]))
    return Finished(read_history(writer.path), tuple(work.phases))


def _create(queue: Queue, cluster: Cluster, replicas: int, config: Mapping[str, str] | None) -> None:
    admin = RawAdmin(cluster.bootstrap)
    try:
        admin.create_topic(queue.topic, queue.partitions, replicas, config)
    finally:
        admin.close()


def _threads(work: _Run, life: Callable[[int], None], count: int) -> list[threading.Thread]:
    threads = [
        threading.Thread(target=work.guarded, args=(life, number), name=f"{life.__name__} {number}", daemon=True)
        for number in range(1, count + 1)
    ]
    for thread in threads:
        thread.start()
    return threads


def _strike_all(work: _Run, faults: Sequence[Fault], duration_s: float, hold_s: float) -> None:
    """The run phase: its faults, the rest of its time, and the final heal, which is verified."""
    random = Random(f"{work.seed}/{NEMESIS}")
    started = time.monotonic()
    pause_s = max(_CALM_S, (duration_s - len(faults) * hold_s) / (len(faults) + 1))
    try:
        for fault in faults:
            time.sleep(pause_s)
            work.strike(fault, random, hold_s)
            work.enter("run")
        time.sleep(max(pause_s, duration_s - (time.monotonic() - started)))
    finally:
        if faults:
            work.enter("heal")
        for fault in faults:
            fault.heal(work.cluster)
            fault.verify_healed(work.cluster)


def _join(work: _Run, threads: Sequence[threading.Thread], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    for thread in threads:
        thread.join(max(0.1, deadline - time.monotonic()))
        if thread.is_alive():
            work.troubles.append(f"{thread.name} did not end within {timeout_s:.0f} s")


def _watch(work: _Run, progress: Callable[[Progress], None] | None, ends: threading.Event) -> None:
    while progress is not None:
        progress(work.counts.progress(time.monotonic() - work.started))
        if ends.wait(_PROGRESS_S):
            return
