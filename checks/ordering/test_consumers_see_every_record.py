"""A consumer sees every record, in order.

**Claim** Within one assignment a member of a group sees the records of a partition in the order of offsets, without a
gap and without going back; after an assignment it starts where its group committed, or at the start where it committed
nothing; a consumer that seeks reads on from there; and each of two groups that share a topic is given, taken as a
whole, every record that it commits.

**Why it matters** Whoever builds a table from a topic builds it wrong after one skipped record.

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
@pytest.mark.parametrize("client", ["confluent", "kafka_python", "aiokafka"], indirect=True)
def test_consumers_see_every_record(drive: Drive, names: Names) -> None:
    """Two groups that share a topic each see every record that was acknowledged."""
    settings = ClientSettings(consumers="subscribe", commit="sync")
    queue = Queue(
        topic=names.topic("clicks"), partitions=2, consumers=4, groups=2, rate=200, rejoin_s=2.0, client=settings
    )

    drive(queue, duration_s=3)


@pytest.mark.claim("O3")
@pytest.mark.parametrize("client", ["confluent", "kafka_python", "aiokafka"], indirect=True)
def test_a_consumer_reads_on_from_where_it_seeks(drive: Drive, names: Names) -> None:
    """Consumers without a group go back, time and again, to offsets that they have read."""
    queue = Queue(topic=names.topic("clicks"), partitions=2, rate=200, seek_s=0.4, needs=Needs(seeks=2))

    drive(queue, duration_s=3)
