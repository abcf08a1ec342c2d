"""The link filter at work: it knows the nodes among those that connect, and cuts and heals their connections."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Collection
from typing import Final

from reference_broker.server import peer_names
from reference_broker.server.client_socket import ClientSocket
from reference_broker.server.link_filter import Cut, LinkFilter, SeveredSocket
from reference_broker.server.listener import Listener
from reference_broker.server.peers import Peers

PEEKED_BYTES: Final = 512
"""As much of a first request as holds its client id; a node's comes in one piece."""


class Arrival:
    """An accepted connection that has not yet said whose it is."""

    def __init__(self, listener: Listener, raw: socket.socket, host: str, on_known: Callable[[Arrival], None]) -> None:
        self.listener, self.raw, self.host = listener, raw, host
        self._on_known = on_known

    def on_ready(self) -> None:
        """Its first bytes are there."""
        self._on_known(self)


class Links:
    """Between the listeners and the loop, where a node has a link filter. Without one the loop does without this."""

    def __init__(
        self,
        *,
        link_filter: LinkFilter,
        selector: selectors.BaseSelector,
        peers: Peers,
        controller_listeners: Collection[str],
        admit: Callable[[Listener, socket.socket, str], ClientSocket],
        clients: Callable[[], list[ClientSocket]],
        drop: Callable[[ClientSocket], None],
    ) -> None:
        """`admit` makes a client of an accepted socket, `clients` are those that are connected, `drop` ends one."""
        self._filter, self._selector, self._peers = link_filter, selector, peers
        self._controller_listeners = controller_listeners
        self._admit, self._clients, self._drop = admit, clients, drop
        self._arrivals: dict[socket.socket, Arrival] = {}
        self._is_asked = True  # the rules of the file hold from the start

    def ask(self) -> None:
        """Have `apply` read the file again; may be called from a signal handler."""
        self._is_asked = True

    def arrive(self, listener: Listener, raw: socket.socket, host: str) -> None:
        """Take an accepted connection over until it is known whose it is."""
        arrival = self._arrivals[raw] = Arrival(listener, raw, host, self._on_known)
        self._selector.register(raw, selectors.EVENT_READ, arrival)

    def _on_known(self, arrival: Arrival) -> None:
        """Admit a connection; that of a node whose link is cut gets no answer until it heals."""
        raw = arrival.raw
        if raw not in self._arrivals:
            return
        try:
            first = raw.recv(PEEKED_BYTES, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        self._selector.unregister(raw)
        del self._arrivals[raw]
        name = peer_names.first_client_id(first) or ""
        is_controller_listener = arrival.listener.name in self._controller_listeners
        node_id = peer_names.node_id(name, is_controller_listener=is_controller_listener)
        if self._filter.rules.of_node(node_id, arrival.listener.name):
            self._filter.hold(raw, lambda rules: rules.of_node(node_id, arrival.listener.name))
        else:
            self._admit(arrival.listener, raw, arrival.host).node_id = node_id

    def apply(self) -> None:
        """Where it was asked for: read the rules, cut what they cut, close what was cut and is not any more."""
        if not self._is_asked:
            return
        self._is_asked = False
        if not self._filter.read():
            return
        for client in self._clients():
            self._apply_to(client)
        self._peers.apply_rules()
        self._filter.confirm()

    def _apply_to(self, client: ClientSocket) -> None:
        cut = self._filter.rules.of_node(client.node_id, client.connection.listener)
        if client.cut and not cut:
            self._drop(client)
        elif cut and cut != client.cut:
            self._sever(client, cut)

    def _sever(self, client: ClientSocket, cut: Cut) -> None:
        raw = client.raw.raw if isinstance(client.raw, SeveredSocket) else client.raw

        def hold(raw: socket.socket) -> None:
            self._filter.hold(raw, lambda rules: rules.of_node(client.node_id, client.connection.listener))

        client.sever(cut, SeveredSocket(raw, cut, hold), self._filter.nowhere)

    def close(self) -> None:
        """Close what was not admitted, and what was put aside."""
        for raw in self._arrivals:
            raw.close()
        self._arrivals.clear()
        self._filter.close()
