"""Requests that are sent without waiting for answers are answered in order.

**Claim** On one connection answers come in the order of the requests, each with the correlation id of its own request,
even if an earlier request has to wait and later ones could be answered at once.
**Why it matters** Clients keep several requests in flight and match answers to requests by their order; an answer out
of order is taken for that of another request, and may acknowledge records that were never written.
**Kafka says** Protocol guide, "Network": the server guarantees that requests on one connection are processed and
answered in the order in which they were sent.
**Cannot see** Order between connections, which is not promised.
**Rejects** tests/plants/answers_out_of_order.py, tests/plants/answers_readers_at_once.py
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.comparing.exchange import CLIENT_ID, Exchange
from harness.comparing.request_forms import batch, fetch, produce, variants
from harness.hosts import cluster_time as time
from harness.judging.outcome import Unproven
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import decode_response, encode_request
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest

pytestmark = [
    pytest.mark.feature("Network"),
    pytest.mark.document("Protocol guide", "https://kafka.apache.org/protocol.html"),
]

SPOKEN = ApiVersionsRequest(client_software_name="check", client_software_version="1.0")
BROKERS = MetadataRequest(topics=(), allow_auto_topic_creation=False)
LATER = ((SPOKEN, 3), (BROKERS, 9))
FIRST_ID = 100
WAIT_MS = 500


def frame(message: Any, version: int, correlation_id: int) -> bytes:
    """A request as bytes."""
    parts = encode_request(message.API_KEY, version, correlation_id, CLIENT_ID, message)
    return b"".join(bytes(part) for part in parts)


def answered(exchange: Exchange, *requests: tuple[Any, int]) -> list[Any]:
    """The answers to requests that are sent in one write; raises AssertionError if one is out of order."""
    connection = exchange.connection()
    frames = [frame(message, version, FIRST_ID + at) for at, (message, version) in enumerate(requests)]
    connection.send_bytes(b"".join(frames))
    answers = []
    for at, (message, version) in enumerate(requests):
        found = connection.receive_frame()
        correlation_id = int.from_bytes(found[:4], "big")
        assert correlation_id == FIRST_ID + at, f"answer {at + 1} is that to request {correlation_id - FIRST_ID + 1}"
        answers.append(decode_response(message.API_KEY, version, found)[1])
    exchange.note("requests answered in their order", len(answers))
    return answers


@variants("count", two=2, five=5, fifty=50)
def test_answers_come_in_the_order_of_requests(exchange: Exchange, count: int) -> None:
    """Requests of two APIs, sent in one write, are answered in order."""
    answers = answered(exchange, *([(SPOKEN, 3), (BROKERS, 9)] * count)[:count])

    assert all(answer.api_keys for answer in answers[::2])


def test_batches_in_flight_keep_their_order(exchange: Exchange) -> None:
    """Batches that are in flight together on one connection are appended in the order in which they were sent."""
    topic = exchange.topic()
    answers = answered(exchange, *((produce(topic, batch(f"value {number}")), 9) for number in range(8)))

    results = [answer.responses[0].partition_responses[0] for answer in answers]
    assert [(one.error_code, one.base_offset) for one in results] == [(ErrorCode.NONE, at) for at in range(8)]


def test_an_answer_that_waits_holds_the_others_back(exchange: Exchange) -> None:
    """A fetch that waits for records is answered before requests that were sent after it."""
    topic = exchange.topic()
    started = time.monotonic()
    for message, version in LATER:
        exchange.quietly(message, version)
    alone_ms = 1000 * (time.monotonic() - started)
    if alone_ms > WAIT_MS / 2:
        raise Unproven(
            f"the later requests take {alone_ms:.0f} ms by themselves: none could be answered before the first"
        )
    started = time.monotonic()
    answered(exchange, (fetch(topic, 0, max_wait_ms=WAIT_MS), 12), *LATER)

    assert time.monotonic() - started >= 0.8 * WAIT_MS / 1000, "the fetch did not wait"
