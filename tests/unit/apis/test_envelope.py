"""An Envelope: the request within is served as its client's, and its response comes back as bytes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from reference_broker.apis import delete_topics, describe_quorum, envelope, unregister_broker
from reference_broker.apis.context import ControllerContext, Session
from reference_broker.environment import Now
from reference_broker.releases import BASELINE
from reference_broker.security.principal import Principal, encode_principal
from reference_broker.waiting import Later
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import decode_response, encode_request
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.delete_topics_response import DeletableTopicResult, DeleteTopicsResponse
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest
from reference_broker.wire.messages.describe_quorum_response import DescribeQuorumResponse, PartitionData, TopicData
from reference_broker.wire.messages.envelope_request import EnvelopeRequest
from reference_broker.wire.messages.envelope_response import EnvelopeResponse
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.messages.unregister_broker_request import UnregisterBrokerRequest
from reference_broker.wire.messages.unregister_broker_response import UnregisterBrokerResponse
from reference_broker.wire.primitives import BrokerId, TopicName
from reference_broker.wire.refusal import KafkaError

NOW = Now(1_700_000_000_000, 1000)
KEY = ApiKey.UNREGISTER_BROKER
BROKER = Session("CONTROLLER", "10.0.0.9")
CTX = ControllerContext(
    now=NOW,
    api_version=0,
    client_id="1",
    session=BROKER,
    parts=SimpleNamespace(settings=SimpleNamespace(static=SimpleNamespace(release=BASELINE))),  # type: ignore[arg-type]
)
ALICE = Principal("User", "alice")
FINE = UnregisterBrokerResponse(error_message="fine")


def frame(key: ApiKey = KEY, version: int = 0, message: Any = None) -> bytes:
    asked = message or UnregisterBrokerRequest(broker_id=BrokerId(3))
    return b"".join(encode_request(key, version, 77, "admin", asked))[4:]  # type: ignore[arg-type]


def sealed(data: bytes, principal: bytes = encode_principal(ALICE), host: bytes = b"\x7f\0\0\1") -> EnvelopeRequest:
    return EnvelopeRequest(request_data=data, request_principal=principal, client_host_address=host)


def opened(response: EnvelopeResponse) -> tuple[int, Any]:
    """(correlation id, response) within an answer."""
    assert response.error_code == ErrorCode.NONE
    return decode_response(KEY, 0, response.response_data or b"")


class Served:
    """Stands in for the API within. `seen` are the requests that it was given, with their circumstances."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer
        self.seen: list[tuple[Any, ControllerContext]] = []

    def handle(self, request: Any, ctx: ControllerContext) -> Any:
        self.seen.append((request, ctx))
        return self.answer()


def refuse(code: ErrorCode) -> Any:
    raise KafkaError(code, "why")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], Served]:
    def stand_in(answer: Callable[[], Any]) -> Served:
        made = Served(answer)
        monkeypatch.setattr(unregister_broker, "handle", made.handle)
        return made

    return stand_in


def test_the_request_within_is_served_as_its_clients(serve: Callable[..., Served]) -> None:
    within = serve(lambda: FINE)
    envelope.handle(sealed(frame()), CTX)

    ((request, ctx),) = within.seen
    assert request.broker_id == 3
    assert (ctx.client_id, ctx.session) == ("admin", Session("CONTROLLER", "127.0.0.1", ALICE, is_forwarded=True))


def test_its_response_comes_back_under_its_own_correlation_id(serve: Callable[..., Served]) -> None:
    serve(lambda: FINE)

    assert opened(envelope.handle(sealed(frame()), CTX)) == (77, FINE)  # type: ignore[arg-type]


def test_a_refusal_within_is_its_response(serve: Callable[..., Served]) -> None:
    serve(lambda: refuse(ErrorCode.BROKER_ID_NOT_REGISTERED))

    _, response = opened(envelope.handle(sealed(frame()), CTX))  # type: ignore[arg-type]

    assert (response.error_code, response.error_message) == (ErrorCode.BROKER_ID_NOT_REGISTERED, "why")


