"""A fetcher's side of a fetch session: what it says, and what it makes of the answers."""

from __future__ import annotations

import pytest

from reference_broker.replication.fetcher_session import FetcherSession
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition
from reference_broker.wire.messages.fetch_response import FetchResponse
from reference_broker.wire.primitives import Uuid

TOPIC_ID = Uuid(b"t" * 16)


def wanted(**offsets: int) -> dict[tuple[Uuid, int], FetchPartition]:
    parts = {int(name[1:]): offset for name, offset in offsets.items()}
    return {(TOPIC_ID, index): FetchPartition(partition=index, fetch_offset=at) for index, at in parts.items()}


def said(session: FetcherSession, **offsets: int) -> tuple[list[int], list[int]]:
    """The partitions that are asked for and forgotten by the next request."""
    topics, forgotten = session.next(wanted(**offsets), {TOPIC_ID: "t"})
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
    assert said(session, p0=0) == ([], [1])


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
    assert said(session, p0=0) == ([0], [])


def test_the_epoch_grows_with_every_answer(session: FetcherSession) -> None:
    said(session, p0=1)
    session.on_response(FetchResponse(session_id=7))
    assert session.epoch == 2
