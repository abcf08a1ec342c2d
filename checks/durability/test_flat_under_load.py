"""Under a steady load memory, open descriptors and latency stay flat.

**Claim** Three nodes take half of what they can take, to a topic whose records are deleted soon and to one that is
compacted, and are restarted in turn. In the second half of the run, when as much is deleted as is written, the resident
memory of no broker process rises by more than 10 % of its median (or 8 MB), its open descriptors by no more than 10 %
(or 10), and, in a run of three minutes or more, the 99th percentile of the time to an acknowledgement by no more than
half (or 50 ms).

**Why it matters** What grows slowly takes a broker down after weeks, at night, and comes back a week after the restart.

**Kafka says** topic configurations retention.ms, segment.ms, cleanup.policy, min.cleanable.dirty.ratio; Kafka
documentation, "Log Compaction".

**Cannot see** Growth slower than the bound in the time that it runs: 24 s, which tells a leak with every request.
SOAK_MINUTES=30 in the environment sets another time, as `make soak` does, and SOAK_NODES another number of nodes.

**Rejects** tests/plants/leaks_descriptors.py
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.clients.client import Delivery, Library, Producer
from harness.clients.operators.operator import Operator
from harness.history.operations import OpType
from harness.hosts import cluster_time as time
from harness.hosts.lack import Lack, Means
from harness.judging.flatness import DESCRIPTORS, LATENCY, MEMORY, Bound, flatness
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import Unproven, require
from harness.pytest_plugin.lacking import skip_for
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.targets.local_node import LocalNode
from harness.targets.target import Cluster
from nemesis import roll

pytestmark = [
    pytest.mark.cluster(
        nodes=int(os.environ.get("SOAK_NODES", "3")),
        config={"log.cleaner.backoff.ms": "1000", "log.segment.delete.delay.ms": "1000"},
    ),
    pytest.mark.feature("Produce"),
    pytest.mark.severity("critical"),
    pytest.mark.long,
]
MINUTES = float(os.environ.get("SOAK_MINUTES", "0.4"))
LASTS_S = 60 * MINUTES
SAMPLES = 60
"""Over the whole run."""
IS_LONG = MINUTES >= 3
"""Whether there is time for restarts, and for a latency that says something on a machine that does other things."""
ROLLS = 3 if IS_LONG else 0
"""Restarts of all nodes in turn, in the first half."""
JUDGED = (MEMORY, DESCRIPTORS, LATENCY) if IS_LONG else (MEMORY, DESCRIPTORS)
MOST_BEHIND_S = 0.5
"""How much of what it could not send in time the load makes up for."""
FULL_S = 5.0
RECORD = b"." * 500
KEYS = 1000
KEPT = {"retention.ms": "20000", "segment.ms": "5000"}
COMPACTED = {"cleanup.policy": "compact", "segment.ms": "5000", "min.cleanable.dirty.ratio": "0.1"}
SETTINGS = ClientSettings(acks="all", delivery_timeout_ms=60_000, request_timeout_ms=20_000)


class Load:
    """Sends records to two topics at a rate, and keeps how long each took to be acknowledged."""

    def __init__(self, producer: Producer, topics: tuple[str, str]) -> None:
        self._producer, self._topics, self._sent = producer, topics, 0
        self._took_ms: list[float] = []
        self._lock = threading.Lock()
        self.failed = 0

    def send(self) -> None:
        """One record, without waiting for it."""
        began, number = time.monotonic(), self._sent
        self._sent += 1

        def keep(delivery: Delivery) -> None:
            with self._lock:
                if delivery.outcome is OpType.OK:
                    self._took_ms.append((time.monotonic() - began) * 1000)
                else:
                    self.failed += 1

        key = b"%d" % (number % KEYS)
        self._producer.send(self._topics[number % 2], None, key=key, value=RECORD, on_delivery=keep)

    def full_rate(self, for_s: float) -> float:
        """Sends as fast as it is taken; records acknowledged a second."""
        began = time.monotonic()
        while time.monotonic() - began < for_s:
            for _ in range(500):
                self.send()
            self._producer.flush(10.0)
        return len(self.taken()) / (time.monotonic() - began)

    def taken(self) -> list[float]:
        """The times, in ms, of the records that were acknowledged since the last call."""
        with self._lock:
            taken, self._took_ms = self._took_ms, []
        return taken


class Samples:
    """What was sampled: figure → whose → (s, value)."""

    def __init__(self, nodes: tuple[LocalNode, ...]) -> None:
        self._nodes = nodes
        self.lines: dict[Bound, dict[str, list[tuple[float, float]]]] = {MEMORY: {}, DESCRIPTORS: {}, LATENCY: {}}
        self.rolls: list[tuple[float, float]] = []
        self.began = time.monotonic()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, load: Load) -> None:
        """Takes samples from now on, in a thread, until `end`."""
        self.began = time.monotonic()
        self._thread = threading.Thread(target=self._sample, args=(load,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """No more samples."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()

    def _sample(self, load: Load) -> None:
        while not self._is_over.wait(LASTS_S / SAMPLES):
            self.take(time.monotonic() - self.began, load.taken())

    def take(self, at_s: float, took_ms: list[float]) -> None:
        """A sample of each figure; a node that does not run has none."""
        for node in self._nodes:
            if (pid := node.pid) is not None:
                self._add(MEMORY, f"node {node.id}", at_s, resident_mb(pid))
                self._add(DESCRIPTORS, f"node {node.id}", at_s, len(os.listdir(f"/proc/{pid}/fd")))
        if took_ms:
            self._add(LATENCY, "clients", at_s, sorted(took_ms)[int(len(took_ms) * 0.99)])

    def _add(self, bound: Bound, of: str, at_s: float, value: float) -> None:
        self.lines[bound].setdefault(of, []).append((round(at_s, 1), round(value, 2)))


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1000


