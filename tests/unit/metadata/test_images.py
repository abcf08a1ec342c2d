"""An image never changes; the next one shares what stayed as it was, and equal metadata is equal in every detail."""

from __future__ import annotations

import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from metadata_records import (
    EMPTY,
    broker,
    image_of,
    led_by,
    names,
    partition,
    removed,
    renamed,
    replayed,
    setting,
    topic,
    topic_id,
)

from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import MetadataImage
from reference_broker.wire.metadata_records import VersionedRecord

RECORDS = (topic("b"), partition("b"), partition("b", 1), topic("a"), setting("retention.ms", "5", "a"), broker(2))


def test_an_image_stays_as_it_was_when_the_next_one_is_made() -> None:
    before = image_of(topic("t"), partition("t"))
    replayed(led_by("t", 2), over=before)
    assert before.topics.by_name["t"].partitions[0].leader == 1


def test_a_topic_that_did_not_change_is_the_same_object_in_the_next_image() -> None:
    before = image_of(topic("t"), partition("t"), topic("u"))
    after = replayed(led_by("t", 2), over=before).after
    assert after.topics.by_name["u"] is before.topics.by_name["u"]


def test_families_that_did_not_change_are_the_same_objects_in_the_next_image() -> None:
    before = image_of(*RECORDS)
    after = replayed(setting("retention.ms", "6", "a"), over=before).after
    assert (after.topics, after.cluster, after.features, after.kept) == (
        before.topics,
        before.cluster,
        before.features,
        before.kept,
    )
    assert after.topics is before.topics


def test_an_image_that_was_made_stays_when_its_delta_goes_on() -> None:
    delta = replayed(topic("t"), partition("t"))
    first = delta.after
    delta.replay(*led_by("t", 2))
    assert (first.topics.by_name["t"].partitions[0].leader, delta.after.topics.by_name["t"].partitions[0].leader) == (
        1,
        2,
    )


def test_topics_are_listed_by_name_in_whichever_order_they_came() -> None:
    assert names(image_of(topic("c"), topic("a"), topic("b")).topics) == ["a", "b", "c"]


def test_partitions_are_listed_by_index_in_whichever_order_they_came() -> None:
    image = image_of(topic("t"), partition("t", 2), partition("t", 0), partition("t", 1))
    assert list(image.topics.by_name["t"].partitions) == [0, 1, 2]


def test_a_topic_of_the_same_name_with_another_id_takes_its_place() -> None:
    before = image_of(topic("t"), partition("t"))
    removal, again = removed("t"), renamed("t", "other")
    after = replayed(removal, again, over=before).after
    assert (after.topics.by_name["t"].id, topic_id("t") in after.topics.by_id) == (topic_id("other"), False)


def test_a_name_collides_with_one_whose_metrics_have_the_same_name() -> None:
    assert image_of(topic("a.b")).topics.colliding("a_b") == "a.b"


def test_a_name_does_not_collide_with_a_topic_that_is_gone() -> None:
    assert replayed(removed("a.b"), over=image_of(topic("a.b"))).after.topics.colliding("a_b") is None


def test_the_records_of_an_image_make_it_again() -> None:
    image = image_of(*RECORDS)
    assert MetadataDelta.of(EMPTY, image.records(), image.offset, image.epoch).after == image


@given(st.permutations([topic("a"), topic("b"), broker(1), broker(2), setting("x", "1", "a"), setting("x", "1", "b")]))
def test_records_that_do_not_touch_each_other_make_the_same_snapshot_in_every_order(
    records: list[VersionedRecord],
) -> None:
    assert list(image_of(*records).records()) == list(image_of(*sorted(records, key=repr)).records())


def test_a_change_of_one_topic_among_many_shares_the_maps_of_the_others() -> None:
    before = image_of(*(topic(f"t{number}") for number in range(1_000)))
    after = replayed(topic("new"), over=before).after
    same = sum(after.topics.by_name[one.name] is one for one in before.topics)
    assert (same, len(after.topics)) == (1_000, 1_001)


def test_a_change_of_one_partition_among_many_does_not_look_at_the_others() -> None:
    few, many = (image_of(topic("t"), *(partition("t", index) for index in range(count))) for count in (20, 2_000))
    assert calls_of_a_change(many) - calls_of_a_change(few) < 20


def calls_of_a_change(before: MetadataImage) -> int:
    """How many functions a change of one partition calls, to its image and to what is told of it."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        delta = replayed(led_by("t", 2), over=before)
        _ = delta.after, delta.changed_topics[topic_id("t")].changed_partitions()
    finally:
        sys.setprofile(None)
    return count


def test_partitions_are_listed_although_some_are_missing() -> None:
    image = image_of(topic("t"), partition("t", 0), partition("t", 3), partition("t", 2))
    assert [one.index for one in image.topics.by_name["t"].partitions.values()] == [0, 2, 3]


def test_a_new_image_knows_nothing() -> None:
    assert list(MetadataImage(cluster_id="C").records()) == []
