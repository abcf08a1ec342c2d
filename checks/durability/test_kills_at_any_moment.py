"""However often a broker is killed, and at whatever moment, every acknowledged record is there.

**Claim** A broker is killed (SIGKILL) at random moments while a producer writes, and started again each time. At the
end every acknowledged record is in the log, once and at the acknowledged offset; every batch has the checksum of its
bytes and starts where the one before ends. Each start takes no longer than the first did, plus a time for what recovery
may have to read: what was not flushed, which is at most segment.bytes of each partition under load, at 5 MB/s, and 10 s
for a machine that does other things as well.

**Why it matters** A crash may come between any two writes: of a batch, an index, a checkpoint, a rolled segment. Bugs
of recovery need the one moment that was not thought of.

**Kafka says** Kafka documentation, "Persistence"; producer configuration acks; broker configuration log.segment.bytes.

**Cannot see** Loss of what was not flushed (durability/logs_after_power_loss). It kills a few times; KILLS=1000 in the
environment sets another number, as `make soak` does.

**Rejects** tests/plants/wrong_offset_in_answer.py, tests/plants/truncates_a_good_batch_on_recovery.py,
tests/plants/takes_a_damaged_tail_for_whole.py
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from random import Random

import pytest

from harness.clients.client import Delivery, Library, Producer
from harness.clients.operators.operator import Operator
from harness.clients.stored_batches import stored_batches
from harness.history.operations import OpType
from harness.hosts import cluster_time as time
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import Unproven, require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.options import ChosenTarget
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster, TargetKind

SEGMENT_BYTES = 1 << 20
SHORT_SESSIONS = {"broker.session.timeout.ms": "1000", "broker.heartbeat.interval.ms": "200"}
"""A killed broker may register again when its former self has timed out."""
pytestmark = [
    pytest.mark.cluster(config={"log.segment.bytes": str(SEGMENT_BYTES), **SHORT_SESSIONS}),
    pytest.mark.feature("Produce"),
    pytest.mark.severity("blocker"),
    pytest.mark.document("producer configuration acks", "https://kafka.apache.org/documentation/#producerconfigs_acks"),
    pytest.mark.document(
        "broker configuration log.segment.bytes",
        "https://kafka.apache.org/documentation/#brokerconfigs_log.segment.bytes",
    ),
]
PARTITIONS = 2
KILLS, KILLS_OF_KAFKA = 8, 2
OURS = (TargetKind.REFERENCE, TargetKind.SIMULATED)
"""Those that start within a second."""
MOST_S = 0.8
"""Between the first acknowledgement after a start and the next kill, at most."""
ANSWERED_WITHIN_S = 30.0
RATE, RECORD_BYTES = 400, 200
READ_BYTES_A_SECOND = 5_000_000
SLACK_S = 10.0
SETTINGS = ClientSettings(acks="all", is_idempotent=True, delivery_timeout_ms=120_000)


class Writer:
    """Sends records for a while at a time, and keeps where each was acknowledged."""

    def __init__(self, producer: Producer, topic: str) -> None:
        self._producer, self._topic, self._sent = producer, topic, 0
        self.acknowledged: dict[bytes, tuple[int, int]] = {}
        """Value → partition and offset."""
        self._lock = threading.Lock()

    def write(self, for_s: float) -> bool:
        """Sends records until one is acknowledged, and for a while more; returns while the last are on their way.

        False when none is acknowledged within 30 s: a log that has lost records may refuse those that follow.
        """
        acknowledged, before = self.acknowledged, len(self.acknowledged)
        self._send_while(lambda: len(acknowledged) == before, ANSWERED_WITHIN_S)
        if len(acknowledged) == before:
            return False
        self._send_while(lambda: True, for_s)
        return True

    def _send_while(self, is_wanted: Callable[[], bool], most_s: float) -> None:
        deadline = time.monotonic() + most_s
        while is_wanted() and time.monotonic() < deadline:
            value = b"record %d" % self._sent
            padded, partition = value.ljust(RECORD_BYTES, b"."), self._sent % PARTITIONS
            self._producer.send(self._topic, partition, key=None, value=padded, on_delivery=self._keeping(value))
            self._sent += 1
            time.sleep(1 / RATE)

    def _keeping(self, value: bytes) -> Callable[[Delivery], None]:
        def keep(delivery: Delivery) -> None:
            if delivery.outcome is OpType.OK:
                with self._lock:
                    self.acknowledged[value] = (delivery.partition, delivery.offset)

        return keep

    def end(self) -> None:
        """Waits until all that was sent is acknowledged or given up."""
        self._producer.flush(SETTINGS.delivery_timeout_ms / 1000)
        self._producer.close()


@pytest.mark.claim("D1", "D9", "O1", "O2", "O5", "L2")
def test_every_acknowledged_record_is_there_after_kills_at_any_moment(
    cluster: Cluster,
    client: Library,
    operator: Operator,
    names: Names,
    chance: Random,
    strike: Strike,
    usable: ChosenTarget,
) -> None:
    topic = names.topic("ledger")
    operator.create_topic(topic, PARTITIONS)
    writer = Writer(client.producer(cluster.bootstrap, SETTINGS, f"{topic}-producer"), topic)
    kills = int(os.environ.get("KILLS", KILLS if usable.kind in OURS else KILLS_OF_KAFKA))
    usual_s, has_stuck = 0.0, False
    for number in range(kills):
        if has_stuck := not writer.write(chance.uniform(0, MOST_S)):
            break
        took_s = killed_and_started(strike)
        usual_s = usual_s or took_s
        most_s = usual_s + PARTITIONS * SEGMENT_BYTES / READ_BYTES_A_SECOND + SLACK_S
        which = f"start {number + 1}, which took {took_s:.1f} s,"
        require(took_s <= most_s, True, f"whether {which} took {most_s:.1f} s at most")
    writer.end()

    require_all(cluster, topic, writer.acknowledged)
    if has_stuck:
        raise Unproven(f"no record was acknowledged within {ANSWERED_WITHIN_S:g} s of a start, and none is lost")


def killed_and_started(strike: Strike) -> float:
    """Kills the node and starts it again; how long it took from the start to its answer, in s."""
    with strike.held("kill") as heal:
        began = time.monotonic()
        heal()
    return time.monotonic() - began


def require_all(cluster: Cluster, topic: str, acknowledged: dict[bytes, tuple[int, int]]) -> None:
    """Each acknowledged record is there once, at its offset, in a whole log."""
    found: dict[bytes, list[tuple[int, int]]] = {}
    for partition in range(PARTITIONS):
        end = 0
        for batch in stored_batches(cluster.bootstrap, topic, partition):
            where = f"the batch at offset {batch.header.base_offset} of partition {partition}"
            require(batch.header.base_offset, end, f"the first offset of {where}")
            require(batch.crc_is_valid(), True, f"whether {where} has the checksum of its bytes")
            end = batch.header.next_offset
            for place, each in enumerate(batch.records(), batch.header.base_offset):
                found.setdefault((each.value or b"").rstrip(b"."), []).append((partition, place))
    lost = [value for value, place in acknowledged.items() if place not in found.get(value, ())]
    require(lost[:5], [], f"the first of the {len(acknowledged):,} acknowledged records that are not at their offset")
    twice = [value for value, places in found.items() if len(places) > 1]
    require(twice[:5], [], "the first of the records that are in the log more than once")
