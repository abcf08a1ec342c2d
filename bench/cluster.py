"""Three nodes of each broker: from nothing to a replicated topic, memory, acks=all, and how long a failover takes."""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.clients import Confluent
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
            with opened(target, REPLICATED) as cluster:
                note(who, "leader killed: no acknowledgement for", "s", ratio_at_most(1.0), leader_gap(cluster))
            with opened(target, {**REPLICATED, **QUICK_SESSIONS}) as cluster:
                note(who, "  with sessions of 1 s", "s", at_most(1.5), leader_gap(cluster))
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


def leader_gap(cluster: LocalCluster) -> float:
    """The longest time between two acknowledgements while the leader of a partition, which is not the active
    controller, is killed."""
    controller = cluster.view().active_controller
    first = next(node.id for node in cluster.nodes if node.id != controller)
    replicas = [first, *(node.id for node in cluster.nodes if node.id != first)]
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 3})
    topic = NewTopic(TOPIC, 1, replica_assignment=[replicas])
    admin.create_topics([topic])[TOPIC].result(_LIMIT_S)
    times: list[float] = []
    producer = Producer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "acks": "all",
            "linger.ms": 0,
            "retry.backoff.ms": 20,
            "retry.backoff.max.ms": 100,
            "reconnect.backoff.max.ms": 100,
            "topic.metadata.refresh.fast.interval.ms": 50,
            "log_level": 0,
        }
    )

    def acknowledged(error: object, message: object) -> None:
        if error is None:
            times.append(time.perf_counter())

    def keep_on(until: Callable[[], bool]) -> None:
        deadline = time.perf_counter() + _LIMIT_S
        while not until():
            if time.perf_counter() > deadline:
                raise TimeoutError("nothing was acknowledged after the fault")
            producer.produce(TOPIC, b"x", on_delivery=acknowledged)
            producer.poll(_EVERY_S)

    keep_on(lambda: len(times) > 50)
    next(node for node in cluster.nodes if node.id == first).kill()
    killed = time.perf_counter()
    keep_on(lambda: sum(one > killed + _EVERY_S for one in times[-100:]) > 50)
    after = [one for one in times if one <= killed][-1:] + [one for one in times if one > killed]
    return max(second - first for first, second in itertools.pairwise(after))


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
