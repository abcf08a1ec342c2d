"""Reads the replicas of a partition from the log dirs of a cluster's nodes, and requires that they are equal."""

from __future__ import annotations

from collections.abc import Sequence

from harness.clients.leader_connections import RawAdmin
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise, Unproven
from harness.replicas.divergence import divergences
from harness.replicas.metadata_log import TOPIC, MetadataLog, read_metadata_log
from harness.replicas.replica_log import ReplicaLog, UnreadableLog, read_replica
from harness.targets import leftovers
from harness.targets.target import Cluster, TargetTrouble

_SETTLE_S = 10.0
_METADATA_SETTLE_S = 30.0
"""Time for a former quorum leader to find the new one, truncate its log, and fetch the rest."""


def replicas_of(cluster: Cluster, topic: str, partition: int, nodes: Sequence[int]) -> list[ReplicaLog]:
    """The replicas of a partition on these nodes. TargetTrouble if their log dirs cannot be read from this machine."""
    found = []
    with leftovers.temporary_folder() as copies:
        for node in cluster.nodes:
            if node.id in nodes:
                folders = node.fetch_log_dirs(copies)
                if not folders:
                    raise TargetTrouble(f"the log folders of node {node.id} cannot be read from here")
                holds = [folder for folder in folders if (folder / f"{topic}-{partition}").is_dir()]
                try:
                    found.append(read_replica(node.id, (holds or folders)[0], topic, partition))
                except UnreadableLog as trouble:
                    raise TargetTrouble(str(trouble)) from trouble
    return found


def metadata_logs_of(cluster: Cluster, nodes: Sequence[int] | None = None) -> list[MetadataLog]:
    """The metadata logs of these nodes, or of all. TargetTrouble if their log dirs cannot be read from this machine."""
    found = []
    with leftovers.temporary_folder() as copies:
        for node in cluster.nodes:
            if nodes is None or node.id in nodes:
                folders = node.fetch_log_dirs(copies)
                if not folders:
                    raise TargetTrouble(f"the log folders of node {node.id} cannot be read from here")
                try:
                    found.append(read_metadata_log(node.id, folders[0]))
                except UnreadableLog as trouble:
                    raise TargetTrouble(str(trouble)) from trouble
    return found


def require_equal_metadata_logs(cluster: Cluster, nodes: Sequence[int]) -> None:
    """Waits up to 30 s until the metadata logs of these nodes are equal up to the end of the longest one at the start.

    BrokenPromise (M2) if they are not; Unproven if one of them is empty; TargetTrouble if they cannot be read.
    """
    deadline, reached = time.monotonic() + _METADATA_SETTLE_S, -1
    while True:
        is_last = time.monotonic() > deadline
        try:
            logs = replicas_of(cluster, TOPIC, 0, nodes)
        except TargetTrouble:  # perhaps a file was being written; try again
            if is_last:
                raise
            logs = []
        if len(logs) == len(nodes) and all(log.batches for log in logs):
            longest = max(logs, key=lambda log: log.log_end)
            reached = longest.log_end if reached < 0 else min(reached, longest.log_end)
            shortest = min(logs, key=lambda log: log.log_end)
            wrong = divergences(logs, min(reached, shortest.log_end))
            if not wrong and shortest.log_end >= reached:
                return
            if is_last:
                said = wrong[0].sentence if wrong else _behind(shortest, reached)
                witness = wrong[0].witness if wrong else ()
                raise BrokenPromise(f"The controllers' metadata logs differ: {said}.", witness=witness, claim="M2")
        elif is_last:
            raise Unproven(f"the metadata logs of {len(logs)} of {len(nodes)} nodes could be read, and hold something")
        time.sleep(0.3)


def _behind(log: ReplicaLog, reached: int) -> str:
    return (
        f"node {log.node} holds it up to offset {log.log_end} only, {_METADATA_SETTLE_S:g} s after another held it up "
        f"to {reached}"
    )


def require_equal_replicas(cluster: Cluster, topic: str, partitions: int) -> int:
    """Requires that the in-sync replicas of each partition are equal up to the high watermark; returns the number of
    batches compared. BrokenPromise (D6) if they are not equal within 10 s: a follower may write fetched records a
    little after the high watermark has advanced. Unproven if a partition has fewer than two in-sync replicas, or if
    there is no batch at all.

    Call it only while nobody writes to the topic.
    """
    compared = 0
    admin = RawAdmin(cluster.bootstrap)
    try:
        for partition in range(partitions):
            _, high_watermark = admin.offsets(topic, partition)
            nodes = cluster.view(topics=[topic]).isr[topic, partition]
            if len(nodes) < 2:
                raise Unproven(f"{topic}-{partition} has {len(nodes)} replicas in sync: there is nothing to compare")
            deadline = time.monotonic() + _SETTLE_S
            while True:
                logs = replicas_of(cluster, topic, partition, nodes)
                found = divergences(logs, high_watermark)
                if not found:
                    break
                if time.monotonic() > deadline:
                    first = found[0]
                    raise BrokenPromise(
                        f"{topic}-{partition}: {first.sentence}.",
                        witness=first.witness,
                        promise="the in-sync replicas of a partition hold the same batches below the high watermark",
                        anomaly=str(first.kind),
                        claim="D6",
                    )
                time.sleep(0.2)
            compared += sum(len(log.batches) for log in logs)
    finally:
        admin.close()
    if not compared:
        raise Unproven(f"the replicas of {topic} hold no batch: there is nothing to compare")
    return compared