def test_a_node_that_is_no_controller_says_so_outside(serve: Callable[..., Served]) -> None:
    serve(lambda: refuse(ErrorCode.NOT_CONTROLLER))

    assert envelope.handle(sealed(frame()), CTX) == EnvelopeResponse(error_code=ErrorCode.NOT_CONTROLLER)


def test_not_controller_is_found_wherever_the_response_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    result = DeletableTopicResult(name=TopicName("t"), error_code=ErrorCode.NOT_CONTROLLER)
    monkeypatch.setattr(delete_topics, "handle", lambda request, ctx: DeleteTopicsResponse(responses=(result,)))
    data = frame(ApiKey.DELETE_TOPICS, 5, DeleteTopicsRequest(timeout_ms=1))

    assert envelope.handle(sealed(data), CTX) == EnvelopeResponse(error_code=ErrorCode.NOT_CONTROLLER)


def test_whoever_does_not_lead_the_quorum_says_so_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    partition = PartitionData(error_code=ErrorCode.NOT_LEADER_OR_FOLLOWER)
    response = DescribeQuorumResponse(topics=(TopicData(topic_name=TopicName("t"), partitions=(partition,)),))
    monkeypatch.setattr(describe_quorum, "handle", lambda request, ctx: response)
    data = frame(ApiKey.DESCRIBE_QUORUM, 2, DescribeQuorumRequest())

    assert envelope.handle(sealed(data), CTX) == EnvelopeResponse(error_code=ErrorCode.NOT_CONTROLLER)


def test_an_answer_that_comes_later_is_waited_for(serve: Callable[..., Served]) -> None:
    within = Later(NOW.monotonic_ms + 500)
    serve(lambda: within)
    results: list[Any] = []
    later = envelope.handle(sealed(frame()), CTX)
    assert isinstance(later, Later)
    later.then(results.append)

    within.complete(FINE)

    assert (opened(results[0]), later.deadline_ms) == ((77, FINE), NOW.monotonic_ms + 500)


def test_a_refusal_that_comes_later_is_a_response_too(serve: Callable[..., Served]) -> None:
    within = Later()
    serve(lambda: within)
    results: list[Any] = []
    envelope.handle(sealed(frame()), CTX).then(results.append)  # type: ignore[union-attr]

    within.complete(KafkaError(ErrorCode.NOT_CONTROLLER))

    assert results == [EnvelopeResponse(error_code=ErrorCode.NOT_CONTROLLER)]


def test_at_the_deadline_the_request_within_says_what_is_answered(serve: Callable[..., Served]) -> None:
    serve(lambda: Later(NOW.monotonic_ms + 500, lambda now: FINE))
    results: list[Any] = []
    later = envelope.handle(sealed(frame()), CTX)
    assert isinstance(later, Later)
    later.then(results.append)

    later.expire(Now(NOW.wall_ms + 500, NOW.monotonic_ms + 500))

    assert [opened(one) for one in results] == [(77, FINE)]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (sealed(frame(), principal=b"\0\1x"), ErrorCode.PRINCIPAL_DESERIALIZATION_FAILURE),
        (sealed(frame(), host=b"\x7f"), ErrorCode.INVALID_REQUEST),
        (sealed(frame(ApiKey.METADATA, 12, MetadataRequest())), ErrorCode.INVALID_REQUEST),
        (sealed(frame()[:-3]), ErrorCode.UNSUPPORTED_VERSION),
        (sealed(frame()[:5]), ErrorCode.UNSUPPORTED_VERSION),
        (sealed(b"\0\x40\0\x63" + frame()[4:]), ErrorCode.UNSUPPORTED_VERSION),
    ],
    ids=["principal", "address", "not forwardable", "body cut off", "header cut off", "unknown version"],
)
def test_an_envelope_that_cannot_be_opened_is_refused(request_: EnvelopeRequest, code: ErrorCode) -> None:
    with pytest.raises(KafkaError) as refusal:
        envelope.handle(request_, CTX)

    assert refusal.value.code == code
