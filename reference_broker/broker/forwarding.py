"""Clients' requests that only the active controller can serve: they go there in an Envelope, as they came (KIP-590).

The controller answers with the bytes of the response, for the version in which the client asked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import Struct

from reference_broker.broker.channel import ControllerChannel
from reference_broker.effects import HANG_UP, NotServed, PeerLost
from reference_broker.environment import Now
from reference_broker.waiting import Later
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import decode_response
from reference_broker.wire.messages.envelope_request import EnvelopeRequest
from reference_broker.wire.messages.envelope_response import EnvelopeResponse
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.refusal import KafkaError


class ClientRequest(Struct, frozen=True):
    """A request as it came: `frame` is its header and body, without its size; `principal` who sent it, as the bytes of
    `security.principal`; `client_host` an address as text."""

    api_key: int
    api_version: int
    frame: bytes
    principal: bytes
    client_host: str


class Forwarding:
    """Over a channel of its own: a request of a client waits only for those of other clients."""

    def __init__(self, channel: ControllerChannel, log: Callable[[str, str], None]) -> None:
        self._channel, self._log = channel, log

    def forward(self, request: ClientRequest, now: Now) -> Later:
        """Have the active controller serve a request. The answer is its response, or one of these:

        REQUEST_TIMED_OUT where no controller answered in time; UNKNOWN_SERVER_ERROR where the controller refused the
        Envelope itself, or serves none; HANG_UP where it does not know the request's version, so that the client
        asks for the versions anew.
        """
        later = Later()
        envelope = EnvelopeRequest(
            request_data=request.frame,
            request_principal=request.principal,
            client_host_address=packed_address(request.client_host),
        )
        self._channel.request(ApiKey.ENVELOPE, envelope, partial(self._on_outcome, request, later), now)
        return later

    def _on_outcome(self, request: ClientRequest, later: Later, outcome: EnvelopeResponse | PeerLost, now: Now) -> None:
        later.complete(self._result(request, outcome))

    def _result(self, request: ClientRequest, outcome: EnvelopeResponse | PeerLost) -> Any:
        if isinstance(outcome, NotServed):
            self._log("ERROR", f"a request cannot be forwarded: {outcome.reason}")
            return KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR)
        if isinstance(outcome, PeerLost):
            return KafkaError(ErrorCode.REQUEST_TIMED_OUT, outcome.reason)
        if outcome.error_code == ErrorCode.UNSUPPORTED_VERSION:
            return HANG_UP
        if outcome.error_code != ErrorCode.NONE:
            self._log("WARN", f"the controller refused an Envelope: {ErrorCode(outcome.error_code).name}")
            return KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR)
        try:
            _, response = decode_response(request.api_key, request.api_version, outcome.response_data or b"")
        except MalformedRequest as error:
            self._log("ERROR", f"the controller's answer to a forwarded request cannot be read: {error}")
            return KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR)
        return response


def packed_address(host: str) -> bytes:
    """An address as its 4 or 16 bytes."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).packed
