"""A fetcher's side of a fetch session: what it says, and what it makes of the answers."""

from __future__ import annotations

import pytest

from reference_broker.replication.fetcher_session import FetcherSession
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
