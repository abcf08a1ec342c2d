"""The links of a simulated network, as faults cut them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from harness.hosts.links import Link
from reference_broker.simulation.network import Network


class SimulatedLinks:
    """Links between the nodes of a world, and between them and our clients (Links)."""

    def __init__(self, network: Network, clients: int, ports: Mapping[str, int]) -> None:
        """`clients` is the place of our clients, `ports` those of all nodes by listener."""
        self._network, self._clients, self._ports = network, clients, ports
        self._cuts: Counter[tuple[Link, str | None]] = Counter()

    def cut(self, links: Sequence[Link], listener: str | None) -> None:
        """Cuts links, on all ports or on those of one listener."""
        for link in links:
            self._cuts[link, listener] += 1
            self._network.cut([self._way(link)], self._port(listener))

    def heal(self, links: Sequence[Link], listener: str | None) -> None:
        """Takes such a cut back; the link is open when no other fault has cut it too."""
        for link in links:
            self._cuts[link, listener] -= 1
            if self._cuts[link, listener] <= 0:
                del self._cuts[link, listener]
                self._network.heal([self._way(link)], self._port(listener))

    def is_cut(self, link: Link, listener: str | None) -> bool:
        """Whether a link is cut, on that listener or as a whole."""
        return self._network.is_cut(*self._way(link), self._port(listener))

    def held(self) -> int:
        """How many messages have not got through cut links so far."""
        return self._network.held

    def _way(self, link: Link) -> tuple[int, int]:
        who, whom = (self._clients if place is None else place for place in link)
        return whom, who

    def _port(self, listener: str | None) -> int | None:
        return None if listener is None else self._ports[listener]
