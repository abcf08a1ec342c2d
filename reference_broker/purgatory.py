"""Where requests wait for something to happen, or for their time to be over.

Named as in Kafka. Waiting costs nothing: a parked request is looked at only when one of its keys is touched.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from reference_broker.effects import ConnectionId, Park, Ticket, WatchKey

Entry = tuple[Ticket, Park]


class Purgatory:
    """The parked requests of a node, at most one a connection."""

    def __init__(self) -> None:
        self._entries: dict[ConnectionId, Entry] = {}
        self._by_key: dict[WatchKey, dict[ConnectionId, None]] = {}
        self._deadlines: list[tuple[int, int, ConnectionId, Ticket]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, ticket: Ticket, park: Park) -> None:
        """Park a request."""
        self._entries[ticket.connection] = (ticket, park)
        for key in park.keys:
            self._by_key.setdefault(key, {})[ticket.connection] = None
        self._count += 1
        heapq.heappush(self._deadlines, (park.deadline_ms, self._count, ticket.connection, ticket))

    def take_ready(self, keys: Iterable[WatchKey]) -> list[Entry]:
        """Take out those that wait on one of the keys and are ready now, in the order in which they came."""
        ready: list[Entry] = []
        for key in keys:
            for connection in list(self._by_key.get(key, ())):
                entry = self._entries[connection]
                if entry[1].is_ready():
                    self._remove(connection)
                    ready.append(entry)
        return ready

    def take_expired(self, monotonic_ms: int) -> list[Entry]:
        """Take out those whose time is over."""
        expired: list[Entry] = []
        while self._deadlines and self._deadlines[0][0] <= monotonic_ms:
            _, _, connection, ticket = heapq.heappop(self._deadlines)
            entry = self._entries.get(connection)
            if entry is not None and entry[0] is ticket:
                self._remove(connection)
                expired.append(entry)
        return expired

    def next_deadline_ms(self) -> int | None:
        """When the next request's time is over; may be that of one that is gone."""
        while self._deadlines:
            deadline, _, connection, ticket = self._deadlines[0]
            entry = self._entries.get(connection)
            if entry is not None and entry[0] is ticket:
                return deadline
            heapq.heappop(self._deadlines)
        return None

    def forget(self, connection: ConnectionId) -> None:
        """Drop what a connection that is gone had parked."""
        if connection in self._entries:
            self._remove(connection)

    def _remove(self, connection: ConnectionId) -> None:
        _, park = self._entries.pop(connection)
        for key in park.keys:
            waiting = self._by_key.get(key)
            if waiting is not None:
                waiting.pop(connection, None)
                if not waiting:
                    del self._by_key[key]
