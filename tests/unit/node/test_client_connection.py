"""The client side of a connection: versions first, then requests in order, each with one outcome."""

from __future__ import annotations

from typing import Any

import pytest

from reference_broker.client_connection import ClientConnection, known_versions
from reference_broker.effects import NotServed, Peer, PeerLost, Send
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import Request, decode_request, encode_response
from reference_broker.wire.messages.api_versions_response import ApiVersion, ApiVersionsResponse
from reference_broker.wire.messages.broker_heartbeat_request import BrokerHeartbeatRequest
from reference_broker.wire.messages.broker_heartbeat_response import BrokerHeartbeatResponse
from reference_broker.wire.messages.fetch_response import FetchResponse
from reference_broker.wire.messages.vote_request import VoteRequest
from reference_broker.wire.primitives import MalformedRequest

PEER = Peer(2, "127.0.0.1", 9093)
VERSIONS = ((ApiKey.API_VERSIONS, 0, 4), (ApiKey.BROKER_HEARTBEAT, 0, 1), (ApiKey.FETCH, 4, 17))
LARGE = 200_000


def send(token: int, message: Any = None, key: ApiKey = ApiKey.BROKER_HEARTBEAT) -> Send:
    return Send(token, PEER, "heartbeat", key, message or BrokerHeartbeatRequest(broker_id=token), 1000)  # type: ignore[arg-type]


def connection() -> ClientConnection:
    made = ClientConnection("1", known_versions())
    made.open(1000)
    return made


def requests(made: ClientConnection) -> list[Request]:
    """What goes out, decoded."""
    return [decode_request(frame[4:]) for frame in made.take_outgoing()]


def framed(api_key: int, version: int, correlation_id: int, message: Any) -> bytes:
    return b"".join(encode_response(api_key, version, correlation_id, message))  # type: ignore[arg-type]


def versions_response(correlation_id: int = 0, version: int = 4) -> bytes:
    rows = tuple(ApiVersion(api_key=key, min_version=low, max_version=high) for key, low, high in VERSIONS)
    return framed(ApiKey.API_VERSIONS, version, correlation_id, ApiVersionsResponse(api_keys=rows))


def ready() -> ClientConnection:
    made = connection()
    made.take_outgoing()
    made.receive(versions_response())
    return made


def test_the_first_request_asks_for_the_peers_versions() -> None:
    made = connection()
    made.request(send(1), 500)

    assert [one.api_key for one in requests(made)] == [ApiKey.API_VERSIONS]


def test_requests_go_out_in_order_once_the_versions_are_known() -> None:
    made = connection()
    made.request(send(7), 500)
    made.request(send(8), 500)
    made.take_outgoing()

    made.receive(versions_response())

    assert [one.message.broker_id for one in requests(made)] == [7, 8]


def test_the_latest_version_that_both_know_is_used() -> None:
    made = ready()

    made.request(send(1), 500)

    assert [(one.api_version, one.client_id) for one in requests(made)] == [(1, "1")]


def test_a_request_that_the_peer_does_not_serve_is_lost_alone() -> None:
    made = ready()

    made.request(send(1, VoteRequest(), ApiKey.VOTE), 500)
    made.request(send(2), 500)

    assert made.take_outcomes() == [(1, NotServed("the peer serves no version of VOTE"))]
    assert len(requests(made)) == 1


def test_a_request_that_cannot_be_written_in_the_peers_version_is_lost_alone() -> None:
    made = ready()

    made.request(send(1, BrokerHeartbeatRequest(broker_epoch="no number")), 500)  # type: ignore[arg-type]

    ((token, outcome),) = made.take_outcomes()
    assert (token, isinstance(outcome, NotServed)) == (1, True)


