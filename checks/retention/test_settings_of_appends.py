"""Settings that decide what a log takes, and how.

**Claim** max.message.bytes, message.timestamp.type, message.timestamp.before.max.ms, message.timestamp.after.max.ms,
compression.type and the levels of compression, and cleanup.policy (records without keys) count for the next batch when
they are set on a topic; on a topic without a value of its own, when their counterparts are set on its broker or as the
cluster's default; and no longer when they are unset. Nothing needs a restart.

**Why it matters** An operator who has changed a setting looks at what the cluster does next.

**Kafka says** topic configurations; broker configurations and their update modes; KIP-226 (dynamic broker
configuration), KIP-390 (levels of compression), KIP-937 (limits of timestamps).

**Cannot see** which of several synonyms a broker prefers (metadata/describe_configs).

**Rejects** tests/plants/applies_broker_settings_at_a_restart.py, tests/plants/compresses_at_one_level.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.retention.broker_settings import Level
from checks.retention.probed_log import HOUR_MS, SETTINGS_CLUSTER, ProbedLog, Setting, on_all_levels, require_effect
from harness.clients.leader_connections import RawAdmin
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.cluster(config=SETTINGS_CLUSTER),
    pytest.mark.feature("Settings"),
    pytest.mark.kip(226, 390, 937),
    pytest.mark.document("Topic Configs", "https://kafka.apache.org/documentation/#topicconfigs"),
    pytest.mark.document("Broker Configs", "https://kafka.apache.org/documentation/#brokerconfigs"),
]
WORDS = " ".join(f"{number * 7919 % 1000} orders of {number * 104729 % 100} kinds" for number in range(600))
"""Text that each level of compression makes smaller by another amount."""


def answer_to_a_large_batch(log: ProbedLog) -> str:
    return log.send("x" * 3_000)


def type_of_time(log: ProbedLog) -> str:
    log.fill("a")
    return "LogAppendTime" if log.batches[-1].header.is_log_append_time else "CreateTime"


def answer_to_an_old_batch(log: ProbedLog) -> str:
    return log.send("a", timestamp=log.now_ms - HOUR_MS)


def answer_to_a_batch_of_the_future(log: ProbedLog) -> str:
    return log.send("a", timestamp=log.now_ms + HOUR_MS // 2)


def codec(log: ProbedLog) -> str:
    log.fill(WORDS)
    return log.batches[-1].header.compression.name.lower()


def is_as_usual(log: ProbedLog) -> bool:
    """Whether a batch takes as many bytes as the first that was sent to the topic."""
    log.fill(WORDS)
    sizes = [one.header.batch_length for one in log.batches]
    return sizes[-1] == sizes[0]


def answer_without_a_key(log: ProbedLog) -> str:
    return log.send("a")


@pytest.mark.claim("M7")
@on_all_levels(
    Setting(
        name="max.message.bytes",
        broker="message.max.bytes",
        value="2000",
        seen=answer_to_a_large_batch,
        usual="NONE",
        wanted="MESSAGE_TOO_LARGE",
    ),
    Setting(
        name="message.timestamp.type",
        broker="log.message.timestamp.type",
        value="LogAppendTime",
        seen=type_of_time,
        usual="CreateTime",
        wanted="LogAppendTime",
    ),
    Setting(
        name="message.timestamp.before.max.ms",
        broker="log.message.timestamp.before.max.ms",
        value="60000",
        seen=answer_to_an_old_batch,
        usual="NONE",
        wanted="INVALID_TIMESTAMP",
    ),
    Setting(
        name="message.timestamp.after.max.ms",
        broker="log.message.timestamp.after.max.ms",
        value="60000",
        seen=answer_to_a_batch_of_the_future,
        usual="NONE",
        wanted="INVALID_TIMESTAMP",
    ),
    Setting(
        name="compression.type",
        broker="compression.type",
        value="gzip",
        seen=codec,
        usual="none",
        wanted="gzip",
    ),
    Setting(
        name="compression.gzip.level",
        broker="compression.gzip.level",
        value="1",
        seen=is_as_usual,
        usual=True,
        wanted=False,
        of_topic={"compression.type": "gzip"},
    ),
    Setting(
        name="compression.lz4.level",
        broker="compression.lz4.level",
        value="1",
        seen=is_as_usual,
        usual=True,
        wanted=False,
        of_topic={"compression.type": "lz4"},
    ),
    Setting(
        name="compression.zstd.level",
        broker="compression.zstd.level",
        value="-7",
        seen=is_as_usual,
        usual=True,
        wanted=False,
        of_topic={"compression.type": "zstd"},
    ),
    Setting(
        name="cleanup.policy",
        broker="log.cleanup.policy",
        value="compact",
        seen=answer_without_a_key,
        usual="NONE",
        wanted="INVALID_RECORD",
    ),
)
def test_a_setting_counts_for_the_next_batch(
    cluster: Cluster, admin: RawAdmin, names: Names, tmp_path: Path, setting: Setting, level: Level
) -> None:
    require_effect(setting, level, cluster, admin, names, tmp_path)
