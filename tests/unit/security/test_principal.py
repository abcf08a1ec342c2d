"""A principal's bytes, as brokers tell the controller who sent a request."""

from __future__ import annotations

import pytest

from reference_broker.security.principal import ANONYMOUS, Principal, decode_principal, encode_principal
from reference_broker.wire.primitives import MalformedRequest


@pytest.mark.parametrize("principal", [ANONYMOUS, Principal("User", "alice", is_from_token=True)], ids=str)
def test_a_principal_is_the_same_after_the_way_through_its_bytes(principal: Principal) -> None:
    assert decode_principal(encode_principal(principal)) == principal


def test_the_bytes_are_those_of_kafkas_default_principal_builder() -> None:
    assert encode_principal(ANONYMOUS) == b"\0\0\5User\x0aANONYMOUS\0\0"


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\1", b"\0\0", b"\xff\xff\0"])
def test_bytes_that_hold_no_principal_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedRequest):
        decode_principal(data)