@pytest.mark.claim("L4")
def test_memory_descriptors_and_latency_stay_flat(
    cluster: Cluster,
    client: Library,
    operator: Operator,
    names: Names,
    record: CheckRecord,
    require_fault: Callable[[str], None],
) -> None:
    nodes = tuple(node for node in cluster.nodes if isinstance(node, LocalNode))
    if not nodes:
        skip_for(Lack(Means.FAULTS, "the memory of its processes cannot be seen from here"))
    require_fault(roll.kind)
    topics = names.topic("events"), names.topic("table")
    for topic, config in zip(topics, (KEPT, COMPACTED), strict=True):
        operator.create_topic(topic, 2, config)
    load = Load(client.producer(cluster.bootstrap, SETTINGS, f"{topics[0]}-producer"), topics)
    rate = load.full_rate(FULL_S) / 2
    samples = Samples(nodes)
    run(cluster, load, samples, rate, record)

    judged = [flatness(line, bound, of) for bound in JUDGED for of, line in samples.lines[bound].items()]
    found = [one for one in judged if one is not None]
    record.measures = {
        "soak": {
            "rate": round(rate),
            "figures": {bound.figure: {"unit": bound.unit, "lines": lines} for bound, lines in samples.lines.items()},
            "rolls": samples.rolls,
            "judged": [one.data() for one in found],
        }
    }
    if len(found) < len(judged) or not found:
        raise Unproven("there are too few samples in the second half of the run")
    require([one.sentence for one in found if not one.is_flat], [], "what grew in the second half of the run")
    require(load.failed, 0, "the number of records that were given up")


def run(cluster: Cluster, load: Load, samples: Samples, rate: float, record: CheckRecord) -> None:
    """Keeps up the load to the end, samples, and restarts the nodes in turn beside it."""
    samples.begin(load)
    began = samples.began
    due = [LASTS_S / 2 * (number + 1) / (ROLLS + 1) for number in range(ROLLS)]
    rolling: threading.Thread | None = None
    sent = 0
    while (at_s := time.monotonic() - began) < LASTS_S:
        sent = max(sent, int((at_s - MOST_BEHIND_S) * rate))
        while sent < at_s * rate:
            load.send()
            sent += 1
        if due and at_s >= due[0] and (rolling is None or not rolling.is_alive()):
            due.pop(0)
            record.faults += 1
            rolling = threading.Thread(target=restart_all, args=(cluster, samples), daemon=True)
            rolling.start()
        time.sleep(0.01)
    samples.end()
    if rolling is not None:
        rolling.join()


def restart_all(cluster: Cluster, samples: Samples) -> None:
    """Restarts each node, and waits until the cluster is healthy before the next."""
    began = samples.began
    begin_s = time.monotonic() - began
    for node in cluster.nodes:
        node.stop()
        node.start()
        node.wait_ready()
        cluster.wait_healthy()
    samples.rolls.append((round(begin_s, 1), round(time.monotonic() - began, 1)))
