"""Compaction forgets no idempotent producer.

**Claim** After all records of an idempotent producer were compacted away, a repeat of its last batch is still answered
with the offset that it had and not appended again, a gap in its sequence is refused, and its next batch is taken: also
after the broker was killed, and also if it has lost its snapshots of producers and has nothing but the log to learn
from. The producer's last batch stays in the log with its offsets, epoch and sequence, without records.

**Why it matters** A producer that writes little, each record soon replaced, must not be refused, nor written twice,
because a cleaner was at work meanwhile.

**Kafka says** documentation, "Log Compaction"; KIP-98, "Compacted Topics": the last batch of each producer is kept,
empty if need be.

**Cannot see** transactions: what compaction leaves of aborted records and markers. Snapshots can be lost only where
the node's log folder is on this machine.

**Rejects** tests/plants/forgets_producers_in_compaction.py
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from checks.durability.test_retried_batches_are_appended_once import new_producer, sent
from checks.retention.keyed_log import COMPACTED, GENERATION_MS, OFTEN, WITHIN_S
from harness.clients.leader_connections import RawAdmin
from harness.clients.stored_batches import stored_batches
from harness.comparing.request_forms import batch
from harness.hosts import cluster_time as time
from harness.hosts.lack import Lack, Means
from harness.judging.outcome import BrokenPromise, require
from harness.pytest_plugin.lacking import skip_for
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.cluster(config=OFTEN),
    pytest.mark.feature("Compaction"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(98),
    pytest.mark.document("Kafka documentation, Log Compaction", "https://kafka.apache.org/documentation/#compaction"),
]
NO_FOLDER = Lack(Means.SOFTWARE, "snapshots can be taken from a log folder on this machine only")
FIRST = 0
"""The offset of the producer's first batch; its last one stands at the next."""


@pytest.mark.claim("R8", "O5", "O6")
@pytest.mark.parametrize("fault", [None, "kill", "restart"])
def test_a_producer_goes_on_after_its_records_were_compacted_away(
    cluster: Cluster, admin: RawAdmin, names: Names, strike: Strike, fault: str | None
) -> None:
    topic = names.topic("prices")
    producer_id = compacted_away(cluster, admin, topic)

    if fault:
        strike(fault, topic=topic)

    require_known(cluster, topic, producer_id)


@pytest.mark.claim("R8", "O5", "O6")
def test_the_log_is_enough_to_know_a_producer(
    cluster: Cluster,
    admin: RawAdmin,
    names: Names,
    record: CheckRecord,
    require_fault: Callable[[str], None],
) -> None:
    """The broker is killed, and its snapshots of producers are removed: it learns from the log again."""
    require_fault("kill")
    topic = names.topic("prices")
    producer_id = compacted_away(cluster, admin, topic)
    view = cluster.view(topics=(topic,))
    node = next(node for node in cluster.nodes if node.id == view.leader_of(topic, 0))
    if node.data_dir is None:
        skip_for(NO_FOLDER)

    record.faults += 1
    node.kill()
    try:
        for snapshot in Path(node.data_dir).glob(f"{topic}-0/*.snapshot"):
            snapshot.unlink()
    finally:
        node.start()
        node.wait_ready()
        cluster.wait_healthy()

    require_known(cluster, topic, producer_id)


def compacted_away(cluster: Cluster, admin: RawAdmin, topic: str) -> int:
    """A producer of two batches, of which compaction has left no record; its id."""
    admin.create_topic(topic, config=COMPACTED)
    producer_id = new_producer(cluster, topic)
    now_ms = time.time_ns() // 1_000_000
    first_ms = now_ms - 3 * GENERATION_MS
    answers = sent(cluster, topic, [own(producer_id, 0, first_ms), own(producer_id, 1, first_ms)])
    require(answers, [("NONE", FIRST), ("NONE", FIRST + 1)], "the answers to the producer's batches (error, offset)")
    others = [batch("other", key="price", timestamps=[first_ms + GENERATION_MS * turn]) for turn in range(3)]
    sent(cluster, topic, others)

    deadline = time.monotonic() + WITHIN_S
    while True:
        found = stored_batches(cluster.bootstrap, topic, 0)
        offsets = [record.offset for one in found for record in one.records()]
        if min(offsets) > FIRST + 1:
            break
        if time.monotonic() > deadline:
            raise BrokenPromise(f"{WITHIN_S:.0f} s after they could be compacted away, offsets {offsets} are there.")
        time.sleep(0.1)
    header = next((one.header for one in found if one.header.producer_id == producer_id), None)
    told = None if header is None else (header.last_offset, header.producer_epoch, header.last_sequence)
    require(told, (FIRST + 1, 0, 1), "the producer's batch in the log (last offset, epoch, last sequence)")
    return producer_id


def require_known(cluster: Cluster, topic: str, producer_id: int) -> None:
    """The broker knows what the producer has sent last, and what comes next."""
    now_ms = time.time_ns() // 1_000_000
    end = _end(cluster, topic)
    (again,) = sent(cluster, topic, [own(producer_id, 1, now_ms)])
    require(again, ("NONE", FIRST + 1), "the answer to a repeat of the last batch (error, offset)")
    require(_end(cluster, topic), end, "the end of the log after the repeat")
    (gap,) = sent(cluster, topic, [own(producer_id, 3, now_ms)])
    require(gap, ("OUT_OF_ORDER_SEQUENCE_NUMBER", -1), "the answer to a batch after a gap (error, offset)")
    (following,) = sent(cluster, topic, [own(producer_id, 2, now_ms)])
    require(following, ("NONE", end), "the answer to the next batch (error, offset)")


def own(producer_id: int, sequence: int, timestamp: int) -> bytes:
    """A batch of the producer, with one record."""
    identity = {"producer_id": producer_id, "producer_epoch": 0, "base_sequence": sequence}
    return batch(f"own {sequence}", key="price", timestamps=[timestamp], **identity)


def _end(cluster: Cluster, topic: str) -> int:
    admin = RawAdmin(cluster.bootstrap)
    try:
        return admin.offsets(topic, 0)[1]
    finally:
        admin.close()
