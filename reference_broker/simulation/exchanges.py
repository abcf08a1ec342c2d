"""Requests between the nodes of a world, and their responses: how they travel, and how they get lost.

Each `Send` has one outcome: its response, or `PeerLost` when its connection ended or the time was over. Requests of one
connection arrive in order; so do the responses, but a node may answer in any order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_broker.effects import PeerLost, Send
from reference_broker.environment import Now
from reference_broker.simulation.machine import Machine
from reference_broker.simulation.network import Exchange, PeerConnection

if TYPE_CHECKING:
    from reference_broker.simulation.world import SimulatedNode, World


class Exchanges:
    """All requests that have no outcome yet."""

    def __init__(self, world: World) -> None:
        self._world = world

    def send(self, node: SimulatedNode, effect: Send) -> None:
        """A node sends a request."""
        world, network = self._world, self._world.network
        peer = effect.peer
        target = network.addresses.get((peer.host, peer.port), peer.node_id)
        connection = network.connection(node.node_id, target, effect.channel)
        exchange = Exchange(connection, effect.token, node.incarnation)
        connection.exchanges.append(exchange)
        # The sender's own clock tells it when the time is over.
        now = node.clock.now(world.now_us)
        world.at(node.clock.time_of(now.monotonic_ms + effect.timeout_ms), self._on_timeout, exchange)
        if target in world.nodes:
            self._travel(exchange, node.node_id, target, self._arrive, effect)
        else:
            world.after(network.delay_us(node.node_id, node.node_id), self._end_connection, connection, "no such host")

    def _travel(self, exchange: Exchange, source: int, target: int, arrive: Any, message: Any) -> None:
        """Bring a message to the other end, behind what was sent there before."""
        world, connection = self._world, exchange.connection
        if not exchange.is_open:
            return
        if world.network.is_cut(source, target):
            world.network.hold(source, target, lambda: self._travel(exchange, source, target, arrive, message))
            return
        delay_us = 0 if source == target else world.network.delay_us(source, target)
        at_us = max(world.now_us + delay_us, connection.arrives_us.get(target, 0))
        connection.arrives_us[target] = at_us
        world.at(at_us, self._land, exchange, source, target, arrive, message)

    def _reset(self, connection: PeerConnection) -> None:
        """Tell a client, behind all that was sent to it before, that its connection is gone."""
        world, source, target = self._world, connection.server, connection.client
        if world.network.is_cut(source, target):
            world.network.hold(source, target, lambda: self._reset(connection))
            return
        at_us = world.now_us + world.network.delay_us(source, target)
        at_us = max(at_us, connection.arrives_us.get(target, 0))
        world.at(at_us, self._end_connection, connection, "the connection was closed")

    def _land(self, exchange: Exchange, source: int, target: int, arrive: Any, message: Any) -> None:
        if self._world.network.is_cut(source, target):
            self._travel(exchange, source, target, arrive, message)  # the link was cut while it was on its way
        elif exchange.is_open:
            arrive(exchange, message)

    def _arrive(self, exchange: Exchange, effect: Send) -> None:
        world, connection = self._world, exchange.connection
        node = world.nodes[connection.server]
        if node.machine is None:
            if not node.is_dark:
                self._reset(connection)
            return
        incarnation, is_answered = node.incarnation, False

        def respond(response: Any) -> None:
            nonlocal is_answered
            if is_answered:
                raise ValueError(f"node {connection.server} answers a {effect.api_key.name} twice")
            is_answered = True
            if world.nodes[connection.server].incarnation == incarnation:
                self._travel(exchange, connection.server, connection.client, self._answered, response)

        def receive(machine: Machine, now: Now) -> None:
            machine.on_request(effect.api_key, effect.request, connection.client, respond, now)

        if world.reporter.is_kept:
            text = f"<- {connection.client} {effect.api_key.name} {effect.request!r}"
            world.reporter.note(world.now_us, connection.server, text)
        world.give(connection.server, incarnation, receive)

    def _answered(self, exchange: Exchange, response: Any) -> None:
        if self._world.reporter.is_kept:
            connection = exchange.connection
            text = f"<- {connection.server} {response!r}"
            self._world.reporter.note(self._world.now_us, connection.client, text)
        self._settle(exchange, response)

    def _on_timeout(self, exchange: Exchange) -> None:
        if exchange.is_open:
            self._end_connection(exchange.connection, "no response in time")

    def _settle(self, exchange: Exchange, outcome: Any) -> None:
        connection = exchange.connection
        exchange.is_open = False
        connection.exchanges.remove(exchange)

        def settle(machine: Machine, now: Now) -> None:
            machine.outbox.settle(exchange.token, outcome, now)

        self._world.give(connection.client, exchange.incarnation, settle)

    def _end_connection(self, connection: PeerConnection, reason: str) -> None:
        """Nothing more comes over a connection: the sender is told of each request that is open."""
        connection.is_open = False
        for exchange in list(connection.exchanges):
            self._settle(exchange, PeerLost(reason))

    def break_between(self, one: int, other: int) -> None:
        """Break all connections between two nodes."""
        for connection in self._world.network.between(one, other):
            self._end_connection(connection, "the connection was broken")

    def on_node_ended(self, node_id: int, *, is_silent: bool) -> None:
        """A node's process has ended: its own requests are nobody's, the others' are lost, soon or by their time."""
        network = self._world.network
        for connection in network.connections_of(node_id):
            if connection.client == node_id:
                connection.is_open = False
                for exchange in connection.exchanges:
                    exchange.is_open = False
                connection.exchanges.clear()
            elif not is_silent:
                self._reset(connection)
