"""Simulated clusters: the same seed gives the same history, byte for byte, in any process; faults act on them."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import NodeClient
from harness.clients.raw import Raw
from harness.history.files import HistoryWriter, read_history
from harness.hosts.executor import using
from harness.judging.guarantees import ClientSettings, Guarantees
from harness.judging.verdicts import Validity
from harness.replicas.collecting import require_equal_replicas
from harness.runs.run import run
from harness.targets.target import ClusterSpec, resolve
from harness.workloads.queue import Queue, judge
from nemesis import every, exactly, isolate_leader, kill, leader, membership, partition, restart

QUEUE = Queue(topic="orders", rate=20, client=ClientSettings(in_flight=1))


def history_of(seed: str, path: Path) -> Guarantees:
    """Runs a workload under a kill and a split on three nodes; what its settings promise."""
    cluster = resolve("simulated").open(ClusterSpec(nodes=3, seed=seed))
    with using(cluster.executor):
        finished = run(
            QUEUE,
            cluster,
            Raw(),
            writer=HistoryWriter(path, clock_ns=cluster.executor.now_ns, started_at_ms=cluster.executor.wall_ms()),
            seed=seed,
            duration_s=10.0,
            faults=[kill(leader), partition(isolate_leader)],
            hold_s=1.0,
            replicas=3,
            topic_config={"min.insync.replicas": "2"},
        )
    cluster.close()
    return Guarantees.of(QUEUE.client, finished.topic)


def digest(seed: str, path: Path) -> str:
    history_of(seed, path)
    return sha256(path.read_bytes()).hexdigest()


def test_the_same_seed_gives_the_same_history_in_any_process(tmp_path: Path) -> None:
    rules = history_of("1/orders", tmp_path / "here.jsonl")
    program = f"from pathlib import Path; from {__name__} import digest; print(digest('1/orders', Path('there.jsonl')))"
    there = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )

    assert there.stdout.strip() == sha256((tmp_path / "here.jsonl").read_bytes()).hexdigest()
    verdicts = judge(read_history(tmp_path / "here.jsonl"), rules)
    assert {one.validity for one in verdicts} == {Validity.VALID}


def test_another_seed_gives_another_cluster() -> None:
    ends = []
    for seed in ("1", "2"):
        cluster = resolve("simulated").open(ClusterSpec(nodes=3, seed=seed))
        ends.append(cluster.executor.now_ns())
        cluster.close()

    assert ends[0] != ends[1]


def test_a_node_that_is_off_cannot_be_paused() -> None:
    cluster = resolve("simulated").open(ClusterSpec(nodes=1, seed="off"))
    with using(cluster.executor):
        cluster.nodes[0].stop()

        with pytest.raises(Exception, match="node 1 is not running, and cannot be paused"):
            cluster.nodes[0].pause()


def test_a_node_that_is_replaced_by_an_empty_one_copies_all_again() -> None:
    cluster = resolve("simulated").open(ClusterSpec(nodes=3, seed="empty"))
    with using(cluster.executor):
        admin = RawAdmin(cluster.bootstrap)
        admin.create_topic("orders", 1, 3)
        with NodeClient(cluster.nodes[0].address) as client:
            leader = next(node for node in cluster.nodes if node.id == client.topic("orders").partitions[0].leader_id)
        with NodeClient(leader.address) as client:
            client.produce("orders", "before")
        fault = membership(exactly(next(node.id for node in cluster.nodes if node is not leader)))

        fault.inject(cluster, fault.plan(cluster.view(topics=()), Random(1)))
        fault.heal(cluster)
        fault.verify_healed(cluster)

        require_equal_replicas(cluster, "orders", 1)


def test_nodes_that_are_stopped_together_stop_without_a_kill() -> None:
    cluster = resolve("simulated").open(ClusterSpec(nodes=3, seed="all"))
    with using(cluster.executor):
        fault = restart(every)

        proof = fault.inject(cluster, fault.plan(cluster.view(topics=()), Random(1)))
        fault.heal(cluster)
        fault.verify_healed(cluster)

    assert proof == "no process of nodes 1, 2, 3 is running"
