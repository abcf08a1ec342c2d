"""Envelope: a request of a client, which a broker passes on to the active controller (KIP-590).

**Promises** The request within is served as if its client had sent it here: its version, client id, address and
principal are those of the client. What comes back are the bytes of its response, refusals among them.
**Refuses** NOT_CONTROLLER: this node is not the active controller (also where only the response within says so, by
NOT_LEADER_OR_FOLLOWER for DescribeQuorum, so that the broker asks the next one). INVALID_REQUEST: the request is not
one that brokers pass on; the client's address is none. UNSUPPORTED_VERSION: the request within cannot be read, or its
version is not served here.
PRINCIPAL_DESERIALIZATION_FAILURE: the principal cannot be read.
**Versions** 0 only.
**Departs from Kafka** Every principal may send one: there is no authorizer yet (CLUSTER_ACTION).
"""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from msgspec import Struct

from reference_broker.apis.context import ControllerContext, Session
from reference_broker.apis.forwarded import FORWARDABLE
from reference_broker.apis.refusals import refuse
from reference_broker.apis.registry import CONTROLLER, Handler, served
from reference_broker.releases import Release
from reference_broker.security.principal import Principal, decode_principal
from reference_broker.waiting import Later
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.codec import decode_prefix
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import decode_request_header, encode_response
from reference_broker.wire.messages.envelope_request import EnvelopeRequest
from reference_broker.wire.messages.envelope_response import EnvelopeResponse
from reference_broker.wire.primitives import FileSlice, MalformedRequest
from reference_broker.wire.refusal import KafkaError
from reference_broker.wire.response_errors import has_error

API: Final = ApiKey.ENVELOPE
VERSIONS: Final = range(1)
LISTENERS: Final = ("controller",)
SIZE_BYTES: Final = 4
NOT_HERE: Final = {ApiKey.DESCRIBE_QUORUM: ErrorCode.NOT_LEADER_OR_FOLLOWER}
"""By which error a response says that another controller is to be asked, where that is not NOT_CONTROLLER."""


class Opened(Struct, frozen=True):
    """The request within an Envelope, with what its header said and what serves it."""

    handler: Handler
    api_key: int
    api_version: int
    correlation_id: int
    client_id: str | None
    message: Any


def handle(request: EnvelopeRequest, ctx: ControllerContext) -> EnvelopeResponse | Later:
    """Serve the request within; the answer comes when its answer does."""
    session = Session(ctx.listener, _client_host(request), _principal(request), is_forwarded=True)
    opened = open_envelope(request.request_data, ctx.release)
    inner = ControllerContext(
        now=ctx.now, api_version=opened.api_version, client_id=opened.client_id, session=session, parts=ctx.parts
    )
    try:
        result = opened.handler.handle(opened.message, inner)
    except KafkaError as error:
        return _sealed(opened, _refused(opened, error))
    if not isinstance(result, Later):
        return _sealed(opened, result)
    later = Later(result.deadline_ms, lambda now: _expired(result, later, now))
    result.then(lambda answer: later.complete(_answered(opened, answer)))
    return later


def _expired(within: Later, later: Later, now: Any) -> Any:
    """The deadline is that of the request within: it says what is answered."""
    within.expire(now)
    return None if later.is_done else KafkaError(ErrorCode.REQUEST_TIMED_OUT)


def _answered(opened: Opened, answer: Any) -> Any:
    if isinstance(answer, KafkaError):
        answer = _refused(opened, answer)
    return answer if isinstance(answer, Exception) else _sealed(opened, answer)


def _refused(opened: Opened, error: KafkaError) -> Any:
    return refuse(opened.handler, opened.message, opened.api_version, error.code, error.detail)


def _sealed(opened: Opened, response: Any) -> EnvelopeResponse:
    """The response's header and body; NOT_CONTROLLER is said outside, where the broker looks for it."""
    not_here = NOT_HERE.get(ApiKey(opened.api_key), ErrorCode.NOT_CONTROLLER)
    if has_error(response, not_here):
        return EnvelopeResponse(error_code=ErrorCode.NOT_CONTROLLER)
    buffers = encode_response(opened.api_key, opened.api_version, opened.correlation_id, response)
    data = b"".join(part for part in buffers if not isinstance(part, FileSlice))
    return EnvelopeResponse(response_data=data[SIZE_BYTES:])


def open_envelope(frame: bytes, release: Release) -> Opened:
    """The request in a frame. KafkaError: UNSUPPORTED_VERSION or INVALID_REQUEST, as the header of this file says."""
    try:
        header, at = decode_request_header(frame)
    except MalformedRequest as error:
        raise KafkaError(
            ErrorCode.UNSUPPORTED_VERSION, f"the request in an Envelope cannot be read: {error}"
        ) from error
    key, version = header.request_api_key, header.request_api_version
    if key not in FORWARDABLE:
        raise KafkaError(ErrorCode.INVALID_REQUEST, f"{ApiKey(key).name} is not passed on to the controller")
    found = served(CONTROLLER, release).get(key)
    if found is None or version not in found.versions:
        raise KafkaError(ErrorCode.UNSUPPORTED_VERSION, f"{ApiKey(key).name} v{version} is not served here")
    try:
        message, _ = decode_prefix(APIS[key].request, version, frame, at)
    except MalformedRequest as error:
        raise KafkaError(
            ErrorCode.UNSUPPORTED_VERSION, f"the request in an Envelope cannot be read: {error}"
        ) from error
    return Opened(found.handler, key, version, header.correlation_id, header.client_id, message)


def _client_host(request: EnvelopeRequest) -> str:
    try:
        return str(ipaddress.ip_address(bytes(request.client_host_address)))
    except ValueError as error:
        raise KafkaError(ErrorCode.INVALID_REQUEST, "the client's address in an Envelope is none") from error


def _principal(request: EnvelopeRequest) -> Principal:
    try:
        return decode_principal(request.request_principal or b"")
    except MalformedRequest as error:
        raise KafkaError(ErrorCode.PRINCIPAL_DESERIALIZATION_FAILURE, str(error)) from error
