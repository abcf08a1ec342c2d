"""Settings that a broker has from its start.

**Claim** log.retention.minutes wins over log.retention.hours, and log.retention.ms, set as the cluster's default while
it runs, over both; log.retention.hours counts alone. Segments are closed after log.roll.hours, with
log.roll.jitter.hours not all at the same age. With log.cleaner.enable=false nothing is compacted. What is old is looked
for every log.retention.check.interval.ms.

**Why it matters** Files of settings are old and hold all of these names; which of them counts decides what is deleted.

**Kafka says** broker configurations log.retention.ms, log.retention.minutes, log.retention.hours, log.roll.hours,
log.roll.jitter.hours, log.cleaner.enable, log.retention.check.interval.ms.

**Cannot see** log folders that are out of reach: then it is skipped.

**Rejects** tests/plants/reads_hours_before_minutes.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from checks.retention.broker_settings import Level, altered
from checks.retention.probed_log import HOUR_MS, ProbedLog
from harness.clients.leader_connections import RawAdmin
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise, require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Settings"),
    pytest.mark.document("Broker Configs", "https://kafka.apache.org/documentation/#brokerconfigs"),
]
MINUTES: Final = {
    "log.retention.hours": "1000",
    "log.retention.minutes": "60",
    "log.roll.hours": "1",
    "log.cleaner.enable": "false",
    "log.cleaner.backoff.ms": "100",
    "log.retention.check.interval.ms": "200",
}
HOURS: Final = {
    "log.retention.hours": "1",
    "log.roll.hours": "1",
    "log.roll.jitter.hours": "1",
    "log.retention.check.interval.ms": "200",
}
LONGER: Final = {"log.retention.ms": str(10 * HOUR_MS)}
CLOSED: Final = {"segment.ms": "60000"}
COMPACTED: Final = {**CLOSED, "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01"}
PARTITIONS: Final = 12
LOOKS_S: Final = 1.5
WITHIN_S: Final = 10.0


@pytest.mark.claim("M7", "R3")
@pytest.mark.cluster(config=MINUTES)
@pytest.mark.setting("log.retention.minutes", "log.retention.check.interval.ms")
def test_minutes_win_over_hours_and_milliseconds_over_both(
    cluster: Cluster, admin: RawAdmin, names: Names, tmp_path: Path
) -> None:
    log = new(cluster, admin, names, tmp_path, CLOSED)
    with altered(cluster, Level.CLUSTER, log.topic, LONGER):
        log.fill("two hours old")
        log.roll()
        time.sleep(LOOKS_S)
        require(log.bounds, (0, 2), "the log of two hours while the limit is ten hours (start, end)")
    require_start(log, 2, "an hour, by log.retention.minutes")


@pytest.mark.claim("M7", "R2")
@pytest.mark.cluster(config=MINUTES)
@pytest.mark.setting("log.roll.hours")
def test_a_segment_is_closed_after_log_roll_hours(
    cluster: Cluster, admin: RawAdmin, names: Names, tmp_path: Path
) -> None:
    log = new(cluster, admin, names, tmp_path, {"retention.ms": "-1"})
    first_ms = log.now_ms - 3 * HOUR_MS
    counts = []
    for age_ms in (0, HOUR_MS, HOUR_MS + 1):
        log.fill("a", timestamp=first_ms + age_ms)
        counts.append(len(log.files(".log")))
    require(counts, [1, 1, 2], "the segments after batches of the first moment, an hour later, and a millisecond more")


@pytest.mark.claim("M7")
@pytest.mark.cluster(config=MINUTES)
@pytest.mark.setting("log.cleaner.enable")
def test_a_cleaner_that_is_disabled_compacts_nothing(
    cluster: Cluster, admin: RawAdmin, names: Names, tmp_path: Path
) -> None:
    log = new(cluster, admin, names, tmp_path, COMPACTED)
    log.fill("1", "2", "3", key="a")
    log.roll(key="b")
    time.sleep(LOOKS_S)
    offsets = [record.offset for one in log.batches for record in one.records()]
    require(offsets, [0, 1, 2, 3], "the records of a compacted topic while log.cleaner.enable is false (offsets)")


@pytest.mark.claim("M7", "R2", "R3")
@pytest.mark.cluster(config=HOURS)
@pytest.mark.setting("log.retention.hours", "log.roll.jitter.hours")
def test_hours_count_alone(cluster: Cluster, admin: RawAdmin, names: Names, tmp_path: Path) -> None:
    log = new(cluster, admin, names, tmp_path, CLOSED)
    log.fill("two hours old")
    log.roll()
    require_start(log, 2, "an hour, by log.retention.hours")

    spread = new(cluster, admin, names, tmp_path, {"retention.ms": "-1"}, PARTITIONS)
    first_ms = spread.now_ms - HOUR_MS
    for partition in range(PARTITIONS):
        spread.fill("a", timestamp=first_ms, partition=partition)
        spread.fill("b", timestamp=first_ms + HOUR_MS // 2, partition=partition)
    closed = sum(len(spread.files(".log", partition)) > 1 for partition in range(PARTITIONS))
    require(0 < closed < PARTITIONS, True, f"whether some of {PARTITIONS} segments are closed after half of the time")


def new(
    cluster: Cluster, admin: RawAdmin, names: Names, scratch: Path, config: dict[str, str], partitions: int = 1
) -> ProbedLog:
    """A topic."""
    topic = names.topic("probe")
    admin.create_topic(topic, partitions=partitions, config=config)
    return ProbedLog(cluster, admin, topic, scratch / topic)


def require_start(log: ProbedLog, wanted: int, limit: str) -> None:
    """The log soon starts there."""
    deadline = time.monotonic() + WITHIN_S
    while (start := log.bounds[0]) != wanted:
        if time.monotonic() > deadline:
            raise BrokenPromise(
                f"{WITHIN_S:.0f} s after it was written, a log of {wanted} records that are two hours old starts at "
                f"{start}; the limit is {limit}.",
                claim="R3",
            )
        time.sleep(0.05)
