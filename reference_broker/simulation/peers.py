"""Carries out a simulated node's requests to peers: one stream for each peer and channel, each request settled once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reference_broker.client_connection import ClientConnection, known_versions
from reference_broker.connection_attempts import ConnectionAttempts
from reference_broker.effects import Peer, Send
from reference_broker.environment import Now
from reference_broker.simulation.network import CLIENT, Closed, Opening, Payload, Stream
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.primitives import MalformedRequest

if TYPE_CHECKING:
    from reference_broker.simulation.simulated_node import SimulatedNode

VERSIONS: Final = known_versions()


class PeerLink:
    """The connection of one channel to one peer; made anew when it was lost and there is something to send."""

    def __init__(self, peers: Peers, peer: Peer, channel: str) -> None:
        self._peers, self._peer = peers, peer
        self._client_id = f"{channel}-{peers.node.node_id}"
        self._connection = ClientConnection(self._client_id, VERSIONS)
        self._stream: Stream | None = None
        self._is_open = False
        number = peers.node.config.number
        self._attempts = ConnectionAttempts(
            peers.node.random,
            timeout_ms=number("socket.connection.setup.timeout.ms"),
            timeout_max_ms=number("socket.connection.setup.timeout.max.ms"),
        )
        self._timer_ms = NEVER_MS

    def request(self, effect: Send, now: Now) -> None:
        """Send a request, or keep it until there is a connection."""
        self._connection.request(effect, now.monotonic_ms + effect.timeout_ms)
        self._write()
        self._plan(now)

    def take(self, stream: Stream, payload: Payload) -> None:
        """Something came over the stream: now, or when the node goes on."""
        node = self._peers.node
        if node.is_paused:
            node.postpone(lambda: self.take(stream, payload))
        elif stream is self._stream:
            self._take(payload)

    def _take(self, payload: Payload) -> None:
        node, connection = self._peers.node, self._connection
        now = node.now()
        if payload is Opening.ACCEPTED:
            self._is_open = True
            self._attempts.end()
            connection.open(connection.next_deadline_ms)
        elif isinstance(payload, Closed):
            self._lose(payload.reason, now)
        elif isinstance(payload, bytes):
            try:
                connection.receive(payload)
            except MalformedRequest as error:
                self._lose(str(error), now)
            else:
                self._attempts.on_answer()
        self._write()
        self._settle()
        self._plan(now)

    def _write(self) -> None:
        if self._is_open and self._stream is not None and (outgoing := self._connection.take_outgoing()):
            data = outgoing[0] if len(outgoing) == 1 else b"".join(outgoing)
            self._peers.node.world.network.send(self._stream, CLIENT, data)

    def _settle(self) -> None:
        """Hand over outcomes; what the node then asks for may come back here."""
        node = self._peers.node
        for token, outcome in self._connection.take_outcomes():
            node.settle(token, outcome)

    def _lose(self, reason: str, now: Now) -> None:
        """Give up a connection, or what waits for one: only an attempt that failed puts the next one off."""
        node, stream = self._peers.node, self._stream
        self._stream, self._is_open = None, False
        if stream is not None:
            node.network.close(stream, CLIENT, reason)
            self._attempts.on_failure(now.monotonic_ms)
        lost, self._connection = self._connection, ClientConnection(self._client_id, VERSIONS)
        lost.lose(f"node {self._peer.node_id} at {self._peer.host}:{self._peer.port}: {reason}")
        for token, outcome in lost.take_outcomes():
            node.settle(token, outcome)

    # -- time ---------------------------------------------------------------------------------------------------

    def _due_ms(self) -> int:
        due_ms = self._connection.next_deadline_ms
        if self._stream is None:
            return min(due_ms, self._attempts.retry_at_ms) if self._connection.has_requests else NEVER_MS
        return due_ms if due_ms < self._attempts.connect_by_ms else self._attempts.connect_by_ms

    def _plan(self, now: Now) -> None:
        """Connect where it is time; be called when something is due."""
        if self._stream is None and now.monotonic_ms >= self._attempts.retry_at_ms and self._connection.has_requests:
            self._attempts.begin(now.monotonic_ms)
            self._stream = self._peers.node.network.connect(
                self._peers.node.node_id, (self._peer.host, self._peer.port), self
            )
        due_ms = self._due_ms()
        if due_ms < self._timer_ms:
            self._timer_ms = due_ms
            self._peers.node.call_at(due_ms, self._on_timer, due_ms)

    def _on_timer(self, due_ms: int) -> None:
        if due_ms != self._timer_ms:
            return
        self._timer_ms = NEVER_MS
        now = self._peers.node.now()
        if now.monotonic_ms >= self._attempts.connect_by_ms:
            self._lose("no connection within socket.connection.setup.timeout.ms", now)
        elif now.monotonic_ms >= self._connection.next_deadline_ms:
            self._lose("no response in time", now)
        self._plan(now)


class Peers:
    """All connections that one run of a node has to others."""

    def __init__(self, node: SimulatedNode) -> None:
        self.node = node
        self._links: dict[tuple[Peer, str], PeerLink] = {}

    def send(self, effect: Send, now: Now) -> None:
        """Take a request over."""
        key = (effect.peer, effect.channel)
        link = self._links.get(key)
        if link is None:
            link = self._links[key] = PeerLink(self, effect.peer, effect.channel)
        link.request(effect, now)
