"""The event loop: sockets and time go into the node, its effects come out. One thread, no locks."""

from __future__ import annotations

import contextlib
import os
import random
import selectors
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Final

from reference_broker.effects import Close, ConnectionId, Effect, Flush, Halt, Reply, Send
from reference_broker.node import Node
from reference_broker.server.client_socket import ClientSocket
from reference_broker.server.clock import monotonic_ms, now
from reference_broker.server.flusher import Flusher
from reference_broker.server.link_filter import LinkFilter
from reference_broker.server.links import Arrival, Links
from reference_broker.server.listener import Listener
from reference_broker.server.peer_link import PeerLink
from reference_broker.server.peers import Peers, peer_settings
from reference_broker.settings.broker_config import BrokerConfig

LONGEST_SLEEP_S: Final = 1.0
ACCEPTED_AT_ONCE: Final = 64
IDLE_LOOK_S: Final = 1.0


class Halted(Exception):
    """The node must not go on; the text says why."""


class Loop:
    """Runs a node until it is asked to stop. `link_filter` cuts it off from other nodes, where there is one."""

    def __init__(
        self,
        node: Node,
        listeners: Sequence[Listener],
        config: BrokerConfig,
        log: Callable[[str, str], None],
        link_filter: LinkFilter | None = None,
        on_ready: Callable[[], None] = lambda: None,
    ):
        """`on_ready` is called once, when clients may come in on every listener."""
        self._node, self._config, self._log, self._on_ready = node, config, log, on_ready
        self._selector = selectors.DefaultSelector()
        self._clients: dict[ConnectionId, ClientSocket] = {}
        self._per_host: Counter[str] = Counter()
        self._listeners = list(listeners)
        self._is_accepting = True
        self._next_idle_look_s = 0.0
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._is_asked_to_stop = self._is_stopping = self._is_ready = False
        self._now = now()
        self._deadline_ms = 0
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._closed_listeners = list(listeners)
        """Those on which clients may not come in yet: they wait in the backlog."""
        self._flusher = Flusher(self._wake, self._settle)
        self._peers = Peers(
            settings=peer_settings(config),
            selector=self._selector,
            wake=self._wake,
            settle=self._settle,
            monotonic_ms=monotonic_ms,
            random=random.Random(),
            link_filter=link_filter,
        )
        self._links = self._make_links(link_filter) if link_filter is not None else None

    def _make_links(self, link_filter: LinkFilter) -> Links:
        return Links(
            link_filter=link_filter,
            selector=self._selector,
            peers=self._peers,
            controller_listeners=self._config.controller_listeners,
            admit=self._admit,
            clients=lambda: list(self._clients.values()),
            drop=self._drop,
        )

    def stop_on_signals(self) -> None:
        """Let SIGTERM and SIGINT end `run` in order, and SIGUSR1 have the link filter read its file."""
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop_signal)
        if self._links is not None:
            signal.signal(signal.SIGUSR1, self._on_link_signal)

    def _on_stop_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop()

    def _on_link_signal(self, number: int, frame: FrameType | None) -> None:
        if self._links is not None:
            self._links.ask()

    def stop(self) -> None:
        """End `run` soon; may be called from a signal handler."""
        self._is_asked_to_stop = True

    def run(self) -> None:
        """Serve until asked to stop. Halted when the node must not go on."""
        self.begin()
        while not self._node.has_stopped:
            if self._is_asked_to_stop and not self._is_stopping:
                self._is_stopping = True
                self._carry_out(self._node.stop(now()))
                self._deadline_ms = self._node.next_deadline_ms()
            else:
                self.turn()

    def begin(self) -> None:
        """Do what the node has asked for since it was made; before the first `turn`."""
        self._on_wakeup()
        self._carry_out(self._node.take(now()))
        self._deadline_ms = self._node.next_deadline_ms()
        self._open_listeners()

    def turn(self) -> None:
        """Wait until a socket is ready or something is due, and do that. Halted when the node must not go on.

        The time is taken once: all that is done in a turn happens at the same moment.
        """
        wait_s = self._deadline_ms / 1000 - time.monotonic()
        ready = self._selector.select(min(LONGEST_SLEEP_S, max(0.0, wait_s)))
        self._now = now()
        for key, events in ready:
            if isinstance(key.data, ClientSocket):
                self._serve(key.data, events)
            elif isinstance(key.data, Listener):
                self._accept(key.data)
            elif isinstance(key.data, PeerLink):
                self._peers.on_ready(key.data, events)
            elif isinstance(key.data, Arrival):
                key.data.on_ready()
            else:
                self._drain_wakeups()
                self._on_wakeup()
        if time.monotonic() >= self._next_idle_look_s:
            self._close_idle()
        # What a request made due at once is done before the next request: its client may be quick.
        self._deadline_ms = self._node.next_deadline_ms()
        if self._now.monotonic_ms >= self._deadline_ms:
            self._carry_out(self._node.on_time(self._now))
            self._deadline_ms = self._node.next_deadline_ms()
        if self._peers.is_used:
            self._peers.on_time()
            self._deadline_ms = min(self._node.next_deadline_ms(), self._peers.next_deadline_ms)
        if self._closed_listeners:
            self._open_listeners()

    def close(self) -> None:
        """Close every socket; what was not answered is not answered. Flushes that were asked for are done."""
        self._flusher.close()
        self._peers.close()
        if self._links is not None:
            self._links.close()
        for client in list(self._clients.values()):
            client.close()
        for listener in self._listeners:
            listener.raw.close()
        self._selector.close()
        signal.set_wakeup_fd(-1)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _open_listeners(self) -> None:
        """Let clients in where the node serves them now; `on_ready` is called once it does everywhere."""
        for listener in [one for one in self._closed_listeners if self._node.serves(one.name)]:
            self._closed_listeners.remove(listener)
            if self._is_accepting:
                self._selector.register(listener.raw, selectors.EVENT_READ, listener)
        if not self._closed_listeners and not self._is_ready:
            self._is_ready = True
            self._on_ready()

    def _wake(self) -> None:
        """Have `run` call `_on_wakeup` soon; called from other threads."""
        with contextlib.suppress(OSError):  # full: it is awake already; closed: it has ended
            os.write(self._wake_write, b"\0")

    def _on_wakeup(self) -> None:
        """Take what threads have done and signals have asked for."""
        self._flusher.report()
        self._peers.report()
        if self._links is not None:
            self._links.apply()

    def _settle(self, token: int, outcome: Any) -> None:
        """Tell the node the outcome of a request to a peer or of a flush."""
        self._carry_out(self._node.settle(token, outcome, now()))

    def _drain_wakeups(self) -> None:
        try:
            while os.read(self._wake_read, 512):
                pass
        except BlockingIOError:
            pass

    # -- clients ------------------------------------------------------------------------------------------------

    def _accept(self, listener: Listener) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                raw, address = listener.raw.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return
            except OSError as error:
                # Out of descriptors: leave newcomers in the backlog until a connection closes.
                self._log("WARN", f"a connection cannot be accepted: {error.strerror}")
                self._accept_no_more()
                return
            host = address[0]
            if self._is_over_limit(host):
                raw.close()
                continue
            raw.setblocking(False)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._links is None:
                self._admit(listener, raw, host)
            else:
                self._links.arrive(listener, raw, host)

    def _admit(self, listener: Listener, raw: socket.socket, host: str) -> ClientSocket:
        connection = self._node.connect(listener.name, host)
        client = ClientSocket(raw, connection, host, time.monotonic())
        self._clients[connection.id] = client
        self._per_host[host] += 1
        self._selector.register(raw, selectors.EVENT_READ, client)
        return client

    def _is_over_limit(self, host: str) -> bool:
        config = self._node.parts.settings.current
        per_host = config.number("max.connections.per.ip")
        for override in config.text("max.connections.per.ip.overrides").split(","):
            name, _, limit = override.rpartition(":")
            if name.strip() == host:
                per_host = int(limit)
        is_over = self._per_host[host] >= per_host or len(self._clients) >= config.number("max.connections")
        if is_over:
            self._log("INFO", f"refusing a connection from {host}: max.connections or max.connections.per.ip")
        return is_over

    @property
    def _open(self) -> list[Listener]:
        """The listeners on which clients come in."""
        return [one for one in self._listeners if one not in self._closed_listeners]

    def _accept_no_more(self) -> None:
        if self._is_accepting:
            self._is_accepting = False
            for listener in self._open:
                self._selector.unregister(listener.raw)

    def _accept_again(self) -> None:
        if not self._is_accepting:
            self._is_accepting = True
            for listener in self._open:
                self._selector.register(listener.raw, selectors.EVENT_READ, listener)

    def _serve(self, client: ClientSocket, events: int) -> None:
        """What a socket is ready for."""
        if client.connection.id not in self._clients:
            return
        client.last_used_s = time.monotonic()
        effects: list[Effect] | None = None
        try:
            if events & selectors.EVENT_WRITE and client.outgoing:
                if client.send():
                    effects = self._node.on_written(client.connection, self._now)
            elif events & selectors.EVENT_READ:
                effects = self._read(client)
        except OSError:
            self._drop(client)
            return
        if effects:
            self._carry_out(effects, client)
        elif effects is not None:
            self._watch(client)

    def _read(self, client: ClientSocket) -> list[Effect] | None:
        """Take what a client sent, and serve it; None where nothing came, or the client is gone."""
        connection = client.connection
        wanted = connection.wanted_bytes
        if not wanted:
            return []
        landing = connection.landing if connection.is_landing else None
        try:
            data = client.raw.recv(wanted) if landing is None else client.raw.recv_into(landing)
        except (BlockingIOError, InterruptedError):
            return None
        if not data:
            self._drop(client)
            return None
        if isinstance(data, int):
            connection.land(data)
            return self._node.go_on(connection, self._now)
        return self._node.receive(connection, data, self._now)

    def _watch(self, client: ClientSocket) -> None:
        """Ask the selector for what the client is waiting for now, and no more."""
        connection = client.connection
        if connection.id not in self._clients:
            return
        wants_write = bool(client.outgoing)
        wants_read = not (wants_write or connection.is_writing or connection.frames or connection.in_progress)
        if wants_write == client.is_watched_for_writing and wants_read == client.is_watched_for_reading:
            return
        was_watched = client.is_watched_for_writing or client.is_watched_for_reading
        client.is_watched_for_writing, client.is_watched_for_reading = wants_write, wants_read
        events = (selectors.EVENT_WRITE if wants_write else 0) | (selectors.EVENT_READ if wants_read else 0)
        if not events:
            self._selector.unregister(client.raw)
        elif was_watched:
            self._selector.modify(client.raw, events, client)
        else:
            self._selector.register(client.raw, events, client)

    def _carry_out(self, effects: list[Effect], served: ClientSocket | None = None) -> None:
        """Do what the node asks for; what it then asks for in turn, too. `served` is whose input brought it about.

        Small answers to requests that came together leave together, in one packet.
        """
        met: dict[ClientSocket, None] = {} if served is None else {served: None}
        halted: Halted | None = None
        for effect in effects:  # it grows while it is gone through
            if isinstance(effect, Reply):
                client = self._clients.get(effect.connection)
                if client is None:
                    continue
                met[client] = None
                client.outgoing += effect.buffers
                if not client.connection.frames:
                    if self._send(client):
                        client.connection.is_writing = False  # no request waits: the node has nothing to do
                elif client.may_wait or self._send(client):
                    effects += self._node.on_written(client.connection, self._now)
            elif isinstance(effect, Close):
                if (client := self._clients.get(effect.connection)) is not None:
                    self._send(client)  # the answers to what came before
                    self._drop(client)
            elif isinstance(effect, Send):
                self._peers.send(effect)
            elif isinstance(effect, Flush):
                self._flusher.flush(effect)
            elif isinstance(effect, Halt):
                halted = Halted(effect.reason)
                break
        for client in met:
            # What a socket does not take now goes when it is ready.
            if client.outgoing and not client.connection.is_writing:
                self._send(client)  # small answers that waited for others
            self._watch(client)
        if halted is not None:
            raise halted

    def _send(self, client: ClientSocket) -> bool:
        """Write what the client has to get; whether all is out."""
        try:
            return client.send()
        except OSError:
            self._drop(client)
            return False

    def _drop(self, client: ClientSocket) -> None:
        if self._clients.pop(client.connection.id, None) is None:
            return
        if client.is_watched_for_reading or client.is_watched_for_writing:
            self._selector.unregister(client.raw)
        self._per_host[client.peer] -= 1
        if not self._per_host[client.peer]:
            del self._per_host[client.peer]
        client.close()
        self._node.disconnect(client.connection.id)
        self._accept_again()

    def _close_idle(self) -> None:
        """Close what connections.max.idle.ms has run out for; a client whose request waits is not idle."""
        now_s = time.monotonic()
        self._next_idle_look_s = now_s + IDLE_LOOK_S
        limit_s = self._node.parts.settings.current.number("connections.max.idle.ms") / 1000
        if limit_s < 0:
            return
        for client in [one for one in self._clients.values() if now_s - one.last_used_s > limit_s]:
            if client.connection.in_progress is None:
                self._log("DEBUG", f"closing an idle connection from {client.peer}")
                self._drop(client)
