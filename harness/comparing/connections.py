"""The connections of checks to clusters: one for each cluster that all share, and others of a check's own."""

from __future__ import annotations

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection

CLIENT_ID = "exchange"
ANSWER_TIMEOUT_S = 15.0


class Connections:
    """One connection for each cluster, opened when first needed and again when it was closed."""

    def __init__(self) -> None:
        self._open: dict[str, RawConnection] = {}
        self.coordinated: set[str] = set()
        """Clusters whose groups all have a coordinator, as far as is known."""

    def to(self, bootstrap: str) -> RawConnection:
        """The connection shared by all checks. ClientTrouble when there is none to be had."""
        known = self._open.get(bootstrap)
        if known is not None and known.has_answer(0):
            # Nothing was asked: the broker closed it, perhaps because another check stopped the broker.
            self.drop(bootstrap)
        if bootstrap not in self._open:
            self._open[bootstrap] = connected(bootstrap)
        return self._open[bootstrap]

    def drop(self, bootstrap: str) -> None:
        """Closes it, after trouble."""
        self.coordinated.discard(bootstrap)
        if (connection := self._open.pop(bootstrap, None)) is not None:
            connection.close()

    def close(self) -> None:
        """Closes all."""
        for bootstrap in list(self._open):
            self.drop(bootstrap)


def connected(bootstrap: str, client_id: str | None = CLIENT_ID) -> RawConnection:
    """A new connection. ClientTrouble when there is none to be had."""
    try:
        return RawConnection.to(bootstrap, client_id=client_id, timeout_s=ANSWER_TIMEOUT_S)
    except OSError as trouble:
        raise ClientTrouble(f"no connection to {bootstrap}: {trouble}") from trouble
