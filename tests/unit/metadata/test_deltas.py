"""A delta tells what changed, before and after; records of a transaction count when it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from metadata_records import (
    EMPTY,
    broker,
    image_of,
    led_by,
    partition,
    removed,
    replayed,
    setting,
    to_snapshot,
    topic,
    topic_id,
)

from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import TOPIC
from reference_broker.wire.messages.abort_transaction_record import AbortTransactionRecord
from reference_broker.wire.messages.begin_transaction_record import BeginTransactionRecord
from reference_broker.wire.messages.clear_elr_record import ClearElrRecord
from reference_broker.wire.messages.end_transaction_record import EndTransactionRecord
from reference_broker.wire.messages.feature_level_record import FeatureLevelRecord
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.primitives import BrokerId, TopicName

BEGIN, END, ABORT = (
    (BeginTransactionRecord(name="x"), 0),
    (EndTransactionRecord(), 0),
    (AbortTransactionRecord(reason=""), 0),
)


def test_a_new_topic_was_not_there_before() -> None:
    change = replayed(topic("t"), partition("t")).changed_topics[topic_id("t")]
    assert (change.before, change.after and change.after.name) == (None, "t")


def test_a_topic_that_is_gone_is_told_as_it_was() -> None:
    delta = replayed(removed("t"), over=image_of(topic("t"), partition("t")))
    assert [(one.name, len(one.partitions)) for one in delta.deleted_topics.values()] == [("t", 1)]


def test_a_topic_that_came_and_went_is_not_told() -> None:
    assert replayed(topic("t"), partition("t"), removed("t")).is_empty


def test_only_the_partitions_that_changed_are_told() -> None:
    before = image_of(topic("t"), *(partition("t", index) for index in range(5)))
    change = replayed(led_by("t", 2, index=3), over=before).changed_topics[topic_id("t")]
    assert [one.index for one in change.changed_partitions()] == [3]


def test_a_deleted_topic_takes_its_settings_along() -> None:
    delta = replayed(removed("t"), over=image_of(topic("t"), setting("retention.ms", "5")))
    assert delta.changed_configs == {(TOPIC, "t"): ({"retention.ms": "5"}, {})}


def test_a_resource_whose_last_setting_goes_is_no_longer_configured() -> None:
    after = replayed(setting("retention.ms", None), over=image_of(setting("retention.ms", "5"))).after
    assert (TOPIC, "t") not in after.configs


def test_a_broker_is_told_before_and_after() -> None:
    change = replayed(broker(1)).changed_brokers[1]
    assert (change.before, change.after and change.after.epoch) == (None, 100)


def test_a_feature_at_level_zero_is_gone() -> None:
    before = image_of((FeatureLevelRecord(name="f", feature_level=1), 0))
    delta = replayed((FeatureLevelRecord(name="f", feature_level=0), 0), over=before)
    assert (delta.changed_features, dict(delta.after.features)) == ({"f": (1, 0)}, {})


def test_the_level_of_kraft_version_is_not_in_the_image() -> None:
    assert replayed((FeatureLevelRecord(name="kraft.version", feature_level=1), 0)).is_empty


def test_the_eligible_replicas_of_all_topics_are_cleared_by_an_empty_name() -> None:
    eligible = PartitionChangeRecord(partition_id=0, topic_id=topic_id("t"), eligible_leader_replicas=(BrokerId(2),))
    before = image_of(topic("t"), partition("t"), topic("u"), partition("u"), (eligible, 2))
    delta = replayed((ClearElrRecord(topic_name=TopicName("")), 0), over=before)
    assert (list(delta.changed_topics), delta.after.topics.by_name["t"].partitions[0].elr) == ([topic_id("t")], ())


def test_records_of_a_transaction_count_when_it_ends() -> None:
    open_one = replayed(BEGIN, topic("t"))
    ended = MetadataDelta(open_one.after, open_one.transaction)
    ended.replay_batch([END], 9, 1)
    assert ("t" in open_one.after.topics, "t" in ended.after.topics) == (False, True)


def test_an_image_ends_before_a_transaction_that_is_open() -> None:
    before = image_of(topic("t"))
    assert replayed(BEGIN, topic("u"), over=before).after.offset == before.offset


def test_records_of_a_transaction_that_is_aborted_never_count() -> None:
    assert replayed(BEGIN, topic("t"), ABORT).is_empty


def test_a_snapshot_takes_away_what_it_does_not_name() -> None:
    before = image_of(topic("t"), partition("t"), topic("u"), setting("retention.ms", "5", "u"), broker(1))
    kept = image_of(topic("t"), partition("t"))
    delta = to_snapshot(before, kept.records())
    assert (list(delta.changed_topics), list(delta.changed_configs), list(delta.changed_brokers)) == (
        [topic_id("u")],
        [(TOPIC, "u")],
        [1],
    )


def test_a_snapshot_makes_the_image_that_its_records_make() -> None:
    wanted = image_of(topic("t"), partition("t"), broker(2), setting("retention.ms", "7"))
    before = image_of(topic("t"), partition("t", leader=3), topic("u"), broker(1))
    after = to_snapshot(before, wanted.records(), slices=5).after
    assert after == replace(wanted, offset=50, epoch=3)


def test_a_snapshot_is_the_difference_to_nothing_at_the_start() -> None:
    wanted = image_of(topic("t"), partition("t"), broker(2))
    delta = to_snapshot(EMPTY, wanted.records(), slices=2)
    assert (delta.before, delta.after) == (EMPTY, replace(wanted, offset=50, epoch=3))


def test_a_snapshot_leaves_equal_partitions_the_objects_that_they_were() -> None:
    before = image_of(topic("t"), partition("t"), partition("t", 1))
    changed = replayed(led_by("t", 2, index=1), over=before).after
    change = to_snapshot(before, changed.records()).changed_topics[topic_id("t")]
    assert [one.index for one in change.changed_partitions()] == [1]


def test_a_change_of_a_topic_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        replayed(led_by("t", 2))
