"""Settings of segments and their files.

**Claim** A log begins a segment when segment.bytes, segment.ms or segment.index.bytes say so, and with
segment.jitter.ms not in all partitions at the same age; its index has an entry every index.interval.bytes; files that
are no longer needed wait for file.delete.delay.ms. So it is with values of a topic, and with those of its broker or the
cluster's default, set while it runs and unset again. What counts from a segment's begin on counts for the next one.

**Why it matters** Retention and compaction work on whole segments: how old data gets hangs on when they are closed.

**Kafka says** topic configurations segment.bytes, segment.ms, segment.jitter.ms, segment.index.bytes,
index.interval.bytes, file.delete.delay.ms; their counterparts of brokers; KIP-226.

**Cannot see** log folders that are out of reach: then it is skipped.

**Rejects** tests/plants/applies_broker_settings_at_a_restart.py, tests/plants/closes_segments_by_size_alone.py,
tests/plants/deletes_files_at_once.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from checks.retention.broker_settings import Level
from checks.retention.probed_log import SETTINGS_CLUSTER, ProbedLog, Setting, on_all_levels, require_effect
from harness.clients.leader_connections import RawAdmin
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.cluster(config=SETTINGS_CLUSTER),
    pytest.mark.feature("Settings"),
    pytest.mark.kip(226),
    pytest.mark.document("Topic Configs", "https://kafka.apache.org/documentation/#topicconfigs"),
    pytest.mark.document("Broker Configs", "https://kafka.apache.org/documentation/#brokerconfigs"),
]
MIB: Final = 1 << 20
MINUTE: Final = {"segment.ms": "60000"}
PARTITIONS: Final = 12
ENTRY_BYTES: Final = 8
WITHIN_S: Final = 10.0
WAITS_S: Final = 1.3
"""Longer than a broker lets files wait that are due."""


def is_rolled_by_size(log: ProbedLog) -> bool:
    """Whether the log begins a segment within a little more than a megabyte."""
    before = len(log.files(".log"))
    for _ in range(3):
        log.fill("x" * (MIB * 2 // 5))
    return len(log.files(".log")) > before


def is_rolled_by_time(log: ProbedLog) -> bool:
    """Whether it does between batches whose timestamps are five seconds apart."""
    log.fill("a")
    before = len(log.files(".log"))
    log.fill("b")
    return len(log.files(".log")) > before


def is_rolled_by_index(log: ProbedLog) -> bool:
    """Whether it does after half a dozen entries of its index."""
    for _ in range(6):
        log.fill("x" * 5_000)
    return len(log.files(".log")) > 1


def rolled_partitions(log: ProbedLog) -> str:
    """Of how many partitions a segment is closed by a batch half of segment.ms after the first."""
    first_ms = log.now_ms - 600_000
    for partition in range(PARTITIONS):
        log.fill("a", timestamp=first_ms, partition=partition)
        log.fill("b", timestamp=first_ms + 30_000, partition=partition)
    count = sum(len(log.files(".log", partition)) > 1 for partition in range(PARTITIONS))
    return "none" if not count else "all" if count == PARTITIONS else "some"


def is_index_dense(log: ProbedLog) -> bool:
    """Whether the index of a closed segment of ten batches, 5 KB in all, has an entry for more than half of them."""
    for _ in range(10):
        log.fill("x" * 450)
    log.roll()
    return log.files("00000000000000000000.index").popitem()[1].stat().st_size // ENTRY_BYTES > 5


def is_file_waiting(log: ProbedLog) -> bool:
    """Whether the file of a segment that has gone is there a while later, as .deleted."""
    log.fill("a")
    log.roll()
    end = log.bounds[1]
    doomed = {name for name in log.files(".log") if int(name.partition(".")[0]) < end - 1}
    log.delete_before(end - 1)
    deadline = time.monotonic() + WITHIN_S
    while left := doomed & log.files(".log").keys():
        if time.monotonic() > deadline:
            raise BrokenPromise(f"{sorted(left)} were deleted {WITHIN_S:.0f} s ago, and are there.", claim="R3")
        time.sleep(0.05)
    time.sleep(WAITS_S)
    return bool({f"{name}.deleted" for name in doomed} & log.files(".log.deleted").keys())


@pytest.mark.claim("M7", "R2")
@on_all_levels(
    Setting(
        name="segment.bytes",
        broker="log.segment.bytes",
        value=str(MIB),
        seen=is_rolled_by_size,
        usual=False,
        wanted=True,
    ),
    Setting(
        name="segment.ms",
        broker="log.roll.ms",
        value="4000",
        seen=is_rolled_by_time,
        usual=False,
        wanted=True,
    ),
    Setting(
        name="segment.index.bytes",
        broker="log.index.size.max.bytes",
        value="24",
        seen=is_rolled_by_index,
        usual=False,
        wanted=True,
        is_fresh=True,
    ),
    Setting(
        name="segment.jitter.ms",
        broker="log.roll.jitter.ms",
        value="60000",
        seen=rolled_partitions,
        usual="none",
        wanted="some",
        of_topic=MINUTE,
        partitions=PARTITIONS,
        is_fresh=True,
    ),
    Setting(
        name="index.interval.bytes",
        broker="log.index.interval.bytes",
        value="100",
        seen=is_index_dense,
        usual=False,
        wanted=True,
        of_topic=MINUTE,
        is_fresh=True,
    ),
    Setting(
        name="file.delete.delay.ms",
        broker="log.segment.delete.delay.ms",
        value="0",
        seen=is_file_waiting,
        usual=True,
        wanted=False,
        of_topic=MINUTE,
    ),
)
def test_a_setting_counts_for_the_next_segment(
    cluster: Cluster, admin: RawAdmin, names: Names, tmp_path: Path, setting: Setting, level: Level
) -> None:
    require_effect(setting, level, cluster, admin, names, tmp_path)
