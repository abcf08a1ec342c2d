"""Deleted records stay deleted.

**Claim** After DeleteRecords the partition starts at the low watermark that was answered, nothing below it is served,
and this is still so after a clean restart.

**Why it matters** Records are deleted because the law, or a customer, asked for it.

**Kafka says** KIP-107; kafka-delete-records.sh.

**Cannot see** whether the disk was freed. A kill: the checkpoint of log starts is written every minute
(log.flush.start.offset.checkpoint.interval.ms), and Kafka does not promise more.

**Rejects** tests/plants/log_start_forgotten_on_restart.py,
tests/unit/harness/judging/checkers/test_queue_checkers.py::test_a_checker_rejects_its_anomaly
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.clients.client import Library
from harness.clients.cluster_view import RawAdmin
from harness.clients.operator import Operator
from harness.clients.transfer import Outgoing, produce, read_partitions
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [pytest.mark.feature("DeleteRecords"), pytest.mark.severity("critical")]


@pytest.mark.claim("R4")
def test_deleted_records_stay_deleted(
    cluster: Cluster,
    client: Library,
    admin: RawAdmin,
    operator: Operator,
    names: Names,
    strike: Callable[[str], None],
) -> None:
    topic = names.topic("customers")
    operator.create_topic(topic)
    produce(client, cluster.bootstrap, topic, [Outgoing(value=b"%d" % number, partition=0) for number in range(30)])

    low_watermark = operator.delete_records(topic, 0, before=12)
    strike("restart")

    require(low_watermark, 12, "the low watermark that DeleteRecords answered")
    require(admin.offsets(topic, 0), (12, 30), "the log after the restart (its start, its end)")
    found = read_partitions(client, cluster.bootstrap, topic, 1, 18)
    seen = [(record.offset, record.value) for record in found]
    require(seen, [(n, b"%d" % n) for n in range(12, 30)], "what a reader finds from the start (offset, value)")
