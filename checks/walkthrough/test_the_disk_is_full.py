"""The disk is full: what now?

**Claim** The usual remedies work while the cluster runs. A shorter retention.ms, set with kafka-configs, deletes what
is older; retention.bytes limits what a partition takes, to within a segment; and the space comes back, as
kafka-log-dirs prints it and as the files of the folder say. What is younger stays, is read, and is written on.

**Why it matters** It happens at night, and whoever is called has the command line and no time to restart brokers.

**Kafka says** topic configurations retention.ms, retention.bytes, file.delete.delay.ms; documentation, "Basic Kafka
Operations".

**Cannot see** a disk on which nothing can be written any more: durability/full_disks fills one.

**Rejects** tests/plants/keeps_files_of_deleted_segments.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from checks.walkthrough.watched_logs import WatchedLogs
from harness.clients.client import Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.operators.operator import Operator
from harness.clients.transfer import Outgoing, produce, read_partitions
from harness.hosts import cluster_time as time
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.targets.kafka_tools import Java, succeed
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Retention"),
    pytest.mark.needs("java"),
    pytest.mark.document(
        "topic configuration retention.bytes", "https://kafka.apache.org/documentation/#topicconfigs_retention.bytes"
    ),
    pytest.mark.document("Kafka documentation, Basic Kafka Operations", "https://kafka.apache.org/documentation/"),
]
MIB: Final = 1 << 20
DAY_MS: Final = 86_400_000
DAYS: Final = tuple(range(20, -1, -1))
"""A message of half a megabyte for each of the last days: a segment holds two of them."""
HALF: Final = MIB // 2 - 2_000
WITHIN_S: Final = 20.0


@pytest.mark.claim("R2", "R3", "R13")
@pytest.mark.setting("retention.ms", "retention.bytes", "file.delete.delay.ms")
def test_shorter_retention_and_a_limit_bring_the_space_back(
    cluster: Cluster,
    client: Library,
    admin: RawAdmin,
    operator: Operator,
    names: Names,
    record: CheckRecord,
    java: Java,
    tmp_path: Path,
) -> None:
    topic = names.topic("my-topic")
    # The files of deleted segments stay for a minute by default; the space is wanted sooner.
    config = {"retention.ms": str(30 * DAY_MS), "segment.bytes": str(MIB), "file.delete.delay.ms": "1000"}
    operator.create_topic(topic, config=config)
    now_ms = int(time.time() * 1000)
    settings = ClientSettings(compression="none")
    for day in DAYS:
        message = Outgoing(value=bytes([65 + day]) * HALF, partition=0, timestamp=now_ms - day * DAY_MS)
        produce(client, cluster.bootstrap, topic, [message], settings)
    watched = WatchedLogs(cluster, admin, record, topic)
    full = printed_size(java, cluster, topic)
    require(full > 10 * MIB, True, f"that the log takes ten megabytes (it takes {full:,} bytes)")

    watched.tell("retention.ms: 30 d → 7 d")
    alter(java, cluster, topic, f"retention.ms={7 * DAY_MS}")
    # Of the message of each day, those of the last seven are kept, and one more that shares a segment with them.
    watched.until(lambda: len(DAYS) - watched.start_of(topic) <= 8, WITHIN_S, "a week is kept")
    require(len(DAYS) - watched.start_of(topic) >= 7, True, "that the messages of seven days are kept")
    watched.until(lambda: bytes_of_files(cluster, topic, tmp_path, watched) < full // 2, WITHIN_S, "half of it is free")

    watched.tell("retention.bytes: 2 MiB")
    alter(java, cluster, topic, f"retention.bytes={2 * MIB}")
    watched.until(lambda: watched.bytes_of(topic) < 3 * MIB, WITHIN_S, "it takes two megabytes and a segment at most")
    require(watched.bytes_of(topic) >= 2 * MIB, True, "that it is not cut below its limit")
    watched.until(
        lambda: bytes_of_files(cluster, topic, tmp_path, watched) < 3 * MIB, WITHIN_S, "the files have gone as well"
    )
    size = printed_size(java, cluster, topic)
    require(size, watched.bytes_of(topic), "the size that kafka-log-dirs prints")

    start = watched.start_of(topic)
    produce(client, cluster.bootstrap, topic, [Outgoing(value=b"goes on", partition=0)])
    found = read_partitions(client, cluster.bootstrap, topic, 1, len(DAYS) + 1 - start)
    require([one.offset for one in found], list(range(start, len(DAYS) + 1)), "the offsets that are read then")


def alter(java: Java, cluster: Cluster, topic: str, change: str) -> None:
    """kafka-configs --alter --add-config."""
    entity = ("--bootstrap-server", cluster.bootstrap, "--entity-type", "topics", "--entity-name", topic)
    succeed(java.tool(java.config_command, *entity, "--alter", "--add-config", change), "kafka-configs --alter")


def printed_size(java: Java, cluster: Cluster, topic: str) -> int:
    """What kafka-log-dirs prints for the topic's partition."""
    asked = ("--bootstrap-server", cluster.bootstrap, "--describe", "--topic-list", topic)
    output = succeed(java.tool("LogDirsCommand", *asked), "kafka-log-dirs --describe")
    told = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    folders = [folder for broker in told["brokers"] for folder in broker["logDirs"]]
    return sum(int(one["size"]) for folder in folders for one in folder["partitions"])


def bytes_of_files(cluster: Cluster, topic: str, scratch: Path, watched: WatchedLogs) -> int:
    """What the files of the partition take, deleted ones too; what the broker says where they are out of reach."""
    if not cluster.nodes:
        return watched.bytes_of(topic)
    files = [
        path
        for node in cluster.nodes
        for folder in node.fetch_log_dirs(scratch / str(time.time_ns()))
        for path in (folder / f"{topic}-0").glob("*.log*")
    ]
    return sum(path.stat().st_size for path in files if path.exists())
