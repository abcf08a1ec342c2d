"""The cache of fetch sessions: who gets a place when there is none left."""

from __future__ import annotations

import random

import pytest

from reference_broker.metadata.topics import TopicImage
from reference_broker.replication.fetch_session import EVICTION_MS, LARGEST_ID, FetchSessions, Found, Wanted, next_epoch
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest
from reference_broker.wire.messages.fetch_response import PartitionData
from reference_broker.wire.primitives import ZERO_UUID, Uuid


def sessions(capacity: int = 8) -> FetchSessions:
    return FetchSessions(random=random.Random(1), capacity=capacity)


def begin(cache: FetchSessions, monotonic_ms: int, *, size: int = 1, follower: tuple[int, int] | None = None) -> int:
    found: list[Found] = [
        (Wanted("t", ZERO_UUID, index, FetchPartition(partition=index)), PartitionData(), 0) for index in range(size)
    ]
    return cache.begin(found, follower=follower, uses_topic_ids=False, monotonic_ms=monotonic_ms)


def use(cache: FetchSessions, session_id: int, epoch: int, monotonic_ms: int) -> None:
    request = FetchRequest(session_id=session_id, session_epoch=epoch)
    assert not cache.plan(request, 12, {}, follower=None, monotonic_ms=monotonic_ms).error


def test_a_full_cache_gives_no_session() -> None:
    cache = sessions()
    assert all(begin(cache, 0) for _ in range(8))
    assert begin(cache, 0) == 0


def test_a_cache_below_one_session_a_shard_has_room_for_none() -> None:
    assert begin(sessions(7), 0) == 0


def test_a_session_that_was_long_unused_makes_room() -> None:
    cache = sessions()
    for _ in range(8):
        begin(cache, 0)
    assert begin(cache, EVICTION_MS) == 0
    assert begin(cache, EVICTION_MS + 1) > 0
    assert len(cache) == 8


def test_a_follower_takes_a_consumers_place() -> None:
    cache = sessions()
    for _ in range(8):
        begin(cache, 0)
    assert begin(cache, 0, follower=(2, 1)) > 0


def test_a_follower_does_not_take_another_new_followers_place() -> None:
    cache = sessions()
    for _ in range(8):
        begin(cache, 0, follower=(2, 1))
    assert begin(cache, 0, follower=(2, 1), size=5) == 0


@pytest.mark.parametrize(("size", "has_room"), [(1, False), (3, True)])
def test_a_larger_session_takes_the_place_of_a_smaller_one_that_is_not_new(size: int, has_room: bool) -> None:
    cache = sessions()
    ids = [begin(cache, 0, size=2) for _ in range(8)]
    for step, monotonic_ms in enumerate((EVICTION_MS, EVICTION_MS + 1), start=1):
        for session_id in ids:
            use(cache, session_id, step, monotonic_ms)
    assert (begin(cache, EVICTION_MS + 2, size=size) > 0) == has_room


def test_epochs_go_on_with_one_after_the_largest() -> None:
    assert (next_epoch(1), next_epoch(LARGEST_ID)) == (2, 1)


def test_a_topic_id_that_is_learnt_later_gets_its_name_in_the_session() -> None:
    cache, topic_id = sessions(), Uuid(b"x" * 16)
    wanted = Wanted(None, topic_id, 0, FetchPartition())
    session_id = cache.begin([(wanted, PartitionData(), 0)], follower=None, uses_topic_ids=True, monotonic_ms=0)
    request = FetchRequest(session_id=session_id, session_epoch=1)
    plan = cache.plan(request, 13, {topic_id: TopicImage("t", topic_id, {})}, follower=None, monotonic_ms=0)
    assert [one.topic for one in plan.wanted] == ["t"]
