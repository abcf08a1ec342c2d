"""Records that could be read before a restart are read again after it.

**Claim** After a clean restart, and after a kill, a topic holds the same records at the same offsets as before,
including every acknowledged record. Its log is intact: each batch has a valid CRC, and starts at the offset where the
one before it ends.

**Why it matters** Upgrades stop brokers cleanly every few weeks, and crashes stop them without warning. Consumers that
start again must find the records on which others have already acted.

**Kafka says** documentation, "Persistence" and "Graceful shutdown"; producer configuration acks.

**Cannot see** how long recovery takes, and whether a clean restart skips it. A torn write: nothing is being written
when the fault comes, and the page cache survives the kill.

**Rejects** tests/plants/empties_logs_after_a_crash.py, tests/plants/takes_a_damaged_tail_for_whole.py,
tests/plants/truncates_a_good_batch_on_recovery.py
"""

from __future__ import annotations

import pytest

from harness.clients.client import Library
from harness.clients.operators.operator import Operator
from harness.clients.stored_batches import stored_batches
from harness.clients.transfer import Outgoing, send_all
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster
from harness.workloads.queue import Queue

SETTINGS = ClientSettings(acks="1", is_idempotent=False)
pytestmark = [
    pytest.mark.feature("Fetch"),
    pytest.mark.severity("blocker"),
    pytest.mark.document("producer configuration acks", "https://kafka.apache.org/documentation/#producerconfigs_acks"),
    pytest.mark.document("Kafka documentation, Persistence", "https://kafka.apache.org/documentation/"),
    pytest.mark.document("Kafka documentation, Graceful shutdown", "https://kafka.apache.org/documentation/"),
]
SENDINGS, A_SENDING = 12, 25


@pytest.mark.claim("D1", "D8", "O1", "O2")
@pytest.mark.parametrize("fault", ["kill", "restart"])
def test_read_back_after_restart(drive: Drive, names: Names, fault: str) -> None:
    queue = Queue(topic=names.topic("ledger"), partitions=3, producers=3, rate=500, client=SETTINGS)

    drive(queue, at_end=[fault], duration_s=2)


@pytest.mark.claim("D9")
@pytest.mark.parametrize("fault", ["kill", "restart"])
def test_a_log_is_whole_after_a_restart(
    cluster: Cluster, client: Library, operator: Operator, names: Names, strike: Strike, fault: str
) -> None:
    """After a restart every batch in the log has a valid CRC, and starts at the offset where the one before it ends."""
    topic = names.topic("ledger")
    operator.create_topic(topic)
    values = [b"entry %d" % number for number in range(SENDINGS * A_SENDING)]
    producer = client.producer(cluster.bootstrap, SETTINGS, f"{topic}-producer")
    for first in range(0, len(values), A_SENDING):
        send_all(producer, topic, [Outgoing(value=value, partition=0) for value in values[first:][:A_SENDING]])
    producer.close()
    before = [batch.header for batch in stored_batches(cluster.bootstrap, topic, 0)]

    strike(fault, topic=topic)

    batches = stored_batches(cluster.bootstrap, topic, 0)
    end = 0
    for batch in batches:
        where = f"the batch at offset {batch.header.base_offset}"
        require(batch.header.base_offset, end, f"the first offset of {where}")
        require(batch.crc_is_valid(), True, f"whether {where} has the checksum of its bytes")
        end = batch.header.next_offset
    require([batch.header for batch in batches], before, f"the headers of the batches after the {fault}")
    held = [record.value for batch in batches for record in batch.records()]
    require(held, values, "the values in the log, in order,")
