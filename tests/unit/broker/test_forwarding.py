"""A client's request goes to the controller as it came, and its response comes back."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_controller import ScriptedController

from reference_broker.broker.forwarding import ClientRequest, Forwarding, packed_address
from reference_broker.effects import HANG_UP, NotServed
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import encode_request, encode_response
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.delete_topics_response import DeletableTopicResult, DeleteTopicsResponse
from reference_broker.wire.messages.envelope_response import EnvelopeResponse
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.refusal import KafkaError

VERSION = 5
WHO = b"the bytes of a principal"
FRAME = b"".join(encode_request(ApiKey.DELETE_TOPICS, VERSION, 77, "admin", DeleteTopicsRequest(timeout_ms=5)))[4:]  # type: ignore[arg-type]
REQUEST = ClientRequest(ApiKey.DELETE_TOPICS, VERSION, FRAME, WHO, "127.0.0.1")
ANSWER = DeleteTopicsResponse(responses=(DeletableTopicResult(name=TopicName("t"), error_message="m"),))
ANSWER_BYTES = b"".join(encode_response(ApiKey.DELETE_TOPICS, VERSION, 77, ANSWER))[4:]  # type: ignore[arg-type]


class Forwarded(ScriptedController):
    """One forwarded request; `results` are its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[Any] = []
        forwarding = Forwarding(self.channel, lambda level, text: None)
        forwarding.forward(REQUEST, self.now).then(self.results.append)

    @property
    def refusal(self) -> ErrorCode:
        (result,) = self.results
        assert isinstance(result, KafkaError)
        return result.code


def test_a_request_goes_out_as_it_came_with_who_sent_it() -> None:
    envelope = Forwarded().asked()

    assert envelope.request_data == FRAME
    assert envelope.request_principal == WHO
    assert envelope.client_host_address == bytes([127, 0, 0, 1])


def test_the_response_is_that_of_the_controller() -> None:
    forwarded = Forwarded()
    forwarded.answer(EnvelopeResponse(response_data=ANSWER_BYTES))

    assert forwarded.results == [ANSWER]


def test_a_controller_that_has_resigned_is_not_the_last_word() -> None:
    forwarded = Forwarded()
    forwarded.answer(EnvelopeResponse(error_code=ErrorCode.NOT_CONTROLLER))
    forwarded.sleep(50)
    forwarded.answer(EnvelopeResponse(response_data=ANSWER_BYTES))

    assert forwarded.results == [ANSWER]


def test_a_request_that_no_controller_answers_times_out() -> None:
    forwarded = Forwarded()
    forwarded.monotonic_ms += 2000
    forwarded.lose()

    assert forwarded.refusal == ErrorCode.REQUEST_TIMED_OUT


@pytest.mark.parametrize("code", [ErrorCode.CLUSTER_AUTHORIZATION_FAILED, ErrorCode.PRINCIPAL_DESERIALIZATION_FAILURE])
def test_a_refused_envelope_is_no_matter_of_the_client(code: ErrorCode) -> None:
    forwarded = Forwarded()
    forwarded.answer(EnvelopeResponse(error_code=code))

    assert forwarded.refusal == ErrorCode.UNKNOWN_SERVER_ERROR


def test_a_client_whose_version_the_controller_does_not_know_must_ask_for_versions_anew() -> None:
    forwarded = Forwarded()
    forwarded.answer(EnvelopeResponse(error_code=ErrorCode.UNSUPPORTED_VERSION))

    assert forwarded.results == [HANG_UP]


def test_an_answer_that_cannot_be_read_is_a_fault_of_the_servers() -> None:
    forwarded = Forwarded()
    forwarded.answer(EnvelopeResponse(response_data=ANSWER_BYTES[:-3]))

    assert forwarded.refusal == ErrorCode.UNKNOWN_SERVER_ERROR


def test_a_controller_that_serves_no_envelopes_is_a_fault_of_the_servers() -> None:
    forwarded = Forwarded()
    forwarded.answer(NotServed("no version"))

    assert forwarded.refusal == ErrorCode.UNKNOWN_SERVER_ERROR


@pytest.mark.parametrize(
    ("host", "packed"),
    [
        ("10.0.0.1", bytes([10, 0, 0, 1])),
        ("::1", bytes(15) + b"\1"),
        ("fe80::1%eth0", b"\xfe\x80" + bytes(13) + b"\1"),
        ("::ffff:10.0.0.1", bytes([10, 0, 0, 1])),
    ],
)
def test_an_address_is_told_as_its_bytes(host: str, packed: bytes) -> None:
    assert packed_address(host) == packed
