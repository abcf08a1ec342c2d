"""A node's outgoing side without the node, and peers that answer by a script, in one event loop on loopback."""

from __future__ import annotations

import os
import random
import selectors
import socket
import time
from collections.abc import Callable
from typing import Any

from reference_broker.client_connection import known_versions
from reference_broker.effects import Peer, Send
from reference_broker.server.link_filter import LinkFilter
from reference_broker.server.peers import Peers, PeerSettings
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.framing import decode_request, encode_response
from reference_broker.wire.messages.api_versions_response import ApiVersion, ApiVersionsResponse
from reference_broker.wire.messages.broker_heartbeat_request import BrokerHeartbeatRequest
from reference_broker.wire.messages.broker_heartbeat_response import BrokerHeartbeatResponse

TIMEOUT_S = 10.0
ROWS = (
    ApiVersion(api_key=ApiKey.API_VERSIONS, min_version=0, max_version=4),
    ApiVersion(api_key=ApiKey.BROKER_HEARTBEAT, min_version=0, max_version=1),
)


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Scripted:
    """A listener that answers ApiVersions, and heartbeats as long as it `answers`."""

    def __init__(self, selector: selectors.BaseSelector, port: int = 0) -> None:
        self.selector = selector
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.setblocking(False)
        self.port = int(self.listener.getsockname()[1])
        self.answers = True
        self.connections: list[socket.socket] = []
        self.client_ids: list[str | None] = []
        self.heartbeats: list[int] = []
        """The broker ids of the heartbeats that came."""
        selector.register(self.listener, selectors.EVENT_READ, self)

    def on_ready(self, events: int) -> None:
        raw, _ = self.listener.accept()
        raw.setblocking(False)
        self.connections.append(raw)
        self.selector.register(raw, selectors.EVENT_READ, _Session(self, raw))

    def stop(self) -> None:
        """As if its process were killed."""
        for raw in (self.listener, *self.connections):
            if raw.fileno() >= 0:
                self.selector.unregister(raw)
                raw.close()
        self.connections.clear()


class _Session:
    def __init__(self, server: Scripted, raw: socket.socket) -> None:
        self.server, self.raw, self.partial = server, raw, b""

    def on_ready(self, events: int) -> None:
        data = self.raw.recv(65536)
        if not data:
            self.server.selector.unregister(self.raw)
            self.raw.close()
            return
        self.partial += data
        while len(self.partial) >= 4 and len(self.partial) >= 4 + (size := int.from_bytes(self.partial[:4], "big")):
            self.answer(self.partial[4 : 4 + size])
            self.partial = self.partial[4 + size :]

    def answer(self, frame: bytes) -> None:
        request = decode_request(frame)
        self.server.client_ids.append(request.client_id)
        response: Any = ApiVersionsResponse(api_keys=ROWS)
        if request.api_key == ApiKey.BROKER_HEARTBEAT:
            self.server.heartbeats.append(request.message.broker_id)
            response = BrokerHeartbeatResponse(is_caught_up=True)
            if not self.server.answers:
                return
        buffers = encode_response(request.api_key, request.api_version, request.correlation_id, response)
        self.raw.sendall(b"".join(buffers))  # type: ignore[arg-type]


class Machine:
    """An event loop with `Peers`. `outcomes` are what was settled, in order."""

    def __init__(
        self,
        node_id: int = 1,
        links: LinkFilter | None = None,
        setup_timeout_ms: int = 10_000,
        settle: Callable[[int, Any], None] | None = None,
    ) -> None:
        self.selector = selectors.DefaultSelector()
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_read, False)
        self.outcomes: list[tuple[int, Any]] = []
        self.token = 0
        self.links = links
        self.peers = Peers(
            settings=PeerSettings(
                node_id=node_id,
                versions=known_versions(),
                setup_timeout_ms=setup_timeout_ms,
                setup_timeout_max_ms=30_000,
                idle_ms=600_000,
                controller_listener="CONTROLLER",
                broker_listener="PLAINTEXT",
            ),
            selector=self.selector,
            wake=lambda: os.write(self.wake_write, b"\0") and None,
            settle=settle or (lambda token, outcome: self.outcomes.append((token, outcome))),
            monotonic_ms=monotonic_ms,
            random=random.Random(1),
            link_filter=links,
        )
        self.selector.register(self.wake_read, selectors.EVENT_READ, self)

    def on_ready(self, events: int) -> None:
        os.read(self.wake_read, 512)
        self.peers.report()

    def send(self, port: int, timeout_ms: int = 5000, channel: str = "controller-heartbeat", host: str = "") -> int:
        """Ask node 2 for a heartbeat; the token."""
        self.token += 1
        peer = Peer(2, host or "127.0.0.1", port)
        request = BrokerHeartbeatRequest(broker_id=self.token)  # type: ignore[arg-type]
        self.peers.send(Send(self.token, peer, channel, ApiKey.BROKER_HEARTBEAT, request, timeout_ms))
        return self.token

    def run(self, until: Callable[[], bool], at_most_s: float = TIMEOUT_S) -> bool:
        """Serve until something holds; whether it does."""
        end = time.monotonic() + at_most_s
        while not until() and time.monotonic() < end:
            wait_ms = min(50, max(0, self.peers.next_deadline_ms - monotonic_ms()))
            for key, events in self.selector.select(wait_ms / 1000):
                if hasattr(key.data, "connection"):
                    self.peers.on_ready(key.data, events)
                else:
                    key.data.on_ready(events)
            if monotonic_ms() >= self.peers.next_deadline_ms:
                self.peers.on_time()
        return until()

    def close(self) -> None:
        self.peers.close()
        self.selector.close()
        os.close(self.wake_read)
        os.close(self.wake_write)
