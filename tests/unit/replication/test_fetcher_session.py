"""A fetcher's side of a fetch session: what it says, and what it makes of the answers."""

from __future__ import annotations

import pytest

from reference_broker.replication.fetcher_session import NEW_AT_ONCE, FetcherSession
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition
from reference_broker.wire.messages.fetch_response import FetchResponse
from reference_broker.wire.primitives import Uuid

TOPIC_ID = Uuid(b"t" * 16)


def said(session: FetcherSession, *gone: int, **offsets: int) -> tuple[list[int], list[int]]:
    """The partitions that are asked for and forgotten by the next request, when these are wanted and those not."""
    for name, at in offsets.items():
        index = int(name[1:])
        session.want((TOPIC_ID, index), FetchPartition(partition=index, fetch_offset=at))
    for index in gone:
        session.forget((TOPIC_ID, index))
    topics, forgotten = session.next()
    return (
        [one.partition for topic in topics for one in topic.partitions],
        [index for topic in forgotten for index in topic.partitions],
    )


@pytest.fixture
def session() -> FetcherSession:
    """One that has begun with two partitions."""
    session = FetcherSession()
    said(session, p0=0, p1=0)
    session.on_response(FetchResponse(session_id=7))
    return session


def test_a_session_begins_with_all_partitions() -> None:
    assert said(FetcherSession(), p0=0, p1=5) == ([0, 1], [])


def test_only_what_changed_is_said_again(session: FetcherSession) -> None:
    assert (session.id, session.epoch) == (7, 1)
    assert said(session, p0=0, p1=3) == ([1], [])


def test_a_partition_that_is_not_wanted_any_more_is_forgotten(session: FetcherSession) -> None:
    assert said(session, 1) == ([], [1])


def test_a_session_that_the_leader_does_not_know_begins_again(session: FetcherSession) -> None:
    assert not session.on_response(FetchResponse(error_code=ErrorCode.FETCH_SESSION_ID_NOT_FOUND))
    assert (session.id, session.epoch) == (0, 0)
    assert said(session, p0=0, p1=0) == ([0, 1], [])


def test_after_a_wrong_epoch_the_old_session_is_closed_by_a_full_fetch(session: FetcherSession) -> None:
    assert not session.on_response(FetchResponse(error_code=ErrorCode.INVALID_FETCH_SESSION_EPOCH))
    assert (session.id, session.epoch) == (7, 0)


def test_a_leader_without_room_for_a_session_is_asked_in_full_each_time() -> None:
    session = FetcherSession()
    said(session, p0=0)
    assert session.on_response(FetchResponse(session_id=0))
    assert said(session) == ([0], [])


def test_the_epoch_grows_with_every_answer(session: FetcherSession) -> None:
    said(session, p0=1)
    session.on_response(FetchResponse(session_id=7))
    assert session.epoch == 2


def test_a_partition_that_is_wanted_again_before_the_next_request_is_not_forgotten(session: FetcherSession) -> None:
    session.forget((TOPIC_ID, 1))
    assert said(session, p1=4) == ([1], [])


def test_who_got_something_comes_last_in_a_full_request(session: FetcherSession) -> None:
    session.put_last((TOPIC_ID, 0))
    session.on_lost()
    assert said(session) == ([1, 0], [])


def wanting(count: int) -> FetcherSession:
    """A session in which so many partitions are wanted, and no request was made."""
    session = FetcherSession()
    for index in range(count):
        session.want((TOPIC_ID, index), FetchPartition(partition=index))
    return session


def test_a_leader_is_told_of_many_partitions_some_at_a_time() -> None:
    session = wanting(2 * NEW_AT_ONCE + 1)

    told = []
    for _ in range(3):
        told.append(said(session)[0])
        session.on_response(FetchResponse(session_id=7))

    assert [len(one) for one in told] == [NEW_AT_ONCE, NEW_AT_ONCE, 1]
    assert [index for one in told for index in one] == list(range(2 * NEW_AT_ONCE + 1))
    assert not session.has_more


def test_what_changed_is_said_beside_what_is_new() -> None:
    session = wanting(NEW_AT_ONCE + 1)
    said(session)
    session.on_response(FetchResponse(session_id=7))

    assert said(session, p3=9) == ([3, NEW_AT_ONCE], [])


def test_a_partition_of_which_the_leader_knows_nothing_has_not_been_asked_for() -> None:
    session = wanting(NEW_AT_ONCE + 1)
    said(session)

    assert session.asked((TOPIC_ID, 0)) is not None
    assert session.asked((TOPIC_ID, NEW_AT_ONCE)) is None


def test_a_partition_that_is_wanted_no_more_before_the_leader_knew_of_it_is_not_forgotten() -> None:
    session = wanting(NEW_AT_ONCE + 1)
    said(session)
    session.on_response(FetchResponse(session_id=7))

    assert said(session, NEW_AT_ONCE) == ([], [])


def test_after_a_loss_those_come_first_of_which_no_leader_was_told() -> None:
    session = wanting(NEW_AT_ONCE + 1)
    said(session)
    session.on_lost()

    assert said(session)[0] == [NEW_AT_ONCE, *range(NEW_AT_ONCE - 1)]


def test_a_leader_without_room_for_a_session_is_told_of_all_partitions_at_once() -> None:
    session = wanting(NEW_AT_ONCE + 1)
    said(session)
    session.on_response(FetchResponse(session_id=0))

    assert sorted(said(session)[0]) == list(range(NEW_AT_ONCE + 1))
