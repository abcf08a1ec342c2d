"""How long are messages kept?

**Claim** Each use has its own time: alerts are kept for a day, logs for seven, orders for thirty, and what matters most
for ever (retention.ms=-1). Set with kafka-configs on topics that hold messages of all ages, each topic soon begins with
its oldest message that is young enough, as kafka-get-offsets prints; what is younger stays, and is read.

**Why it matters** It is one of the first questions about Kafka: a day for alerts, for ever for audits, and no other
store has both.

**Kafka says** topic configuration retention.ms; documentation, "Basic Kafka Operations".

**Cannot see** a month that passes: the messages are given old timestamps. Each stands in a segment of its own, which is
what is deleted.

**Rejects** tests/plants/deletes_what_is_kept_for_ever.py
"""

from __future__ import annotations

from typing import Final

import pytest

from checks.walkthrough.watched_logs import WatchedLogs
from harness.clients.client import Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.operators.operator import Operator
from harness.clients.transfer import Outgoing, produce, read_partitions
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.targets.kafka_tools import Java, succeed
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Retention"),
    pytest.mark.needs("java"),
    pytest.mark.document(
        "topic configuration retention.ms", "https://kafka.apache.org/documentation/#topicconfigs_retention.ms"
    ),
    pytest.mark.document("Kafka documentation, Basic Kafka Operations", "https://kafka.apache.org/documentation/"),
]
DAY_MS: Final = 86_400_000
AGES: Final = {"a year": 365, "forty days": 40, "ten days": 10, "two days": 2, "now": 0}
"""The messages of each topic, oldest first: what they are called, and their age in days."""
KEPT: Final = {"alerts": ("1", 4), "logs": ("7", 3), "orders": ("30", 2), "audit": ("for ever", 0)}
"""Topic → (days, the offset of its oldest message that is young enough)."""
WITHIN_S: Final = 20.0


@pytest.mark.claim("R2", "R3")
@pytest.mark.setting("retention.ms")
def test_each_topic_keeps_its_messages_for_its_own_time(
    cluster: Cluster,
    client: Library,
    admin: RawAdmin,
    operator: Operator,
    names: Names,
    record: CheckRecord,
    java: Java,
) -> None:
    now_ms = int(time.time() * 1000)
    old = [
        Outgoing(value=words.encode(), partition=0, timestamp=now_ms - days * DAY_MS) for words, days in AGES.items()
    ]
    topics = {label: names.topic(label) for label in KEPT}
    for topic in topics.values():
        operator.create_topic(topic, config={"retention.ms": "-1", "segment.ms": "3600000"})
        for message in old:  # each its own batch: a segment is closed between batches
            produce(client, cluster.bootstrap, topic, [message])
    watched = WatchedLogs(cluster, admin, record, *topics.values())

    for label, (days, _) in KEPT.items():
        time_ms = "-1" if days == "for ever" else str(int(days) * DAY_MS)
        entity = ("--bootstrap-server", cluster.bootstrap, "--entity-type", "topics", "--entity-name", topics[label])
        watched.tell(f"{label}: {days}{'' if days == 'for ever' else ' d'}")
        changed = java.tool(java.config_command, *entity, "--alter", "--add-config", f"retention.ms={time_ms}")
        succeed(changed, "kafka-configs --alter")

    wanted = {label: start for label, (_, start) in KEPT.items()}
    watched.until(
        lambda: {label: watched.start_of(topic) for label, topic in topics.items()} == wanted,
        WITHIN_S,
        f"the topics start at {wanted}",
    )
    printed = java.tool("GetOffsetShell", "--bootstrap-server", cluster.bootstrap, "--time", "earliest")
    lines = succeed(printed, "kafka-get-offsets --time earliest").splitlines()
    for label, topic in topics.items():
        require(f"{topic}:0:{wanted[label]}" in lines, True, f"that kafka-get-offsets prints the start of {label}")
        kept = list(AGES)[wanted[label] :]
        found = read_partitions(client, cluster.bootstrap, topic, 1, len(kept))
        require([(one.value or b"").decode() for one in found], kept, f"the messages that {label} still holds")
