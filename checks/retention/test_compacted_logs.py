"""Compaction keeps the last value of each key.

**Claim** Whatever a reader finds at any moment while a topic with cleanup.policy=compact is written to and compacted is
a part of what was written, in order, with the offsets, timestamps, keys, values and headers that were sent; the last
record of each key below what is not compacted yet is always there, and all of the segment that is written to. What was
gone does not come back. Below the segment that is written to, nothing but the last record of each key is left after a
while. So it is with every codec and with an idempotent producer or another, after a kill or a restart, after clocks
that jump, and above the log's start if cleanup.policy is compact,delete. A consumer that follows knows the last value
of each key.

**Why it matters** A compacted topic is a table: whoever reads it again takes what is there for all there is.

**Kafka says** documentation, "Log Compaction"; topic configurations cleanup.policy, min.cleanable.dirty.ratio; KIP-71.

**Cannot see** records of transactions; what a round over more keys than log.cleaner.dedupe.buffer.size has room for
leaves for the next.

**Rejects** tests/plants/compacts_the_last_value_away.py, tests/plants/compacts_the_active_segment.py,
tests/plants/drops_headers_in_compaction.py, tests/plants/renumbers_what_it_compacts.py,
tests/plants/compacts_nothing.py
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from checks.retention.keyed_log import OFTEN, WITHIN_S, keyed_log
from harness.clients.client import Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.operators.operator import Operator
from harness.hosts import cluster_time as time
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import BrokenPromise, require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster
from nemesis.clock import Clock, Motion

pytestmark = [
    pytest.mark.cluster(config=OFTEN),
    pytest.mark.feature("Compaction"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(71),
    pytest.mark.document("Kafka documentation, Log Compaction", "https://kafka.apache.org/documentation/#compaction"),
    pytest.mark.document(
        "topic configuration cleanup.policy", "https://kafka.apache.org/documentation/#topicconfigs_cleanup.policy"
    ),
]
CODECS = ["none", *(pytest.param(codec, marks=pytest.mark.long) for codec in ("gzip", "snappy", "lz4")), "zstd"]
JUMP_S = 3_000.0


@pytest.mark.claim("R5", "R6", "O7")
@pytest.mark.parametrize("is_idempotent", [True, False], ids=["idempotent", "plain"])
@pytest.mark.parametrize("codec", CODECS)
def test_each_reading_has_the_last_value_of_each_key(
    cluster: Cluster, client: Library, admin: RawAdmin, names: Names, chance: Random, codec: str, is_idempotent: bool
) -> None:
    """Readings between writes, while rounds go on; then until only the last of each key is left."""
    settings = ClientSettings(compression=codec, is_idempotent=is_idempotent)
    with keyed_log(cluster.bootstrap, client, admin, names.topic("table"), chance, settings=settings) as log:
        for _ in range(4):
            log.begin_generation()
            for _ in range(3):
                log.write(25)
                log.read()
        log.await_compacted()
        log.write_generation(20)
        log.await_compacted()


@pytest.mark.claim("R5", "R7")
def test_a_consumer_that_follows_knows_the_last_values(
    cluster: Cluster, client: Library, admin: RawAdmin, names: Names, chance: Random
) -> None:
    """A consumer that reads on from where it was, and one that begins when all is compacted, know the same."""
    with keyed_log(cluster.bootstrap, client, admin, names.topic("table"), chance) as log:
        table: dict[bytes, bytes] = {}
        follower = client.consumer(cluster.bootstrap, ClientSettings(), "follower", None)
        try:
            follower.assign([(log.topic, 0)])
            for _ in range(5):
                log.write_generation(40)
                deadline = time.monotonic() + WITHIN_S
                seen = -1
                while seen < log.model.end - 1:
                    for record in follower.poll(0.2):
                        seen = record.offset
                        table.pop(record.key or b"", None)
                        if record.value is not None:
                            table[record.key or b""] = record.value
                    if time.monotonic() > deadline:
                        raise BrokenPromise(
                            f"A consumer that follows has come to {seen} of {log.model.end}.", claim="O3"
                        )
        finally:
            follower.close()
        require(table, log.model.state(), "the table of a consumer that followed")

        found = log.await_compacted()

        late = {record.key: record.value for record in found.records}
        known = {key: value for key, value in late.items() if value is not None}
        require(known, log.model.state(), "the table of a consumer that begins after compaction")


@pytest.mark.claim("R5", "R6")
@pytest.mark.parametrize("fault", ["kill", "restart"])
def test_nothing_is_lost_and_nothing_comes_back(
    cluster: Cluster, client: Library, admin: RawAdmin, names: Names, chance: Random, strike: Strike, fault: str
) -> None:
    """A broker that ends after a round goes on with what the round left, and compacts what is written then."""
    with keyed_log(cluster.bootstrap, client, admin, names.topic("table"), chance) as log:
        for _ in range(3):
            log.write_generation(40)
            log.read()
        log.await_compacted()

        log.write_generation(40)  # perhaps not compacted yet
        strike(fault, topic=log.topic)

        log.read()
        log.write_generation(40)
        log.await_compacted()


@pytest.mark.long
@pytest.mark.claim("R5", "R11")
@pytest.mark.parametrize("offset_s", [JUMP_S, -JUMP_S], ids=["forward", "back"])
def test_a_clock_that_jumps_costs_no_value(
    cluster: Cluster,
    client: Library,
    admin: RawAdmin,
    names: Names,
    chance: Random,
    record: CheckRecord,
    require_fault: Callable[[str], None],
    offset_s: float,
) -> None:
    """Whatever the broker takes for the time: the last value of each key stays, and compaction goes on."""
    jump = Clock(Motion.JUMP, offset_s)
    require_fault(jump.kind)
    with keyed_log(cluster.bootstrap, client, admin, names.topic("table"), chance) as log:
        log.write_generation(40)
        log.write_generation(40)
        log.read()
        record.faults += 1
        with record.step(str(jump)):
            jump.inject(cluster, jump.plan(cluster.view(topics=(log.topic,)), chance))
        try:
            log.read()
            log.write_generation(40)
            log.await_compacted()
        finally:
            jump.heal(cluster)
        jump.verify_healed(cluster)
        log.write_generation(40)
        log.await_compacted()


@pytest.mark.claim("R4", "R5")
def test_a_log_that_is_compacted_and_deleted(
    cluster: Cluster, client: Library, admin: RawAdmin, operator: Operator, names: Names, chance: Random
) -> None:
    """With compact,delete what is older than retention.ms goes, also the last value of a key; above the log's start
    the log is compacted as others are.
    """
    topic = names.topic("sessions")
    both = {"cleanup_policy": "compact,delete", "retention_ms": "-1"}
    with keyed_log(cluster.bootstrap, client, admin, topic, chance, **both) as log:
        for _ in range(3):
            log.write_generation(40)
            log.read()
        log.await_compacted()
        ends = log.model.closed_end
        log.begin_generation()
        log.write(20)
        # Timestamps begin an hour ago, a minute apart: the first three generations are older than this, the fourth is
        # not, whatever time the check takes.
        operator.alter_topic(topic, {"retention.ms": str(3_600_000 - 120_000)})
        deadline = time.monotonic() + WITHIN_S
        while admin.offsets(topic, 0)[0] < ends and time.monotonic() < deadline:
            log.read()
            time.sleep(0.1)
        start = admin.offsets(topic, 0)[0]
        require(start >= ends, True, f"whether the log starts at {ends} or later (it starts at {start})")
        log.read()
