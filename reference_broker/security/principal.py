"""Who sends requests over a connection, and the bytes by which a broker tells the controller (in an Envelope).

The bytes are those of Kafka's default principal builder: a version in two bytes, and DefaultPrincipalData.
Source: Kafka documentation, "Security"; KIP-111; KIP-590.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from reference_broker.wire.codec import decode, encode_bytes
from reference_broker.wire.messages.default_principal_data import DefaultPrincipalData
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.schema import is_in

VERSION: Final = 0
VERSION_BYTES: Final = 2


class Principal(Struct, frozen=True):
    """An authenticated user, or one who was not asked who he is; `is_from_token` where a delegation token said so."""

    kind: str
    name: str
    is_from_token: bool = False

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


ANONYMOUS: Final = Principal("User", "ANONYMOUS")
"""Whoever comes in on a listener without authentication."""


def encode_principal(principal: Principal) -> bytes:
    """The principal's bytes."""
    data = DefaultPrincipalData(type=principal.kind, name=principal.name, token_authenticated=principal.is_from_token)
    return VERSION.to_bytes(VERSION_BYTES, "big") + encode_bytes(data, VERSION)


def decode_principal(data: bytes) -> Principal:
    """The principal in its bytes. MalformedRequest where they hold none."""
    version = int.from_bytes(data[:VERSION_BYTES], "big", signed=True)
    if len(data) < VERSION_BYTES or not is_in(version, DefaultPrincipalData.VALID):
        raise MalformedRequest(f"a principal of version {version} cannot be read")
    found = decode(DefaultPrincipalData, version, data[VERSION_BYTES:])
    return Principal(found.type, found.name, found.token_authenticated)
