"""The order in which Kafka looks at the settings of a resource: of several wrong ones it names the first.

Source: the answers of Kafka 4.3.1 to requests with two wrong settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

TOPIC_SETTINGS: Final = (
    *("segment.bytes", "segment.ms", "segment.jitter.ms", "segment.index.bytes", "flush.messages", "flush.ms"),
    *("retention.bytes", "retention.ms", "max.message.bytes", "index.interval.bytes", "delete.retention.ms"),
    *("min.compaction.lag.ms", "max.compaction.lag.ms", "file.delete.delay.ms", "min.cleanable.dirty.ratio"),
    *("cleanup.policy", "unclean.leader.election.enable", "min.insync.replicas", "compression.type"),
    *("compression.gzip.level", "compression.lz4.level", "compression.zstd.level", "preallocate"),
    *("message.timestamp.type", "message.timestamp.before.max.ms", "message.timestamp.after.max.ms"),
    *("leader.replication.throttled.replicas", "follower.replication.throttled.replicas", "remote.storage.enable"),
    *("local.retention.ms", "local.retention.bytes", "remote.log.copy.disable", "remote.log.delete.on.disable"),
)
GROUP_SETTINGS: Final = (
    *("consumer.session.timeout.ms", "consumer.heartbeat.interval.ms", "consumer.assignment.interval.ms"),
    *("share.session.timeout.ms", "share.heartbeat.interval.ms", "share.record.lock.duration.ms"),
    *("share.delivery.count.limit", "share.partition.max.record.locks", "share.auto.offset.reset"),
    *("share.isolation.level", "share.renew.acknowledge.enable", "share.assignment.interval.ms"),
    *("streams.session.timeout.ms", "streams.heartbeat.interval.ms", "streams.num.standby.replicas"),
    *("streams.initial.rebalance.delay.ms", "streams.assignment.interval.ms"),
)
METRICS_SETTINGS: Final = ("metrics", "interval.ms", "match")

RANK: Final = {
    name: rank for names in (TOPIC_SETTINGS, GROUP_SETTINGS, METRICS_SETTINGS) for rank, name in enumerate(names)
}


def in_order(names: Iterable[str]) -> list[str]:
    """The names of one resource's settings as they are looked at; unknown ones last, as they came."""
    return sorted(names, key=lambda name: RANK.get(name, len(RANK)))
