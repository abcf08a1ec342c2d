"""After a loss of power a log is whole: a part of what was sent, from its start on, and all of it where it was flushed.

**Claim** When the only replica loses its power while it has records that were not flushed, and the disk keeps none of
them, any pages of them, or all but a torn end, the log is whole after the start: every batch has the checksum of its
bytes and starts where the one before ends, and the values are the first of those that were sent, in order. With
flush.messages=1 they are all. So it stays when the broker loses its power again and again.

**Why it matters** Recovery decides what of a torn end is records. What it takes too much is served as if it had been
sent; what it takes too little was acknowledged.

**Kafka says** Kafka documentation, "Log" and "Application vs. OS Flush Management"; topic configuration flush.messages.

**Cannot see** How many records are lost without flush.messages=1: nothing is promised.

**Rejects** tests/plants/flushes_nothing.py
"""

from __future__ import annotations

import pytest

from harness.clients.client import Library
from harness.clients.operators.operator import Operator
from harness.clients.stored_batches import stored_batches
from harness.clients.transfer import Outgoing, send_all
from harness.hosts.faulty_disk.stored import Loss
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster
from nemesis import power
from nemesis.node_specs import one

pytestmark = [
    pytest.mark.cluster(has_faulty_disks=True),
    pytest.mark.feature("Fetch"),
    pytest.mark.severity("blocker"),
    pytest.mark.document(
        "topic configuration flush.messages", "https://kafka.apache.org/documentation/#topicconfigs_flush.messages"
    ),
]
SENDINGS, A_SENDING = 12, 25
PADDING = b"." * 400
"""So that what was not flushed is many pages, of which a disk may keep some."""
SETTINGS = ClientSettings(acks="all", is_idempotent=True)
LOSSES = (Loss.SOME, Loss.TORN, Loss.SOME, Loss.ALL)


@pytest.mark.claim("D2", "D9")
@pytest.mark.parametrize(
    "is_flushed", [pytest.param(False, marks=pytest.mark.long), True], ids=["not_flushed", "flushed"]
)
def test_a_log_is_whole_after_losses_of_power(
    cluster: Cluster,
    client: Library,
    operator: Operator,
    names: Names,
    strike: Strike,
    is_flushed: bool,
) -> None:
    # A simulated disk draws by itself what it loses.
    has_machine = any(node.machine is not None for node in cluster.nodes)
    topic = names.topic("ledger")
    operator.create_topic(topic, config={"flush.messages": "1"} if is_flushed else {})
    kept: list[bytes | None] = []
    for number, loss in enumerate(LOSSES):
        sent = [b"entry %d of %d" % (place, number) + PADDING for place in range(SENDINGS * A_SENDING)]
        producer = client.producer(cluster.bootstrap, SETTINGS, f"{topic}-producer")
        for first in range(0, len(sent), A_SENDING):
            send_all(producer, topic, [Outgoing(value=value, partition=0) for value in sent[first:][:A_SENDING]])
        producer.close()
        strike.by(power(one, None if has_machine else loss))

        held = whole_values(cluster, topic)
        wanted = [*kept, *sent]
        require(held, wanted if is_flushed else wanted[: len(held)], "the values in the log, in order,")
        kept = held


def whole_values(cluster: Cluster, topic: str) -> list[bytes | None]:
    """The values in the log, of which each is in a batch with its checksum that starts where the one before ends."""
    batches, end = stored_batches(cluster.bootstrap, topic, 0), 0
    for batch in batches:
        where = f"the batch at offset {batch.header.base_offset}"
        require(batch.header.base_offset, end, f"the first offset of {where}")
        require(batch.crc_is_valid(), True, f"whether {where} has the checksum of its bytes")
        end = batch.header.next_offset
    return [each.value for batch in batches for each in batch.records()]
