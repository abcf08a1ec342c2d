"""Who sent a request, as the bytes that an Envelope carries.

Source: KIP-590; Kafka's default principal builder writes two bytes of version and DefaultPrincipalData.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from reference_broker.wire.codec import decode, encode_bytes
from reference_broker.wire.messages.default_principal_data import DefaultPrincipalData
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.schema import is_in

VERSION: Final = 0
_VERSION_BYTES: Final = 2


class Principal(Struct, frozen=True):
    """A type, "User" as a rule, and a name; `is_from_token` where a delegation token proved it."""

    type: str
    name: str
    is_from_token: bool = False


ANONYMOUS: Final = Principal("User", "ANONYMOUS")
"""Whoever comes without authentication."""


def encode_principal(principal: Principal) -> bytes:
    """The principal's bytes."""
    data = DefaultPrincipalData(type=principal.type, name=principal.name, token_authenticated=principal.is_from_token)
    return VERSION.to_bytes(_VERSION_BYTES, "big") + encode_bytes(data, VERSION)


def decode_principal(data: bytes) -> Principal:
    """The principal in its bytes. MalformedRequest where they hold none."""
    version = int.from_bytes(data[:_VERSION_BYTES], "big", signed=True)
    if len(data) < _VERSION_BYTES or not is_in(version, DefaultPrincipalData.VALID):
        raise MalformedRequest(f"a principal of version {version} cannot be read")
    found = decode(DefaultPrincipalData, version, data[_VERSION_BYTES:])
    return Principal(found.type, found.name, found.token_authenticated)
