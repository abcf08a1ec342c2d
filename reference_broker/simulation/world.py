"""A world of whole nodes and raw clients in one thread: a queue of events on virtual time.

All chance comes from one seed, and events of one time keep the order in which they were planned: so the same seed
gives the same events in any process. Time goes in µs from 0 on. Observers see every event (`watch`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from random import Random
from typing import Any, Protocol

from reference_broker.node import Node
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.simulation.clock import NodeClock
from reference_broker.simulation.network import End, Network, Place
from reference_broker.simulation.simulated_node import SimulatedNode
from reference_broker.simulation.tasks import Promise


class InvariantBroken(AssertionError):
    """Something that must hold does not; the text says what, and when."""


class Watcher(Protocol):
    """Looks at nodes after each of their events, and tells the world what is broken."""

    def on_started(self, node: SimulatedNode) -> None:
        """A process of a node has been made, and has done nothing yet."""

    def on_event(self, node: SimulatedNode) -> None:
        """A node's process has done something."""

    def on_ended(self, node: SimulatedNode) -> None:
        """A node's process is gone."""

    def on_halted(self, node: SimulatedNode, reason: str) -> None:
        """It halted, or could not start."""

    def on_log(self, node: SimulatedNode, level: str, text: str) -> None:
        """It logs a line."""


