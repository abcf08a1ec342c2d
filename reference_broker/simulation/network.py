"""Links between nodes: how long they take, which are cut, and the connections over them.

A link has a direction, so that a split may be one-way. Bytes sent over a cut link are not lost at once: as TCP does,
they are sent again after it has healed, unless their connection has ended by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from reference_broker.environment import Random

Address = tuple[str, int]
Link = tuple[int, int]
"""(from node, to node)."""


@dataclass(slots=True)
class PeerConnection:
    """One connection: requests one way, responses the other, each in order. `arrives_us` by node that they go to."""

    client: int
    server: int
    channel: str
    is_open: bool = True
    arrives_us: dict[int, int] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Exchange:
    """A request on its way, and the response that comes back. `token` is the sender's, in its `incarnation`."""

    connection: PeerConnection
    token: int
    incarnation: int
    is_open: bool = True


@dataclass(slots=True)
class Network:
    """Which node listens where, which links are cut, and how long the others take (µs)."""

    random: Random
    latency_us: tuple[int, int] = (200, 2000)
    extra_us: dict[Link, int] = field(default_factory=dict)
    addresses: dict[Address, int] = field(default_factory=dict)
    _cut: dict[Link, None] = field(default_factory=dict)
    _connections: dict[tuple[int, int, str], PeerConnection] = field(default_factory=dict)
    _held: dict[Link, list[Callable[[], None]]] = field(default_factory=dict)

    def is_cut(self, source: int, target: int) -> bool:
        """Whether nothing gets from one node to another."""
        return (source, target) in self._cut

    @property
    def cuts(self) -> tuple[Link, ...]:
        """The links that are cut, in the order in which they were."""
        return tuple(self._cut)

    def cut(self, links: Iterable[Link]) -> None:
        """Cut links, each in its one direction."""
        self._cut.update(dict.fromkeys(links))

    def split(self, one: Iterable[int], other: Iterable[int]) -> None:
        """Cut all links between two groups of nodes, in both directions."""
        others = list(other)
        for node in one:
            self.cut([link for peer in others for link in ((node, peer), (peer, node))])

    def heal(self, links: Iterable[Link] | None = None) -> None:
        """Mend links, or all of them; what was held goes on its way again."""
        for link in list(self._cut) if links is None else list(links):
            self._cut.pop(link, None)
            for go_on in self._held.pop(link, []):
                go_on()

    def hold(self, source: int, target: int, go_on: Callable[[], None]) -> None:
        """Keep what cannot get through a cut link until that has healed."""
        self._held.setdefault((source, target), []).append(go_on)

    def delay_us(self, source: int, target: int) -> int:
        """How long the next message takes."""
        return self.random.randrange(self.latency_us[0], self.latency_us[1] + 1) + self.extra_us.get(
            (source, target), 0
        )

    def connection(self, client: int, server: int, channel: str) -> PeerConnection:
        """The open connection of a channel; a new one where there is none."""
        key = (client, server, channel)
        found = self._connections.get(key)
        if found is None or not found.is_open:
            found = self._connections[key] = PeerConnection(client, server, channel)
        return found

    def connections_of(self, node_id: int) -> list[PeerConnection]:
        """The open connections that a node has to others, or they to it."""
        return [one for one in self._connections.values() if one.is_open and node_id in (one.client, one.server)]

    def between(self, one: int, other: int) -> list[PeerConnection]:
        """The open connections between two nodes."""
        return [found for found in self.connections_of(one) if other in (found.client, found.server)]
