"""A file that was damaged while the broker was down is repaired or refused; what it held is never served wrong.

**Claim** A broker that was killed starts on a segment, an index or a time index with a flipped bit or a cut-off end;
one that was stopped in order on a snapshot of producers or a checkpoint without its end. It either comes up, or ends by
itself; on the whole file it then comes up. Of the log it serves, every batch has the checksum of its bytes and starts
where the one before ends; the values are those that were sent, in order: all of them, or, where the only copy of a
segment was damaged, those before the damage. After a stop in order nobody reads a segment before it is served: a batch
that was damaged then is told by its checksum.

**Why it matters** Disks flip bits and file systems lose ends of files. What is repaired silently must be right, and
what cannot be repaired must not be handed to applications as if it were.

**Kafka says** KIP-98 (the checksum of a batch); consumer configuration check.crcs; Kafka documentation, "Log".

**Cannot see** A flipped bit in a checkpoint: these files are text without a checksum, and another number is believed.
One in a batch's base offset, size or leader epoch: no checksum covers them, and a larger offset is believed. One in an
index after a stop in order: only its size and last entry are looked at. The metadata log. Where a checkpoint of leader
epochs makes no sense, Kafka ends; the reference makes it anew from the batches.

**Rejects** tests/plants/takes_a_damaged_tail_for_whole.py, tests/plants/believes_a_torn_tail.py,
tests/plants/believes_a_damaged_checkpoint.py
"""

from __future__ import annotations

import pytest

from harness.clients.client import Library
from harness.clients.operators.operator import Operator
from harness.clients.stored_batches import stored_batches
from harness.clients.transfer import Outgoing, send_all
from harness.hosts import cluster_time as time
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster
from nemesis import Damaged, How, damage
from nemesis.node_specs import one
from reference_broker.wire.records import Batch

pytestmark = [
    pytest.mark.cluster(config={"auto.create.topics.enable": "false"}),
    pytest.mark.feature("Fetch"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(98),
    pytest.mark.document(
        "consumer configuration check.crcs", "https://kafka.apache.org/documentation/#consumerconfigs_check.crcs"
    ),
]
SENDINGS, A_SENDING = 30, 10
SEGMENT_MS = 1000
SETTINGS = ClientSettings(acks="all", is_idempotent=True)
REFUSED = (Damaged.HIGH_WATERMARK, Damaged.RECOVERY_POINT)
"""Checkpoints of a folder: one that makes no sense takes the folder offline, and a broker without another one ends."""
DAMAGES = (
    (Damaged.SEGMENT, How.FLIP),
    (Damaged.HIGH_WATERMARK, How.CUT),
    (Damaged.SEGMENT, How.CUT),
    (Damaged.INDEX, How.FLIP),
    (Damaged.INDEX, How.CUT),
    (Damaged.TIMEINDEX, How.FLIP),
    (Damaged.TIMEINDEX, How.CUT),
    (Damaged.SNAPSHOT, How.CUT),
    (Damaged.EPOCHS, How.CUT),
    (Damaged.RECOVERY_POINT, How.CUT),
)
SHORT = 2
"""How many of them are not left to `make nightly`."""


class Ledger:
    """A topic with records, as it was written, and the batches in it."""

    def __init__(self, cluster: Cluster, client: Library, operator: Operator, names: Names) -> None:
        self._cluster = cluster
        self.topic = names.topic("ledger")
        operator.create_topic(self.topic, config={"index.interval.bytes": "64", "segment.ms": str(SEGMENT_MS)})
        self.values = [b"entry %d" % number for number in range(SENDINGS * A_SENDING)]
        producer = client.producer(cluster.bootstrap, SETTINGS, f"{self.topic}-producer")
        for first in range(0, len(self.values), A_SENDING):
            if first == len(self.values) // 2:
                time.sleep(1.2 * SEGMENT_MS / 1000)  # the second half goes to a new segment
            sent = self.values[first:][:A_SENDING]
            send_all(producer, self.topic, [Outgoing(value=value, partition=0) for value in sent])
        producer.close()

    def batches(self) -> list[Batch]:
        """What is served of it."""
        return stored_batches(self._cluster.bootstrap, self.topic, 0)


@pytest.fixture
def ledger(cluster: Cluster, client: Library, operator: Operator, names: Names) -> Ledger:
    """A new topic with records."""
    return Ledger(cluster, client, operator, names)


def require_whole(batches: list[Batch]) -> list[bytes | None]:
    """The values, of which each is in a batch with the checksum of its bytes that follows the one before."""
    end = 0
    for batch in batches:
        where = f"the batch at offset {batch.header.base_offset}"
        require(batch.header.base_offset, end, f"the first offset of {where}")
        require(batch.crc_is_valid(), True, f"whether {where} has the checksum of its bytes")
        end = batch.header.next_offset
    return [record.value for batch in batches for record in batch.records()]


@pytest.mark.claim("D9", "D10")
@pytest.mark.parametrize(
    ("what", "how"),
    [*DAMAGES[:SHORT], *(pytest.param(*each, marks=pytest.mark.long) for each in DAMAGES[SHORT:])],
    ids=lambda value: str(value.value),
)
def test_a_damaged_file_is_repaired_or_refused(
    ledger: Ledger,
    strike: Strike,
    what: Damaged,
    how: How,
) -> None:
    fault = damage(one, what, how, topic=ledger.topic)
    strike.by(fault)

    if what is not Damaged.EPOCHS:
        require(bool(fault.refused), what in REFUSED, f"whether the broker refused a damaged {what} and ended")
    held = require_whole(ledger.batches())
    wanted = ledger.values if what is not Damaged.SEGMENT else ledger.values[: len(held)]
    require(held, wanted, "the values in the log, in order,")


@pytest.mark.claim("D9")
def test_a_batch_that_was_damaged_after_a_stop_in_order_is_told_by_its_checksum(ledger: Ledger, strike: Strike) -> None:
    before = {batch.header.base_offset: bytes(batch.data) for batch in ledger.batches()}
    fault = damage(one, Damaged.SEGMENT, How.FLIP, topic=ledger.topic, after_stop=True)
    strike.by(fault)

    for batch in ledger.batches():
        is_as_it_was = bytes(batch.data) == before.get(batch.header.base_offset)
        require(batch.crc_is_valid(), is_as_it_was, f"whether the batch at {batch.header.base_offset} has its checksum")
