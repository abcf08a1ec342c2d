"""A consumer sees every record, in order.

**Claim** Within one assignment a group member reads the records of a partition in the order of their offsets, without
gaps and without going back. After an assignment it starts at the group's committed offset, or at the start of the log
if there is none. A consumer that seeks continues from the new position. If two groups read the same topic, the members
of each group have together read every record below its committed offsets.

**Why it matters** A table that is built from a topic is wrong after one skipped record.

**Kafka says** consumer API; documentation, "Consumer Position".

**Cannot see** redelivery after a rebalance, which Kafka allows.

**Rejects** tests/plants/skips_a_batch.py
"""

from __future__ import annotations

import pytest

from harness.judging.activity import Needs
from harness.judging.guarantees import ClientSettings
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.workloads.queue import Queue

pytestmark = [
    pytest.mark.feature("Fetch"),
    pytest.mark.severity("critical"),
    pytest.mark.document("Kafka documentation, Consumer Position", "https://kafka.apache.org/documentation/"),
]


@pytest.mark.claim("O3", "G9")
@pytest.mark.parametrize("client", ["confluent", "kafka_python", "aiokafka", "raw"], indirect=True)
def test_consumers_see_every_record(drive: Drive, names: Names) -> None:
    """Two groups read the same topic: the members of each together read every record below its committed offsets, in
    order."""
    settings = ClientSettings(consumers="subscribe", commit="sync")
    queue = Queue(
        topic=names.topic("clicks"), partitions=2, consumers=4, groups=2, rate=200, rejoin_s=2.0, client=settings
    )

    drive(queue, duration_s=3)


@pytest.mark.claim("O3")
@pytest.mark.parametrize("client", ["confluent", "kafka_python", "aiokafka", "raw"], indirect=True)
def test_a_consumer_reads_on_from_where_it_seeks(drive: Drive, names: Names) -> None:
    """Consumers without a group, which repeatedly seek back to offsets that they have read, continue from there."""
    queue = Queue(topic=names.topic("clicks"), partitions=2, rate=200, seek_s=0.4, needs=Needs(seeks=2))

    drive(queue, duration_s=3)
