"""Connections to clusters: one per cluster that all checks share, and new ones for a single check."""

from __future__ import annotations

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
from harness.hosts.executor import Executor, current

CLIENT_ID = "exchange"
ANSWER_TIMEOUT_S = 15.0


class Connections:
    """One connection per cluster, opened when first needed, and reopened after it was closed.

    Simulated clusters have the same addresses, each in a world of its own: what is known of one world is forgotten when
    another one is current.
    """

    def __init__(self) -> None:
        self._world: Executor = current()
        self._open: dict[str, RawConnection] = {}
        self._coordinated: set[str] = set()

    @property
    def coordinated(self) -> set[str]:
        """Bootstrap addresses of clusters on which all groups are known to have an available coordinator."""
        self._forget_other_worlds()
        return self._coordinated

    def to(self, bootstrap: str) -> RawConnection:
        """The connection shared by all checks. ClientTrouble if none can be opened."""
        self._forget_other_worlds()
        known = self._open.get(bootstrap)
        if known is not None and known.has_answer(0):
            # No request is pending, so the broker has closed it, e.g. because another check stopped the broker.
            self.drop(bootstrap)
        if bootstrap not in self._open:
            self._open[bootstrap] = connected(bootstrap)
        return self._open[bootstrap]

    def _forget_other_worlds(self) -> None:
        if current() is not self._world:
            self.close()
            self._world = current()

    def drop(self, bootstrap: str) -> None:
        """Closes the shared connection, after an error."""
        self._coordinated.discard(bootstrap)
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
