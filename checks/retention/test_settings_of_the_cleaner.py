"""Settings of retention, of flushes and of the cleaner.

**Claim** retention.ms and retention.bytes delete closed segments; flush.messages and flush.ms have a log flushed, as
its recovery point tells; min.cleanable.dirty.ratio, min.compaction.lag.ms, max.compaction.lag.ms and
delete.retention.ms decide what a round does. So it is with values of a topic, and with those of its broker or the
cluster's default, set while it runs and unset again.

**Why it matters** When a disk is full there is no time to restart brokers one by one.

**Kafka says** topic configurations and their counterparts of brokers; KIP-226, KIP-354, KIP-534.

**Cannot see** what a flush has really brought to the disk (durability/power_loss); when exactly something goes
(retention/compaction_by_time, and the checks of retention).

**Rejects** tests/plants/applies_broker_settings_at_a_restart.py, tests/plants/flushes_by_no_count.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from checks.retention.broker_settings import Level
from checks.retention.probed_log import HOUR_MS, SETTINGS_CLUSTER, ProbedLog, Setting, on_all_levels, require_effect
from harness.clients.leader_connections import RawAdmin
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster
from reference_broker.wire.records import DELETE_HORIZON

pytestmark = [
    pytest.mark.cluster(config=SETTINGS_CLUSTER),
    pytest.mark.feature("Settings"),
    pytest.mark.kip(226, 354, 534),
    pytest.mark.document("Topic Configs", "https://kafka.apache.org/documentation/#topicconfigs"),
    pytest.mark.document("Broker Configs", "https://kafka.apache.org/documentation/#brokerconfigs"),
]
RECOVERY_POINTS: Final = "recovery-point-offset-checkpoint"
LOG_STARTS: Final = "log-start-offset-checkpoint"
SOON_S: Final = 0.8
"""Several turns of what the cluster does every so often."""
MINUTE: Final = {"segment.ms": "60000"}
COMPACTED: Final = {**MINUTE, "cleanup.policy": "compact"}


def is_old_deleted(log: ProbedLog) -> bool:
    """Whether a closed segment of two hours ago goes."""
    log.fill("a")
    log.roll()
    end = log.bounds[1]
    time.sleep(SOON_S)
    return log.bounds[0] >= end - 1


def recovery_point(log: ProbedLog) -> str:
    """Where the log would be read from after a crash: from its end, or from somewhere before it."""
    log.fill("a")
    time.sleep(SOON_S)
    return "end" if log.checkpoint(RECOVERY_POINTS) == log.bounds[1] else "before"


def is_compacted(log: ProbedLog) -> bool:
    """Whether the first of two records with a key goes."""
    log.fill("1", "2", key="a")
    log.roll(key="b")
    time.sleep(SOON_S)
    return [record.offset for one in log.batches for record in one.records()] == [1, 2]


def horizon_of_a_tombstone(log: ProbedLog) -> str:
    """How long the first round says that a tombstone stays."""
    log.fill("1", key="a")
    log.send(None, key="a")  # type: ignore[arg-type]
    log.roll(key="b")
    time.sleep(SOON_S)
    for one in log.batches:
        if one.header.attributes & DELETE_HORIZON:
            return "hours" if one.header.base_timestamp > log.now_ms + HOUR_MS else "less"
    return "not compacted"


@pytest.mark.claim("M7", "R3", "R10")
@pytest.mark.setting("log.cleaner.backoff.ms", "log.flush.scheduler.interval.ms")
@pytest.mark.setting("log.flush.offset.checkpoint.interval.ms")
@on_all_levels(
    Setting(
        name="retention.ms",
        broker="log.retention.ms",
        value=str(HOUR_MS),
        seen=is_old_deleted,
        usual=False,
        wanted=True,
        of_topic=MINUTE,
    ),
    Setting(
        name="retention.bytes",
        broker="log.retention.bytes",
        value="1",
        seen=is_old_deleted,
        usual=False,
        wanted=True,
        of_topic=MINUTE,
    ),
    Setting(
        name="flush.messages",
        broker="log.flush.interval.messages",
        value="1",
        seen=recovery_point,
        usual="before",
        wanted="end",
    ),
    Setting(
        name="flush.ms",
        broker="log.flush.interval.ms",
        value="100",
        seen=recovery_point,
        usual="before",
        wanted="end",
    ),
    Setting(
        name="min.cleanable.dirty.ratio",
        broker="log.cleaner.min.cleanable.ratio",
        value="1.0",
        seen=is_compacted,
        usual=True,
        wanted=False,
        of_topic=COMPACTED,
        is_fresh=True,
    ),
    Setting(
        name="min.compaction.lag.ms",
        broker="log.cleaner.min.compaction.lag.ms",
        value=str(3 * HOUR_MS),
        seen=is_compacted,
        usual=True,
        wanted=False,
        of_topic=COMPACTED,
        is_fresh=True,
    ),
    Setting(
        name="max.compaction.lag.ms",
        broker="log.cleaner.max.compaction.lag.ms",
        value=str(HOUR_MS),
        seen=is_compacted,
        usual=False,
        wanted=True,
        of_topic={**COMPACTED, "min.cleanable.dirty.ratio": "1.0"},
        is_fresh=True,
    ),
    Setting(
        name="delete.retention.ms",
        broker="log.cleaner.delete.retention.ms",
        value="60000",
        seen=horizon_of_a_tombstone,
        usual="hours",
        wanted="less",
        of_topic=COMPACTED,
        is_fresh=True,
    ),
)
def test_a_setting_counts_while_the_broker_runs(
    cluster: Cluster, admin: RawAdmin, names: Names, tmp_path: Path, setting: Setting, level: Level
) -> None:
    require_effect(setting, level, cluster, admin, names, tmp_path)


@pytest.mark.claim("M7", "R4")
@pytest.mark.setting("log.flush.start.offset.checkpoint.interval.ms")
def test_where_a_log_starts_is_written_down_soon(
    cluster: Cluster, admin: RawAdmin, names: Names, tmp_path: Path
) -> None:
    """The log start offset that a deletion has moved is in its checkpoint after the interval."""
    topic = names.topic("probe")
    admin.create_topic(topic)
    log = ProbedLog(cluster, admin, topic, tmp_path)
    log.fill("a", "b", "c")
    log.delete_before(2)
    time.sleep(SOON_S)
    require(log.checkpoint(LOG_STARTS), 2, "the log's start in its checkpoint")
