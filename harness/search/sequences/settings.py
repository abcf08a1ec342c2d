"""Configs for topics, groups, client metrics and brokers, with valid, borderline and invalid values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final

from harness.search.strategies.setting_values import BROKER, CLIENT_METRICS, GROUP, TOPIC, Row, rows, values_of

BROKER_LOGGER: Final = 8

NUMBERS: Final = ("0", "1", "-1", "-2", "100000", "2147483647", "9223372036854775807", "9223372036854775808", "x", "")

TOPIC_VALUES: Final[Mapping[str, tuple[str | None, ...]]] = {
    "retention.ms": (*NUMBERS, "604800000", " 5000 ", "5e3", None),
    "retention.bytes": (*NUMBERS, "1048576"),
    "segment.bytes": ("1048576", "1048575", "14", "0", "-1", "x", "2147483648"),
    "segment.ms": ("1", "0", "60000", "-1"),
    "cleanup.policy": ("delete", "compact", "compact,delete", "delete, compact", "", "none", "compact,none", "Delete"),
    "compression.type": ("gzip", "zstd", "lz4", "snappy", "uncompressed", "producer", "none", "GZIP", "", None),
    "compression.gzip.level": ("-1", "1", "9", "0", "10"),
    "compression.lz4.level": ("1", "17", "0", "18"),
    "compression.zstd.level": ("3", "-131072", "22", "23", "-131073"),
    "max.message.bytes": ("0", "-1", "200", "1048588", "2147483647", "2147483648"),
    "min.insync.replicas": ("1", "2", "0", "-1"),
    "min.cleanable.dirty.ratio": ("0", "1", "0.5", "-0.1", "1.1", "1e-1", ".5", "0.5f", "NaN"),
    "message.timestamp.type": ("CreateTime", "LogAppendTime", "createtime", ""),
    "message.timestamp.before.max.ms": ("0", "-1", "1000"),
    "message.timestamp.after.max.ms": ("0", "-1", "3600000"),
    "unclean.leader.election.enable": ("true", "false", "TRUE", "yes", "", " true "),
    "preallocate": ("true", "false", "1"),
    "index.interval.bytes": ("0", "4096", "-1"),
    # Not 4, the smallest valid value: Kafka cannot create a log with it, nor the other logs of the same change.
    "segment.index.bytes": ("1000", "3", "1048576"),
    "delete.retention.ms": ("0", "-1", "86400000"),
    "min.compaction.lag.ms": ("0", "-1", "1000"),
    "max.compaction.lag.ms": ("0", "1", "1000", "9223372036854775807"),
    "flush.messages": ("1", "0", "9223372036854775807"),
    "flush.ms": ("0", "-1", "1000"),
    "file.delete.delay.ms": ("0", "60000", "-1"),
    "local.retention.ms": ("-2", "-3", "-1", "1000"),
    "local.retention.bytes": ("-2", "-3", "1000"),
    "remote.storage.enable": ("false", "true"),
    "follower.replication.throttled.replicas": ("*", "none", "", "0:1", "0:1,1:1", "0:x", "0"),
    "leader.replication.throttled.replicas": ("*", "none", "0:1", "a:b:c"),
    "segment.jitter.ms": ("0", "-1", "5"),
    "no.such.setting": ("1", "", None),
    "": ("1",),
}
"""Topic config → values to try, valid and invalid."""

GROUP_VALUES: Final[Mapping[str, tuple[str | None, ...]]] = {
    "consumer.session.timeout.ms": ("45000", "44999", "60000", "60001", "0", "x"),
    "consumer.heartbeat.interval.ms": ("5000", "4999", "15000", "15001", "-1"),
    "share.session.timeout.ms": ("45000", "60001"),
    "share.heartbeat.interval.ms": ("5000", "1"),
    "share.record.lock.duration.ms": ("15000", "60000", "999"),
    "share.auto.offset.reset": ("latest", "earliest", "by_duration:PT1H", "none", "by_duration:x"),
    "share.isolation.level": ("read_committed", "read_uncommitted", "other"),
    "no.such.setting": ("1",),
}

METRICS_VALUES: Final[Mapping[str, tuple[str | None, ...]]] = {
    "interval.ms": ("100", "99", "60000", "3600000", "3600001", "x"),
    "metrics": ("*", "", "org.apache.kafka.producer.", "a,b"),
    "match": ("client_id=a.*", "client_software_name=x", "other=1", "client_id=[", "", "client_id"),
    "no.such.setting": ("1",),
}

BROKER_VALUES: Final[Mapping[str, tuple[str | None, ...]]] = {
    "log.retention.ms": ("1000", "-1", "-2", "x"),
    "message.max.bytes": ("1000", "-1"),
    "num.io.threads": ("2", "100", "0"),
    "log.cleaner.threads": ("1", "-1"),
    "compression.type": ("gzip", "x"),
    "node.id": ("7",),
    "log.dirs": ("/nowhere",),
    "no.such.setting": ("1",),
}

VALUES: Final = {TOPIC: TOPIC_VALUES, GROUP: GROUP_VALUES, CLIENT_METRICS: METRICS_VALUES, BROKER: BROKER_VALUES}
"""Resource type → config → values to try."""

LEGAL: Final[Mapping[int, tuple[tuple[str, str | None], ...]]] = {
    TOPIC: (
        ("retention.ms", "60000000"),
        ("cleanup.policy", "compact"),
        ("compression.type", "gzip"),
        ("max.message.bytes", "5000"),
        ("min.insync.replicas", "1"),
        ("segment.bytes", "1048576"),
        ("flush.messages", "100"),
    ),
    GROUP: (("consumer.session.timeout.ms", "45000"), ("share.auto.offset.reset", "earliest")),
    CLIENT_METRICS: (("interval.ms", "60000"), ("metrics", "*")),
}
"""Resource type → configs with values that are always valid."""


UNTRIED: Final[Mapping[str, tuple[str, ...]]] = {"segment.index.bytes": ("4", "5", str(2**31 - 1))}
"""Config → valid values that must not be tried: with them, Kafka cannot create the log, nor the other logs of the same
change, or it runs out of memory."""


def setting(random: Random, resource_type: int) -> tuple[str, str | None]:
    """A random (config, value) for a resource type: a valid one, one from VALUES, or any from Kafka's config tables."""
    if resource_type == TOPIC and random.random() < 0.5:
        return random.choice(LEGAL[TOPIC])
    if resource_type in VALUES and random.random() < 0.5:
        row = random.choice(_tried(resource_type))
        return row.name, random.choice([one for one in values_of(row) if _is_tried(resource_type, row.name, one)])
    values = VALUES.get(resource_type, TOPIC_VALUES)
    name = random.choice(list(values))
    return name, random.choice(values[name])


def legal_settings(random: Random, resource_type: int, count: int) -> list[tuple[str, str | None]]:
    """Valid (config, value) pairs that go with a `setting` in one request.

    Of several invalid ones Kafka names the one that it looks at first, and no document tells which that is.
    """
    return [random.choice(LEGAL[resource_type]) for _ in range(count)] if resource_type in LEGAL else []


def _is_tried(resource_type: int, name: str, value: str | None) -> bool:
    """Whether a value may be tried. Not a group config with blanks around its value: Kafka accepts it, but then does
    not show that the group has configs."""
    has_blanks = value is not None and value != value.strip()
    return value not in UNTRIED.get(name, ()) and not (resource_type == GROUP and has_blanks)


def _tried(resource_type: int) -> list[Row]:
    """The configs that a sequence may change; for brokers, only those that can be changed cluster-wide at run time."""
    found = [row for row in rows(resource_type).values() if not row.is_internal]
    if resource_type != BROKER:
        return found
    # Not strings with free values: they refer to something outside of the node.
    changeable = [row for row in found if row.is_changeable]
    return [row for row in changeable if row.limits or row.words or row.kind in ("BOOLEAN", "DOUBLE")]
