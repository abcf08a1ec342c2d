"""Requests to the active controller: in order, to whoever it is, again until their time is over."""

from __future__ import annotations

from typing import Any

from scripted_controller import FIRST, SECOND, ScriptedController

from reference_broker.broker.channel import RETRY_BACKOFF_MS, NoController
from reference_broker.effects import NotServed, PeerLost
from reference_broker.environment import Now
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.broker_heartbeat_request import BrokerHeartbeatRequest
from reference_broker.wire.messages.broker_heartbeat_response import BrokerHeartbeatResponse
from reference_broker.wire.primitives import BrokerId

ELSEWHERE = BrokerHeartbeatResponse(error_code=ErrorCode.NOT_CONTROLLER)
FINE = BrokerHeartbeatResponse()


class Asking(ScriptedController):
    """Asks for heartbeats; `outcomes` are what was told, with the number of the request."""

    def __init__(self, **more: int) -> None:
        super().__init__(**more)
        self.outcomes: list[tuple[int, Any]] = []

    def ask(self, number: int) -> None:
        def then(outcome: Any, now: Now) -> None:
            self.outcomes.append((number, outcome))

        self.channel.request(
            ApiKey.BROKER_HEARTBEAT, BrokerHeartbeatRequest(broker_id=BrokerId(number)), then, self.now
        )

    def numbers(self) -> list[int]:
        """The numbers of the requests that were sent since the last call."""
        return [one.request.broker_id for one in self.taken()]


def test_a_request_goes_to_the_active_controller() -> None:
    asking = Asking()
    asking.ask(1)

    (send,) = asking.taken()

    assert (send.peer, send.channel, send.timeout_ms) == (FIRST, "controller-test", 1000)


def test_a_response_is_told_once() -> None:
    asking = Asking()
    asking.ask(1)

    asking.answer(FINE)
    asking.answer(FINE)

    assert asking.outcomes == [(1, FINE)]


def test_one_request_is_on_its_way_at_a_time() -> None:
    asking = Asking()
    asking.ask(1)
    asking.ask(2)
    assert asking.numbers() == [1]

    asking.answer(FINE)

    assert asking.numbers() == [2]


def test_a_request_waits_until_a_controller_is_known() -> None:
    asking = Asking()
    asking.channel.follow(None, asking.now)
    asking.ask(1)
    assert asking.numbers() == []

    asking.channel.follow(SECOND, asking.now)

    assert [one.peer for one in asking.taken()] == [SECOND]


def test_a_lost_request_is_sent_again_after_a_pause() -> None:
    asking = Asking()
    asking.ask(1)
    asking.lose()
    assert asking.numbers() == []

    asking.sleep(RETRY_BACKOFF_MS)

    assert asking.numbers() == [1]


def test_a_node_that_is_no_controller_is_asked_again_after_a_pause() -> None:
    asking = Asking()
    asking.ask(1)
    asking.answer(ELSEWHERE)

    asking.sleep(RETRY_BACKOFF_MS)

    assert (asking.numbers(), asking.outcomes) == ([1], [])


def test_a_new_controller_is_asked_at_once() -> None:
    asking = Asking()
    asking.ask(1)
    asking.answer(ELSEWHERE)

    asking.channel.follow(SECOND, asking.now)

    assert [one.peer for one in asking.taken()] == [SECOND]


def test_a_request_on_its_way_goes_to_the_new_controller_at_once() -> None:
    asking = Asking()
    asking.ask(1)
    (first,) = asking.taken()

    asking.channel.follow(SECOND, asking.now)
    asking.outbox.settle(first.token, FINE, asking.now)

    assert (asking.numbers(), asking.outcomes) == ([1], [])


def test_the_order_is_kept_over_retries() -> None:
    asking = Asking()
    asking.ask(1)
    asking.ask(2)
    asking.lose()
    asking.sleep(RETRY_BACKOFF_MS)
    asking.answer(FINE)
    asking.answer(FINE)

    assert [number for number, _ in asking.outcomes] == [1, 2]


def test_no_attempt_lasts_longer_than_the_request_may() -> None:
    asking = Asking(retry_timeout_ms=300, request_timeout_ms=1000)
    asking.ask(1)

    assert asking.taken()[0].timeout_ms == 300


def test_a_controller_that_is_found_late_has_the_time_of_an_attempt_to_answer() -> None:
    asking = Asking(retry_timeout_ms=300, request_timeout_ms=1000)
    asking.channel.follow(None, asking.now)
    asking.ask(1)
    asking.sleep(290)
    asking.channel.follow(FIRST, asking.now)
    assert asking.taken()[0].timeout_ms == 300
    asking.sleep(200)

    asking.answer(FINE)

    assert asking.outcomes == [(1, FINE)]


def test_a_request_is_given_up_when_its_time_is_over() -> None:
    asking = Asking()
    asking.ask(1)
    asking.sleep(1990)
    asking.lose()
    assert asking.outcomes == []

    asking.sleep(10)

    ((number, outcome),) = asking.outcomes
    assert (number, isinstance(outcome, PeerLost)) == (1, True)


def test_a_request_that_never_found_a_controller_is_given_up_as_one_that_got_no_answer() -> None:
    asking = Asking()
    asking.ask(1)
    asking.monotonic_ms += 2000
    asking.answer(ELSEWHERE)

    assert asking.outcomes == [(1, PeerLost("no active controller was found in time"))]


def test_requests_that_wait_are_given_up_too_when_their_time_is_over() -> None:
    asking = Asking()
    asking.channel.follow(None, asking.now)
    asking.ask(1)
    assert asking.channel.next_deadline_ms == asking.monotonic_ms + 2000

    asking.sleep(2000)

    assert [number for number, _ in asking.outcomes] == [1]


def test_a_request_that_nobody_was_asked_says_so() -> None:
    asking = Asking()
    asking.channel.follow(None, asking.now)
    asking.ask(1)

    asking.sleep(2000)

    assert asking.outcomes == [(1, NoController("no active controller is known"))]


def test_a_request_that_the_controller_does_not_serve_is_not_sent_again() -> None:
    asking = Asking()
    asking.ask(1)
    asking.answer(NotServed("no version"))

    assert asking.outcomes == [(1, NotServed("no version"))]


def test_a_closed_channel_tells_nobody() -> None:
    asking = Asking()
    asking.ask(1)
    asking.channel.close()
    asking.answer(FINE)

    assert asking.outcomes == []
