"""A consumer sees every record, in order.

**Claim** A consumer that follows a partition while it is written sees each record once, in the order of offsets,
without a gap and without going back; and so does each of two groups that share a topic, taken as a whole.

**Why it matters** Whoever builds a table from a topic builds it wrong after one skipped record.

**Kafka says** consumer API; documentation, "Consumer Position".

**Cannot see** redelivery after a rebalance, which Kafka allows.

**Rejects** tests/plants/skips_a_batch.py,
tests/unit/harness/judging/checkers/test_queue_checkers.py::test_a_checker_rejects_its_anomaly
"""

from __future__ import annotations

import pytest

from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import BrokenPromise
from harness.pytest_plugin.drive import Drive, Driven
from harness.pytest_plugin.names import Names
from harness.workloads.queue import Queue

pytestmark = [pytest.mark.feature("Fetch"), pytest.mark.severity("critical")]


@pytest.mark.claim("O3", "G9")
@pytest.mark.parametrize("client", ["confluent", "kafka_python", "aiokafka"], indirect=True)
def test_consumers_see_every_record(drive: Drive, names: Names) -> None:
    """Two groups that share a topic each see every record that was acknowledged."""
    settings = ClientSettings(consumers="subscribe", commit="sync")
    queue = Queue(topic=names.topic("clicks"), partitions=2, consumers=4, groups=2, rate=200, client=settings)

    driven = drive(queue, duration_s=3)

    for group in (0, 1):
        _require_all_seen(driven, [f"consumer {number}" for number in range(1, 5) if number % 2 == group])


def _require_all_seen(driven: Driven, members: list[str]) -> None:
    seen = {
        record.value
        for where in driven.evidence.partitions.values()
        for read in where.reads
        if read.operation.process in members
        for record in read.records
    }
    missed = [attempt for attempt in driven.evidence.acknowledged() if attempt.send.value not in seen]
    if missed:
        first = missed[0]
        raise BrokenPromise(
            f"{len(missed):,} acknowledged records were never given to the group of {', '.join(members)}.",
            witness=[f"the first: value {first.send.value} at {first.where[0]}-{first.where[1]} offset {first.offset}"],
        )
