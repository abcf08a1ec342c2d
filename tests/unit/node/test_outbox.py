"""What parts of a node ask for, and how they hear of the outcome."""

from __future__ import annotations

from typing import Any

from reference_broker.effects import Flush, Outbox, Peer, PeerLost, Send
from reference_broker.environment import Now
from reference_broker.waiting import Later
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.vote_request import VoteRequest
from reference_broker.wire.refusal import KafkaError

NOW = Now(1_000, 5)
PEER = Peer(2, "127.0.0.1", 9093)


def test_the_outcome_of_a_request_is_told_to_the_part_that_sent_it_and_once() -> None:
    outbox = Outbox()
    told: list[Any] = []
    for number in range(2):
        outbox.send(
            PEER,
            ApiKey.VOTE,
            VoteRequest(),
            channel="raft",
            timeout_ms=500,
            then=lambda outcome, now, number=number: told.append((number, outcome)),  # type: ignore[misc]
        )
    first, second = outbox.take()
    assert isinstance(first, Send)
    assert isinstance(second, Send)
    outbox.settle(second.token, "response", NOW)
    outbox.settle(first.token, PeerLost("refused"), NOW)
    outbox.settle(first.token, "too late", NOW)
    assert told == [(1, "response"), (0, PeerLost("refused"))]


def test_a_flush_tells_none_when_all_is_stable_and_the_error_where_it_is_not() -> None:
    outbox = Outbox()
    told: list[OSError | None] = []
    outbox.flush((), lambda error, now: told.append(error))
    outbox.flush((), lambda error, now: told.append(error))
    good, bad = outbox.take()
    assert isinstance(good, Flush)
    assert isinstance(bad, Flush)
    broken = OSError(5, "Input/output error")
    outbox.settle(good.token, None, NOW)
    outbox.settle(bad.token, broken, NOW)
    assert told == [None, broken]


def test_an_answer_that_comes_later_comes_once() -> None:
    later = Later()
    told: list[Any] = []
    later.then(told.append)
    later.complete("first")
    later.complete("second")
    assert told == ["first"]


def test_an_answer_that_is_known_before_anyone_asks_is_told_at_once() -> None:
    later = Later()
    told: list[Any] = []
    later.complete("known")
    later.then(told.append)
    assert told == ["known"]


def test_an_answer_is_made_at_its_deadline_unless_it_is_known() -> None:
    refusal = KafkaError(ErrorCode.REQUEST_TIMED_OUT)
    late = Later(10, lambda now: refusal)
    told: list[Any] = []
    late.then(told.append)
    late.expire(Now(1_000, 10))
    late.complete("too late")
    early = Later(10, lambda now: refusal)
    early.then(told.append)
    early.complete("in time")
    early.expire(Now(1_000, 10))
    assert told == [refusal, "in time"]
