"""Three nodes of each broker: from nothing to a replicated topic, memory, acks=all, and how long a failover takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.clients import Confluent
from bench.gaps import cut_off, gap_s, kill, librdkafka_gap_s
from bench.process import cpu_seconds, resident_mb
from bench.subjects import KAFKA, SERVER_OPTIONS, SETTINGS
from bench.table import Goal, Row, Table, at_most, ratio_at_least, ratio_at_most
from harness.hosts.host import HostTrouble
from harness.targets.kafka_process import KafkaProcessTarget
from harness.targets.local_cluster import LocalCluster
from harness.targets.reference import ReferenceTarget
from harness.targets.target import ClusterSpec

TOPIC = "bench-replicated"
NODES = 3
SIZE = 1000
REPLICATED = {**SETTINGS, "min.insync.replicas": "2", "offsets.topic.replication.factor": "3"}
QUICK_SESSIONS = {"broker.session.timeout.ms": "1000", "broker.heartbeat.interval.ms": "200"}
_LIMIT_S = 90.0
_EVERY_S = 0.02

Targets = tuple[tuple[str, ReferenceTarget | KafkaProcessTarget], ...]


def targets() -> Targets:
    """Both brokers; Kafka as its own start script runs it."""
    return (
        ("reference", ReferenceTarget()),
        ("kafka", KafkaProcessTarget(f"kafka@{KAFKA}", KAFKA, java_options=SERVER_OPTIONS)),
    )


def measure(table: Table, *, rounds: int, megabytes: int) -> None:
    """Add the rows. Clusters are opened one after the other: three JVMs leave nothing of a small machine."""
    table.heading("Three nodes")
    rows: dict[str, dict[str, list[float]]] = {}
    units: dict[str, tuple[str, Goal]] = {}

    def note(who: str, name: str, unit: str, goal: Goal, value: float) -> None:
        rows.setdefault(name, {}).setdefault(who, []).append(value)
        units[name] = unit, goal

    for _ in range(rounds):
        for who, target in targets():
            if (lack := target.lack(ClusterSpec(nodes=NODES))) is not None:
                table.note(f"not measured: {lack}")
                continue
            begin = time.perf_counter()
            with opened(target, REPLICATED) as cluster:
                read_s = write_and_read(cluster.bootstrap) - begin
                note(who, "from nothing to a replicated record read", "s", ratio_at_most(0.5), read_s)
                note(who, "resident, the largest node", "MB", at_most(60), max(map(resident_mb, pids(cluster))))
                rate, cpu = throughput(cluster, megabytes)
                note(who, f"produce {SIZE} B, acks=all, 3 replicas", "records/s", ratio_at_least(1.0), rate)
                note(who, "  servers' CPU", "s/GB", ratio_at_most(0.5), cpu)
                note(who, "controller killed: until a topic is made", "s", ratio_at_most(1.0), controller_gap(cluster))
            for what, fault in (("killed", kill), ("cut off", cut_off)):
                with opened(target, REPLICATED) as cluster:
                    value = gap_s(cluster, fault)
                    note(who, f"leader {what}: no acknowledgement for", "s", ratio_at_most(1.0), value)
                with opened(target, {**REPLICATED, **QUICK_SESSIONS}) as cluster:
                    note(who, f"leader {what}, sessions of 1 s", "s", at_most(1.5), gap_s(cluster, fault))
            with opened(target, {**REPLICATED, **QUICK_SESSIONS}) as cluster:
                note(who, "  killed, as librdkafka sees it", "s", ratio_at_most(1.0), librdkafka_gap_s(cluster))
        begin = time.perf_counter()
        with dev_nodes() as bootstrap:
            read_s = write_and_read(bootstrap) - begin
            note("reference", "`dev --nodes 3`: until a replicated record is read", "s", at_most(1.5), read_s)
    for name, found in rows.items():
        unit, goal = units[name]
        reference, kafka = (statistics.median(found[who]) if who in found else None for who in ("reference", "kafka"))
        table.add(Row(name=name, unit=unit, reference=reference, kafka=kafka, goal=goal))


@contextmanager
def opened(target: ReferenceTarget | KafkaProcessTarget, config: dict[str, str]) -> Iterator[LocalCluster]:
    """A healthy cluster of three; closed at the end."""
    cluster = target.open(ClusterSpec(nodes=NODES, config=config))
    try:
        yield cluster
    finally:
        cluster.close()


def pids(cluster: LocalCluster) -> list[int]:
    """The processes of its nodes. HostTrouble when one has ended."""
    found = [node.pid for node in cluster.nodes]
    if None in found:
        raise HostTrouble("a node has ended")
    return [pid for pid in found if pid is not None]


def write_and_read(bootstrap: str) -> float:
    """One record to a new topic on three nodes, and back; when it was read, as a performance counter."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    admin.create_topics([NewTopic(TOPIC, 1, NODES)])[TOPIC].result(_LIMIT_S)
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 0})
    producer.produce(TOPIC, b"1")
    if producer.flush(_LIMIT_S):
        raise TimeoutError("the first record was not acknowledged")
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench"})
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    message = consumer.poll(_LIMIT_S)
    read = time.perf_counter()  # the close looks for a coordinator, which nobody here waits for
    consumer.close()
    if message is None:
        raise TimeoutError("the first record was not read")
    return read


@contextmanager
def dev_nodes() -> Iterator[str]:
    """The bootstrap addresses of three nodes of `python -m reference_broker dev`, which end with this."""
    command = [sys.executable, "-m", "reference_broker", "dev", "--nodes", str(NODES), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            said = process.stdout.readline() if process.stdout is not None else ""
            yield said.strip().removeprefix("bootstrap.servers=")
        finally:
            process.terminate()


def throughput(cluster: LocalCluster, megabytes: int) -> tuple[float, float]:
    """(records a second, processor seconds of all nodes a GB) with acks=all, after a warm-up of a tenth."""
    records = megabytes * 1_000_000 // SIZE
    client = Confluent()
    client.produce(cluster.bootstrap, TOPIC, records=records // 10, size=SIZE, acks="all")
    before = sum(map(cpu_seconds, pids(cluster)))
    rate = client.produce(cluster.bootstrap, TOPIC, records=records, size=SIZE, acks="all")
    return rate, (sum(map(cpu_seconds, pids(cluster))) - before) / (records * SIZE / 1e9)


def controller_gap(cluster: LocalCluster) -> float:
    """From the kill of the active controller until a topic can be made."""
    controller = cluster.view().active_controller
    begin = time.perf_counter()
    next(node for node in cluster.nodes if node.id == controller).kill()
    others = ",".join(f"{node.address[0]}:{node.address[1]}" for node in cluster.nodes if node.id != controller)
    while True:
        name = f"after-{time.perf_counter_ns()}"
        admin = AdminClient({"bootstrap.servers": others, "log_level": 0})
        try:
            admin.create_topics([NewTopic(name, 1, 2)], request_timeout=2.0)[name].result(2.5)
        except Exception as trouble:  # librdkafka's own, and time-outs of the future
            if time.perf_counter() - begin > _LIMIT_S:
                raise TimeoutError(f"no topic could be made: {trouble}") from trouble
            time.sleep(_EVERY_S)
        else:
            return time.perf_counter() - begin
