"""Deleted records stay deleted.

**Claim** After DeleteRecords the partition starts at the low watermark in the answer. After a clean restart it still
starts there, and records below it are not served.

**Why it matters** Records are deleted because the law, or a customer, asked for it.

**Kafka says** KIP-107; kafka-delete-records.sh.

**Cannot see** whether disk space was freed. A kill: log start offsets are checkpointed once a minute
(log.flush.start.offset.checkpoint.interval.ms), and Kafka promises no more than that.

**Rejects** tests/plants/log_start_forgotten_on_restart.py
"""

from __future__ import annotations

import pytest

from harness.clients.client import Library
from harness.clients.leader_connections import LeaderConnections, RawAdmin
from harness.clients.operators.operator import Operator
from harness.clients.transfer import Outgoing, produce, read_partitions
from harness.comparing.request_forms import fetch
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode

pytestmark = [pytest.mark.feature("DeleteRecords"), pytest.mark.severity("critical"), pytest.mark.kip(107)]


def refusal_of_fetch(bootstrap: str, topic: str, offset: int) -> str:
    """The name of the error with which the leader of partition 0 answers a Fetch from this offset."""
    view = LeaderConnections(bootstrap, "deleted")
    try:
        connection = view.leader(topic, 0)
        answer = connection.request(ApiKey.FETCH, connection.highest(ApiKey.FETCH, 12), fetch(topic, offset))
    finally:
        view.forget()
    return ErrorCode(answer.responses[0].partitions[0].error_code).name


@pytest.mark.claim("R4")
def test_deleted_records_stay_deleted(
    cluster: Cluster,
    client: Library,
    admin: RawAdmin,
    operator: Operator,
    names: Names,
    strike: Strike,
) -> None:
    topic = names.topic("customers")
    operator.create_topic(topic)
    produce(client, cluster.bootstrap, topic, [Outgoing(value=b"%d" % number, partition=0) for number in range(30)])

    low_watermark = operator.delete_records(topic, 0, before=12)
    require(low_watermark, 12, "the low watermark that DeleteRecords answered")
    require(admin.offsets(topic, 0), (12, 30), "the log after the deletion (its start, its end)")
    strike("restart", topic=topic)

    require(admin.offsets(topic, 0), (12, 30), "the log after the restart (its start, its end)")
    refused = refusal_of_fetch(cluster.bootstrap, topic, offset=11)
    require(refused, "OFFSET_OUT_OF_RANGE", "the answer to a Fetch of the last deleted record")
    found = read_partitions(client, cluster.bootstrap, topic, 1, 18)
    seen = [(record.offset, record.value) for record in found]
    require(seen, [(n, b"%d" % n) for n in range(12, 30)], "what a reader finds from the start (offset, value)")
