"""The circumstances of a request, as far as groups care; the handlers' context fits."""

from __future__ import annotations

from typing import Protocol

from reference_broker.effects import Ticket
from reference_broker.environment import Now


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

    @property
    def ticket(self) -> Ticket:
        """What the answer must carry."""
