"""Connections to clusters: one per cluster that all checks share, and new ones for a single check."""

from __future__ import annotations

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection

CLIENT_ID = "exchange"
ANSWER_TIMEOUT_S = 15.0


class Connections:
    """One connection per cluster, opened when first needed, and reopened after it was closed."""

    def __init__(self) -> None:
        self._open: dict[str, RawConnection] = {}
        self.coordinated: set[str] = set()
        """Bootstrap addresses of clusters on which all groups are known to have an available coordinator."""

    def to(self, bootstrap: str) -> RawConnection:
        """The connection shared by all checks. ClientTrouble if none can be opened."""
        known = self._open.get(bootstrap)
        if known is not None and known.has_answer(0):
            # No request is pending, so the broker has closed it, e.g. because another check stopped the broker.
            self.drop(bootstrap)
        if bootstrap not in self._open:
            self._open[bootstrap] = connected(bootstrap)
        return self._open[bootstrap]

    def drop(self, bootstrap: str) -> None:
        """Closes the shared connection, after an error."""
        self.coordinated.discard(bootstrap)
        if (connection := self._open.pop(bootstrap, None)) is not None:
            connection.close()

    def close(self) -> None:
        """Closes all connections."""
        for bootstrap in list(self._open):
            self.drop(bootstrap)


def connected(bootstrap: str, client_id: str | None = CLIENT_ID) -> RawConnection:
    """Opens a new connection. ClientTrouble if that fails."""
    try:
        return RawConnection.to(bootstrap, client_id=client_id, timeout_s=ANSWER_TIMEOUT_S)
    except OSError as trouble:
        raise ClientTrouble(f"no connection to {bootstrap}: {trouble}") from trouble
