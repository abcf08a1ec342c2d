"""Compaction forgets no producer, and no end of a transaction that somebody may still read.

**Claim** After all records of an idempotent producer were compacted away, a repeat of its last batch is still answered
with the offset that it had and not appended again, a gap in its sequence is refused, and its next batch is taken: also
after the broker was killed, and also if it has lost its snapshots of producers and has nothing but the log to learn
from. The producer's last batch stays in the log with its offsets, epoch and sequence, without records. A consumer with
isolation.level=read_committed sees the last committed value of each key and never an aborted one, at any moment of
compaction; aborted records go, also where they are the last of their key, and make no earlier record go.

**Why it matters** A producer that writes little, each record soon replaced, must not be refused, nor written twice,
because a cleaner was at work meanwhile.

**Kafka says** documentation, "Log Compaction"; KIP-98, "Compacted Topics": the last batch of each producer is kept,
empty if need be.

**Cannot see** whether markers go in the end. Snapshots can be lost only where the node's log folder is on this machine,
and transactions are judged only on targets that serve them: the reference does not yet.

**Rejects** tests/plants/forgets_producers_in_compaction.py
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from checks.durability.test_retried_batches_are_appended_once import new_producer, sent
from checks.retention.keyed_log import COMPACTED, GENERATION_MS, OFTEN, WITHIN_S
from checks.retention.transactions import NO_TRANSACTIONS, TransactionalProducer, serves_transactions
from harness.clients.client import Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.stored_batches import stored_batches
from harness.comparing.request_forms import batch
from harness.hosts import cluster_time as time
from harness.hosts.lack import Lack, Means
from harness.judging.guarantees import ClientSettings
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


@pytest.mark.claim("R8")
def test_aborted_records_go_and_take_nothing_with_them(
    cluster: Cluster, client: Library, admin: RawAdmin, names: Names
) -> None:
    topic = names.topic("accounts")
    admin.create_topic(topic, config=COMPACTED)
    if not serves_transactions(cluster, topic):
        skip_for(NO_TRANSACTIONS)
    producer = TransactionalProducer(cluster, topic, names.topic("payments"))
    producer.begin()
    first_ms = time.time_ns() // 1_000_000  # markers have the time of the broker, and would close segments else
    old = producer.write("a", "old", first_ms, commits=True)
    kept = [
        producer.write("a", "kept", first_ms, commits=True),
        producer.write("b", "kept too", first_ms, commits=True),
    ]
    aborted = [producer.write(key, "aborted", first_ms, commits=False) for key in ("a", "b", "c")]
    wanted = {b"a": b"kept", b"b": b"kept too"}
    require(committed(cluster, client, topic), wanted, "what a reader of committed records knows before compaction")

    for turn in range(1, 4):  # each closes a segment
        sent(cluster, topic, [batch("other", key="z", timestamps=[first_ms + GENERATION_MS * turn])])

    deadline = time.monotonic() + WITHIN_S
    while True:
        known = committed(cluster, client, topic)
        require({key: known.get(key) for key in (b"a", b"b", b"c")}, {**wanted, b"c": None}, "what a reader knows")
        batches = [one for one in stored_batches(cluster.bootstrap, topic, 0) if not one.header.is_control]
        offsets = {record.offset for one in batches for record in one.records()}
        if not offsets & {old, *aborted}:
            break
        if time.monotonic() > deadline:
            left = sorted(offsets & {old, *aborted})
            raise BrokenPromise(f"{WITHIN_S:.0f} s after they could be compacted away, offsets {left} are there.")
        time.sleep(0.1)
    require(set(kept) <= offsets, True, f"that the committed records {kept} are in the log")


def committed(cluster: Cluster, client: Library, topic: str) -> dict[bytes, bytes]:
    """The last value of each key that a consumer of committed records is given from the log's start."""
    consumer = client.consumer(cluster.bootstrap, ClientSettings(isolation="read_committed"), f"{topic}-reader", None)
    try:
        consumer.assign([(topic, 0)])
        found: dict[bytes, bytes] = {}
        end, deadline, position = _end(cluster, topic), time.monotonic() + WITHIN_S, 0
        while position < end and time.monotonic() < deadline:
            for record in consumer.poll(0.2):
                found[record.key or b""] = record.value or b""
            position = consumer.position(topic, 0)
        return found
    finally:
        consumer.close()


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
