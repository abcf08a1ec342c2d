"""Compaction waits, and does not wait longer than it says.

**Claim** A tombstone is there for delete.retention.ms at least after the first round that could take it, however many
rounds there are meanwhile, and gone with the first round after that. What is younger than min.compaction.lag.ms stays
as it was written; older records of the same key are compacted. While no more of a log is dirty than
min.cleanable.dirty.ratio says nothing is compacted; then it is, and also, however little it is, once something has been
dirty for max.compaction.lag.ms.

**Why it matters** A consumer that is late by less than delete.retention.ms must learn of each deletion; one that
follows with some delay wants to see each change; and what must be deleted by law must be gone by then.

**Kafka says** documentation, "Log Compaction"; topic configurations delete.retention.ms, min.compaction.lag.ms,
max.compaction.lag.ms, min.cleanable.dirty.ratio; KIP-58, KIP-354, KIP-534.

**Cannot see** rounds while nothing is written: in Kafka the end of a tombstone's time begins no round of its own.

**Rejects** tests/plants/drops_tombstones_early.py, tests/plants/keeps_tombstones_for_ever.py,
tests/plants/compacts_what_is_young.py, tests/plants/compacts_what_is_clean_enough.py,
tests/plants/waits_for_dirt_without_end.py
"""

from __future__ import annotations

from random import Random

import pytest

from checks.retention.keyed_log import GENERATION_MS, OFTEN, SPREAD_MS, KeyedLog, keyed_log
from harness.clients.client import Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.stored_batches import stored_batches
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise, require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster
from reference_broker.wire.records import DELETE_HORIZON

