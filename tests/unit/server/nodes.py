"""Loops of real sockets with a stand-in for the node, several of them in one test: a thread each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference_broker.connection import Connection
from reference_broker.effects import ConnectionId, Effect, Outbox, Peer, Reply
from reference_broker.environment import Now
from reference_broker.server.link_filter import LinkFilter
from reference_broker.server.listener import bind_all
from reference_broker.server.loop import Loop
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.settings.endpoints import Endpoint
from reference_broker.waiting import NEVER_MS
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


class _Parts:
    """What a loop asks a node's parts for."""

    def __init__(self, config: BrokerConfig) -> None:
        self.settings = self
        self.current = config


class StandIn:
    """Answers ApiVersions and heartbeats, and sends what a test asks it to. `served` are the brokers that asked."""

    def __init__(self, config: BrokerConfig) -> None:
        self.parts = _Parts(config)
        self.outbox = Outbox()
        self.connections = 0
        self.served: list[int] = []
        self.orders: list[Callable[[], None]] = []
        self.has_stopped = False

    def serves(self, listener: str) -> bool:
        return True

    def stop(self, now: Now) -> list[Effect]:
        self.has_stopped = True
        return []

    def connect(self, listener: str, client_host: str) -> Connection:
        self.connections += 1
        return Connection(ConnectionId(self.connections), listener, client_host, 1 << 20)

    def disconnect(self, connection: ConnectionId) -> None:
        pass

    def receive(self, connection: Connection, data: bytes, now: Now) -> list[Effect]:
        connection.receive(data)
        return self.go_on(connection, now)

    def on_written(self, connection: Connection, now: Now) -> list[Effect]:
        connection.is_writing = False
        return self.go_on(connection, now)

    def go_on(self, connection: Connection, now: Now) -> list[Effect]:
        effects: list[Effect] = []
        while (frame := connection.next_frame()) is not None:
            request = decode_request(bytes(frame))
            response: Any = ApiVersionsResponse(api_keys=ROWS)
            if request.api_key == ApiKey.BROKER_HEARTBEAT:
                self.served.append(request.message.broker_id)
                response = BrokerHeartbeatResponse(is_caught_up=True)
            connection.is_writing = True
            buffers = encode_response(request.api_key, request.api_version, request.correlation_id, response)
            effects.append(Reply(connection.id, buffers))
        return effects

    def settle(self, token: int, outcome: Any, now: Now) -> list[Effect]:
        self.outbox.settle(token, outcome, now)
        return self.outbox.take()

    def take(self, now: Now) -> list[Effect]:
        return self.outbox.take()

    def next_deadline_ms(self) -> int:
        return 0 if self.orders else NEVER_MS

    def on_time(self, now: Now) -> list[Effect]:
        orders, self.orders = self.orders, []
        for order in orders:
            order()
        return self.outbox.take()


class LoopNode:
    """A loop in a thread. `outcomes` are what its requests and flushes came to, in order."""

    def __init__(self, node_id: int, folder: Path) -> None:
        self.node_id, self.rules = node_id, folder / f"links-{node_id}"
        text = f"""
            process.roles=broker
            node.id={node_id}
            listeners=PLAINTEXT://127.0.0.1:0
            controller.listener.names=CONTROLLER
            controller.quorum.bootstrap.servers=127.0.0.1:1
            socket.connection.setup.timeout.ms=300
        """
        config = BrokerConfig.load("\n".join(line.strip() for line in text.splitlines()))
        (self.listener,) = bind_all([Endpoint("PLAINTEXT", "127.0.0.1", 0, "PLAINTEXT")], 50)
        self.log: list[str] = []
        self.outcomes: list[Any] = []
        self.node = StandIn(config)
        link_filter = LinkFilter(str(self.rules), lambda level, text: self.log.append(text))
        self.loop = Loop(self.node, [self.listener], config, lambda level, text: None, link_filter)  # type: ignore[arg-type]
        self.thread = threading.Thread(target=self.loop.run)
        self.thread.start()

    @property
    def peer(self) -> Peer:
        return Peer(self.node_id, "127.0.0.1", self.listener.port)

    def _order(self, order: Callable[[], None]) -> None:
        self.node.orders.append(order)
        self.loop._wake()

    def ask(self, other: LoopNode, channel: str = "fetcher-0", timeout_ms: int = 500) -> int:
        """Send a heartbeat to another node; how many outcomes there are before its own."""
        request = BrokerHeartbeatRequest(broker_id=self.node_id)  # type: ignore[arg-type]
        before = len(self.outcomes)
        self._order(
            lambda: self.node.outbox.send(
                other.peer,
                ApiKey.BROKER_HEARTBEAT,
                request,
                channel=channel,
                timeout_ms=timeout_ms,
                then=lambda outcome, now: self.outcomes.append(outcome),
            )
        )
        return before

    def outcome(self, other: LoopNode, channel: str = "fetcher-0") -> Any:
        """What a heartbeat to another node comes to."""
        before = self.ask(other, channel)
        assert wait_until(lambda: len(self.outcomes) > before)
        return self.outcomes[-1]

    def flush(self, target: Any) -> None:
        self._order(lambda: self.node.outbox.flush([target], lambda outcome, now: self.outcomes.append(outcome)))

    def cut(self, *rules: str) -> None:
        """Set the rules, and wait until they hold."""
        applied = self.rules.with_name(self.rules.name + ".applied")
        applied.unlink(missing_ok=True)
        self.rules.write_text("\n".join(rules))
        assert self.loop._links is not None
        self.loop._links.ask()
        self.loop._wake()
        assert wait_until(applied.exists)

    def close(self) -> None:
        self.loop.stop()
        self.loop._wake()
        self.thread.join(TIMEOUT_S)
        self.loop.close()


def wait_until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + TIMEOUT_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.005)
    return holds()
