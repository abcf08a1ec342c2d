"""Who sends requests over a connection. Source: Kafka documentation, "Security"; KIP-111."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Principal(Struct, frozen=True):
    """An authenticated user, or one who was not asked who he is."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


ANONYMOUS: Final = Principal("User", "ANONYMOUS")
"""Whoever comes in on a listener without authentication."""
