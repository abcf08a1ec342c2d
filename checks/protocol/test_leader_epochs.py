"""A restarted leader has a new epoch, and the end offset of the old one is known.

**Claim** After a restart a leader has a newer epoch. Clients with the older epoch are fenced, OffsetForLeaderEpoch
answers with the end offset of the older epoch, and a client that has read beyond it learns where its log diverges.
**Why it matters** Without epochs a client would take new records for those that had the same offsets before.
**Kafka says** KIP-101, KIP-320 (fencing), KIP-595 (diverging epochs in Fetch).
**Cannot see** Records that are lost with a leader: there is only one replica.
**Rejects** tests/plants/ends_an_epoch_too_early.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import batch, fetch, list_offsets, produce, produce_quietly
from harness.pytest_plugin.strike import Strike
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.messages.offset_for_leader_epoch_request import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from reference_broker.wire.primitives import BrokerId, TopicName

pytestmark = [pytest.mark.feature("OffsetForLeaderEpoch"), pytest.mark.kip(101, 320, 595)]


def epoch_of(exchange: Exchange, topic: TopicName) -> int:
    about = MetadataRequest(topics=(MetadataRequestTopic(name=topic),), allow_auto_topic_creation=False)
    epoch: int = exchange.quietly(about).topics[0].partitions[0].leader_epoch
    return epoch


def end_of(topic: TopicName, epoch: int, current: int = -1) -> OffsetForLeaderEpochRequest:
    wanted = OffsetForLeaderPartition(partition=0, current_leader_epoch=current, leader_epoch=epoch)
    return OffsetForLeaderEpochRequest(
        replica_id=BrokerId(-1), topics=(OffsetForLeaderTopic(topic=topic, partitions=(wanted,)),)
    )


def test_epochs_after_a_restart(exchange: Exchange, strike: Strike) -> None:
    """After two records, a restart and a third record, the ends of both epochs are known, and the older epoch is
    fenced."""
    topic = exchange.topic()
    produce_quietly(exchange, topic, "a", "b")
    old = epoch_of(exchange, topic)
    strike("restart", topic=topic)
    exchange.await_topic(topic)
    new = epoch_of(exchange, topic)
    assert new > old
    answer = exchange.ask("a third record", produce(topic, batch("c")), 9)
    assert answer.responses[0].partition_responses[0].base_offset == 2

    read = exchange.ask("all records", fetch(topic), 12).responses[0].partitions[0]
    assert read.high_watermark == 3
    for version in (9, 12, 18):
        where = exchange.topic_id(topic) if version >= 13 else topic
        answer = exchange.ask("records, in the old epoch", fetch(where, current_leader_epoch=old), version)
        assert answer.responses[0].partitions[0].error_code == ErrorCode.FENCED_LEADER_EPOCH
    for version in (4, 11):
        answer = exchange.ask("the end, in the old epoch", list_offsets(topic, -1, epoch=old), version)
        assert answer.topics[0].partitions[0].error_code == ErrorCode.FENCED_LEADER_EPOCH
    for version in (2, 4):
        answer = exchange.ask("the end of the old epoch, in the old epoch", end_of(topic, old, old), version)
        assert answer.topics[0].partitions[0].error_code == ErrorCode.FENCED_LEADER_EPOCH
        answer = exchange.ask("the end of the old epoch", end_of(topic, old, new), version)
        assert answer.topics[0].partitions[0].end_offset == 2
        answer = exchange.ask("the end of the new epoch", end_of(topic, new, new), version)
        assert answer.topics[0].partitions[0].end_offset == 3

    for version in (12, 18):
        where = exchange.topic_id(topic) if version >= 13 else topic
        same = fetch(where, 2, current_leader_epoch=new, last_fetched_epoch=old)
        found = exchange.ask("from 2, after records of the old epoch", same, version).responses[0].partitions[0]
        assert found.diverging_epoch.end_offset == -1
        other = fetch(where, 3, current_leader_epoch=new, last_fetched_epoch=old)
        found = exchange.ask("from 3, after records of the old epoch", other, version).responses[0].partitions[0]
        assert (found.diverging_epoch.epoch, found.diverging_epoch.end_offset) == (old, 2)