pytestmark = [
    pytest.mark.cluster(config=OFTEN),
    pytest.mark.feature("Compaction"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(58, 354, 534),
    pytest.mark.document("Kafka documentation, Log Compaction", "https://kafka.apache.org/documentation/#compaction"),
]
RETENTION_MS = 3_000
LAG_MS = 85_000
"""Longer than a generation, so that one of two is older and one younger."""
YOUNG_MS = 4_000
"""How long a generation is still younger than the lag after it was written."""
LOOKS_S = 1.5
"""Many turns of the cleaner."""
VALUE = b"x" * 200


@pytest.mark.claim("R7")
@pytest.mark.setting("delete.retention.ms")
def test_a_tombstone_is_there_for_its_time_and_not_much_longer(
    cluster: Cluster, client: Library, admin: RawAdmin, names: Names, chance: Random
) -> None:
    config = {"delete_retention_ms": str(RETENTION_MS)}
    with keyed_log(cluster.bootstrap, client, admin, names.topic("customers"), chance, **config) as log:
        log.begin_generation()
        log.write_all([(b"stays", b"1"), (b"goes", b"1"), (b"goes too", b"1")])
        log.write_all([(b"goes", None), (b"goes too", None)])
        tombstones = [offset for offset, record in log.model.written.items() if record.value is None]
        # Each generation gives the cleaner something to do. The log's end is never compacted: it is not the tombstones.
        log.begin_generation()
        began = time.monotonic()
        log.write_all([(b"busy", b"1"), (b"busy", b"2")])
        log.await_compacted()
        while time.monotonic() < began + RETENTION_MS / 1000:
            _one_more(log)
            _require_horizons(cluster, log, set(tombstones))
            time.sleep(0.2)

        deadline = time.monotonic() + 20.0
        while tombstones_of(log, tombstones) and time.monotonic() < deadline:
            _one_more(log)
            time.sleep(0.2)

        require(tombstones_of(log, tombstones), [], "the tombstones after their time and several rounds (offsets)")


@pytest.mark.claim("R10")
@pytest.mark.setting("min.compaction.lag.ms")
def test_what_is_young_stays(cluster: Cluster, client: Library, admin: RawAdmin, names: Names, chance: Random) -> None:
    first_ms = int(time.time() * 1000) - GENERATION_MS - LAG_MS + SPREAD_MS + YOUNG_MS
    config = {"min_compaction_lag_ms": str(LAG_MS)}
    with keyed_log(cluster.bootstrap, client, admin, names.topic("prices"), chance, first_ms=first_ms, **config) as log:
        log.write_generation(30)
        old = log.model.end
        log.write_generation(30)
        young = log.model.end
        log.begin_generation()
        log.write(5)

        log.await_compacted(old)  # each reading on the way is judged: what is young is there
        log.await_compacted(young)


@pytest.mark.claim("R10")
@pytest.mark.setting("max.compaction.lag.ms")
def test_what_has_waited_too_long_is_compacted(
    cluster: Cluster, client: Library, admin: RawAdmin, names: Names, chance: Random
) -> None:
    first_ms = int(time.time() * 1000) - LAG_MS + YOUNG_MS
    config = {"min_cleanable_dirty_ratio": "1.0", "max_compaction_lag_ms": str(LAG_MS)}
    with keyed_log(
        cluster.bootstrap, client, admin, names.topic("consents"), chance, first_ms=first_ms, **config
    ) as log:
        log.write_generation(30)
        log.begin_generation()
        log.write(5)
        left_s = (first_ms + LAG_MS) / 1000 - time.time()

        log.require_whole(min(LOOKS_S, left_s - 0.5), "before max.compaction.lag.ms had passed")
        log.await_compacted()


@pytest.mark.claim("R10")
@pytest.mark.setting("min.cleanable.dirty.ratio")
def test_a_log_is_compacted_when_enough_of_it_is_dirty(
    cluster: Cluster, client: Library, admin: RawAdmin, names: Names, chance: Random
) -> None:
    config = {"min_cleanable_dirty_ratio": "0.5"}
    with keyed_log(cluster.bootstrap, client, admin, names.topic("stock"), chance, **config) as log:
        log.begin_generation()
        log.write_all([(b"key %d" % number, VALUE) for number in range(40)] + [(b"key 0", VALUE)])
        log.begin_generation()
        log.write_all([(b"key 1", VALUE)] * 10)
        log.await_compacted()  # nothing of the first generation was clean
        log.begin_generation()
        log.write_all([(b"key 2", VALUE)] * 60)

        deadline = time.monotonic() + LOOKS_S
        while time.monotonic() < deadline:
            there = {record.offset for record in log.read().records}
            missing = [offset for offset in log.model.written if offset not in there]
            require(missing, [0], "what was compacted away while a fifth of the log was dirty (offsets)")
            time.sleep(0.05)
        log.begin_generation()
        log.write_all([(b"key 3", VALUE)])
        log.await_compacted()


def _one_more(log: KeyedLog) -> None:
    """Another generation, compacted: a round more."""
    log.begin_generation()
    log.write_all([(b"busy", b"1"), (b"busy", b"2")])
    log.read()


def tombstones_of(log: KeyedLog, offsets: list[int]) -> list[int]:
    """Those of the offsets that are still read."""
    there = {record.offset for record in log.read().records}
    return [offset for offset in offsets if offset in there]


def _require_horizons(cluster: Cluster, log: KeyedLog, offsets: set[int]) -> None:
    """The batches that hold them say until when they stay: delete.retention.ms after they could first be compacted."""
    closed_ms = log.model.closed_ms(min(offsets))
    for one in stored_batches(cluster.bootstrap, log.topic, 0):
        header = one.header
        stays_ms = header.base_timestamp - closed_ms
        is_theirs = bool(offsets & {record.offset for record in one.records()})
        if is_theirs and header.attributes & DELETE_HORIZON and stays_ms < RETENTION_MS:
            raise BrokenPromise(
                f"The batch at {header.base_offset} may lose its tombstones {stays_ms} ms after they could first be "
                f"compacted; delete.retention.ms is {RETENTION_MS}.",
                claim="R7",
            )