def test_a_peer_that_knows_only_older_versions_is_asked_again_in_its_own() -> None:
    made = connection()
    made.take_outgoing()
    row = ApiVersion(api_key=ApiKey.API_VERSIONS, min_version=0, max_version=2)
    refusal = ApiVersionsResponse(error_code=ErrorCode.UNSUPPORTED_VERSION, api_keys=(row,))

    made.receive(framed(ApiKey.API_VERSIONS, 0, 0, refusal))

    assert [one.api_version for one in requests(made)] == [2]


def test_versions_that_are_refused_end_the_connection() -> None:
    made = connection()
    with pytest.raises(MalformedRequest, match="refused"):
        made.receive(framed(ApiKey.API_VERSIONS, 4, 0, ApiVersionsResponse(error_code=ErrorCode.INVALID_REQUEST)))


def answered(made: ClientConnection) -> bytes:
    """Two requests asked, and the stream that answers them, the second one first."""
    made.request(send(1), 500)
    made.request(send(2), 500)
    first, second = requests(made)
    response = BrokerHeartbeatResponse(is_caught_up=True)
    key = ApiKey.BROKER_HEARTBEAT
    later = framed(key, 1, second.correlation_id, response)
    return later + framed(key, 1, first.correlation_id, BrokerHeartbeatResponse())


def test_responses_are_matched_by_their_correlation_id() -> None:
    made = ready()

    made.receive(answered(made))

    assert [(token, one.is_caught_up) for token, one in made.take_outcomes()] == [(2, True), (1, False)]


def test_byte_by_byte_is_the_same_as_whole() -> None:
    made = connection()
    made.take_outgoing()
    for byte in versions_response():
        made.receive(bytes([byte]))
    for byte in answered(made):
        made.receive(bytes([byte]))

    assert [(token, one.is_caught_up) for token, one in made.take_outcomes()] == [(2, True), (1, False)]


def test_a_large_response_is_read_into_a_buffer_of_its_size() -> None:
    made = ready()
    made.request(send(1), 500)
    (asked,) = requests(made)
    padding = ((9, bytes(LARGE)),)
    stream = framed(
        ApiKey.BROKER_HEARTBEAT, 1, asked.correlation_id, BrokerHeartbeatResponse(unknown_tagged_fields=padding)
    )
    made.receive(stream[:100])
    landing = made.landing
    assert landing is not None

    landing[:] = stream[100:]
    made.land(len(stream) - 100)

    ((_, response),) = made.take_outcomes()
    assert response.unknown_tagged_fields == padding


def test_a_response_that_nobody_asked_for_ends_the_connection() -> None:
    made = ready()
    with pytest.raises(MalformedRequest, match="not asked"):
        made.receive(framed(ApiKey.FETCH, 12, 99, FetchResponse()))


@pytest.mark.parametrize("size", [-1, 3, (1 << 30) + 1])
def test_a_size_that_no_response_has_ends_the_connection(size: int) -> None:
    made = ready()
    with pytest.raises(MalformedRequest, match="bytes"):
        made.receive(size.to_bytes(4, "big", signed=True))


def test_a_response_that_cannot_be_read_leaves_its_request_to_be_lost() -> None:
    made = ready()
    made.request(send(1), 500)
    (asked,) = requests(made)
    with pytest.raises(MalformedRequest):
        made.receive(b"\0\0\0\5" + asked.correlation_id.to_bytes(4, "big") + b"\0")

    made.lose("its response cannot be read")

    assert made.take_outcomes() == [(1, PeerLost("its response cannot be read"))]


def test_a_lost_connection_loses_what_was_sent_and_what_waits_once() -> None:
    made = connection()
    made.request(send(1), 500)
    made.request(send(2), 500)

    made.lose("gone")
    made.lose("gone again")

    assert made.take_outcomes() == [(1, PeerLost("gone")), (2, PeerLost("gone"))]


def test_the_first_deadline_of_all_requests_counts() -> None:
    made = connection()
    made.request(send(1), 700)
    made.request(send(2), 600)

    assert made.next_deadline_ms == 600
