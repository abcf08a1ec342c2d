"""The circumstances of a request, as far as groups care; the handlers' context fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from reference_broker.environment import Now
from reference_broker.waiting import Later


class RequestContext(Protocol):
    """Who asks, when, and in which version of the API."""

    @property
    def now(self) -> Now:
        """The node's time."""

    @property
    def api_version(self) -> int:
        """The version that was asked in."""

    @property
    def client_id(self) -> str | None:
        """What the client calls itself."""

    @property
    def client_host(self) -> str:
        """The client's address."""


@dataclass(frozen=True, slots=True)
class WaitingRequest:
    """A JoinGroup or SyncGroup: the shard completes `later` when the group has come so far."""

    now: Now
    api_version: int
    client_id: str | None
    client_host: str
    later: Later = field(default_factory=Later)

    @classmethod
    def of(cls, ctx: RequestContext) -> WaitingRequest:
        """The request with these circumstances."""
        return cls(ctx.now, ctx.api_version, ctx.client_id, ctx.client_host)