class World:
    """Made with a seed; nodes are added, then started. `now_us` only grows."""

    def __init__(self, seed: int, *, latency_us: tuple[int, int] = (200, 2000), is_recorded: bool = False) -> None:
        """`latency_us` is the shortest and longest time that a message takes; `is_recorded` keeps `lines`."""
        self.seed = seed
        self.random = Random(seed)
        self.now_us = 0
        self.events = 0
        self.nodes: dict[int, SimulatedNode] = {}
        self.network = Network(self, latency_us)
        self.is_recorded = is_recorded
        self.lines: list[str] = []
        """What happened, for a reader: time in ms, node id, text."""
        self._wrong: str | None = None
        self._watchers: list[Watcher] = []
        self._looking: list[Callable[[SimulatedNode], None]] = []
        """What looks at a node after each event of its process."""
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0
        self._clients = 0

    def note(self, node_id: int, *words: str) -> None:
        """Something happened at a node, or at none (0)."""
        if self.is_recorded:
            self.lines.append(f"{self.now_us / 1000:.3f} {node_id}: {' '.join(words)}")

    def begin_anew(self, seed: int) -> None:
        """Have all chance come from another seed from now on."""
        self.seed = seed
        # Not the chance that the nodes began with: their next incarnation ids must not be their first ones again.
        self.random.seed(f"{seed}, anew")
        for node in self.nodes.values():
            node.random.seed(self.random.getrandbits(64))

    # -- events -------------------------------------------------------------------------------------------------

    def at(self, time_us: int, action: Callable[..., None], *arguments: Any) -> None:
        """Plan an event; one in the past happens next."""
        self._count += 1
        heappush(self._queue, (time_us if time_us > self.now_us else self.now_us, self._count, action, arguments))

    def after(self, delay_us: int, action: Callable[..., None], *arguments: Any) -> None:
        """Plan an event in a while."""
        self.at(self.now_us + delay_us, action, *arguments)

    def sleep(self, duration_ms: int) -> Promise[None]:
        """Kept after a while."""
        promise: Promise[None] = Promise()
        self.at(self.now_us + duration_ms * 1000, promise.keep, None)
        return promise

    def step(self) -> bool:
        """Let the next event happen; False where nothing is planned. InvariantBroken where it broke one."""
        if not self._queue:
            return False
        self.now_us, _, action, arguments = heappop(self._queue)
        self.events += 1
        action(*arguments)
        if self._wrong is not None:
            raise InvariantBroken(self._wrong)
        return True

    def run_for(self, duration_ms: int) -> None:
        """Let so much time go by."""
        queue, end_us = self._queue, self.now_us + duration_ms * 1000
        while queue and queue[0][0] <= end_us:
            self.step()
        self.now_us = end_us

    def run_until(self, is_reached: Callable[[], bool], limit_ms: int) -> bool:
        """Let events happen until something holds; False where it does not within the limit."""
        end_us = self.now_us + limit_ms * 1000
        while not is_reached():
            if not self._queue or self._queue[0][0] > end_us:
                self.now_us = end_us
                return is_reached()
            self.step()
        return True

    # -- nodes and clients --------------------------------------------------------------------------------------

    def add(self, config: BrokerConfig, *, host: str, clock: NodeClock | None = None) -> SimulatedNode:
        """Add a node that is off, with an empty disk. Others reach it by its host and the ports of its listeners."""
        own = Random(self.random.getrandbits(64))
        node = SimulatedNode(self, config, host=host, clock=clock or NodeClock(), random=own)
        self.nodes[node.node_id] = node
        self.network.addresses.update({(host, port): node.node_id for port in node.listeners.values()})
        return node

    def new_client(self) -> Place:
        """A place for a client: links to it and from it can be cut as those of nodes."""
        self._clients += 1
        return -self._clients

    def host_of(self, place: Place) -> str:
        """The host name of a node, or the address of a client."""
        return self.nodes[place].host if place in self.nodes else f"10.0.1.{-place}"

    @property
    def places(self) -> tuple[Place, ...]:
        """All nodes and clients."""
        return (*self.nodes, *range(-1, -self._clients - 1, -1))

    def running(self) -> Iterator[tuple[int, Node]]:
        """The processes that run, also those that are paused, by node id."""
        for node_id in sorted(self.nodes):
            process = self.nodes[node_id].process
            if process is not None:
                yield node_id, process

    def listening(self, place: Place) -> End | None:
        """Who takes new streams at a place."""
        node = self.nodes.get(place)
        return node if node is not None and node.process is not None else None

    def is_silent(self, place: Place) -> bool:
        """Whether a place's machine is without power."""
        node = self.nodes.get(place)
        return node is not None and node.is_dark

    # -- what may be done to them -------------------------------------------------------------------------------

    def start(self, node_id: int) -> None:
        """Start a node that is off, on what its disk has."""
        self.nodes[node_id].start()

    def kill(self, node_id: int) -> None:
        """End a node's process at once: what it wrote is still there, its peers see their connections end."""
        self.nodes[node_id].end("is killed")
        self.nodes[node_id].disk.stop()

    def crash(self, node_id: int) -> None:
        """Cut the power of a node's machine: what was not flushed is lost, its peers see nothing but silence."""
        node = self.nodes[node_id]
        if node.process is not None:
            node.is_dark = True
            node.end("loses power")
        node.disk.crash(self.random)

    def stop(self, node_id: int) -> None:
        """Ask a node to stop in order. It is off once its `process` is None."""
        self.nodes[node_id].stop()

    def pause(self, node_id: int) -> None:
        """Stop a node's process from running, without its end (SIGSTOP)."""
        if self.nodes[node_id].process is not None:
            self.nodes[node_id].is_paused = True
            self.note(node_id, "is paused")

    def resume(self, node_id: int) -> None:
        """Let it run again."""
        if self.nodes[node_id].is_paused:
            self.note(node_id, "goes on")
            self.nodes[node_id].resume()

    def break_connections(self, one: Place, other: Place) -> None:
        """Break all connections between two places; both may make new ones at once."""
        self.network.break_between(one, other)

    def set_clock(self, node_id: int, *, jump_ms: int = 0, drift_ppm: int | None = None) -> None:
        """Set a node's wall clock forward or back, and have its monotonic clock run faster or slower."""
        node = self.nodes[node_id]
        node.clock.jump(jump_ms)
        if drift_ppm is not None:
            node.clock.run_at(drift_ppm, self.now_us)
            node.plan_timer()

    # -- watchers -----------------------------------------------------------------------------------------------

    def watch(self, watcher: Watcher) -> None:
        """Have somebody look at every event from now on."""
        self._watchers.append(watcher)
        self._looking.append(watcher.on_event)

    def on_started(self, node: SimulatedNode) -> None:
        """A node's process has been made."""
        for one in self._watchers:
            one.on_started(node)

    def on_event(self, node: SimulatedNode) -> None:
        """A node's process has done something."""
        for look in self._looking:
            look(node)

    def on_ended(self, node: SimulatedNode) -> None:
        """A node's process is gone."""
        for one in self._watchers:
            one.on_ended(node)

    def on_halted(self, node: SimulatedNode, reason: str) -> None:
        """A node's process halted, or could not start."""
        for one in self._watchers:
            one.on_halted(node, reason)

    def on_log(self, node: SimulatedNode, level: str, text: str) -> None:
        """A node's process logs a line."""
        self.note(node.node_id, level, text)
        for one in self._watchers:
            one.on_log(node, level, text)

    def broken(self, what: str) -> None:
        """Something that must hold does not: `step` raises `InvariantBroken` after the present event.

        Not at once: a node that was in the midst of something would take it for a failure of its own.
        """
        if self._wrong is None:
            self._wrong = f"seed {self.seed}, at {self.now_us / 1000:.3f} ms: {what}"
