"""Any request and response of any API and version, from the schemas, survives its encoding as Kafka frames it."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from harness.search.strategies.messages import requests, responses
from reference_broker.wire.codec import decode, encode_bytes
from reference_broker.wire.framing import decode_response, encode_response

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@QUICK
@given(asked=requests())
def test_any_request_survives_its_encoding(asked: tuple[int, int, Any]) -> None:
    _, version, message = asked
    raw = encode_bytes(message, version)

    assert encode_bytes(decode(type(message), version, raw), version) == raw


@QUICK
@given(answered=responses())
def test_any_response_survives_its_frame(answered: tuple[int, int, Any]) -> None:
    key, version, message = answered
    frame = b"".join(map(bytes, encode_response(key, version, 77, message)))[4:]
    correlation_id, found = decode_response(key, version, frame)

    assert (correlation_id, encode_bytes(found, version)) == (77, encode_bytes(message, version))
