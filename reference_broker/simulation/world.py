"""A world of nodes in one thread: a queue of events on virtual time, and whatever the nodes ask for carried out.

All chance comes from one seed, and events of one time keep the order in which they were planned: so the same seed
gives the same events in any process. Time goes in µs from 0 on. Invariants are looked at after each event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Any

from reference_broker.effects import Close, ConnectionId, Flush, Halt, Reply, Send
from reference_broker.environment import Now
from reference_broker.simulation.clock import NEVER_US, NodeClock
from reference_broker.simulation.disk import SimulatedDisk
from reference_broker.simulation.exchanges import Exchanges
from reference_broker.simulation.machine import Machine, Open, Surroundings
from reference_broker.simulation.network import Address, Network

LIMIT_A_NODE = 10_000
"""Effects that one event may lead to at one node, before it is taken for an endless loop."""
TIMER_STEP_US = 10
"""How soon a node is called again whose deadline is over although it was called: it works in slices."""


class InvariantBroken(AssertionError):
    """Something that must hold does not; the text says what, when, and after which event."""


class Reporter:
    """What happened, as lines, for a reader and to compare two runs. Lines are kept only where `is_kept`."""

    def __init__(self, *, is_kept: bool) -> None:
        self.is_kept = is_kept
        self.lines: list[str] = []
        self.count = 0

    def note(self, time_us: int, node_id: int, text: str) -> None:
        """Something happened at a node."""
        self.count += 1
        if self.is_kept:
            self.lines.append(f"{time_us / 1000:.3f} {node_id}: {text}")


@dataclass(slots=True)
class SimulatedNode:
    """A node of a world. `incarnation` counts its starts: what an earlier one asked for is nobody's any more."""

    node_id: int
    open: Open
    disk: SimulatedDisk
    clock: NodeClock
    random: Random
    machine: Machine | None = None
    is_paused: bool = False
    is_dark: bool = False
    """Whether its machine is without power: then nobody is told that its connections are gone."""
    incarnation: int = 0
    halted: str | None = None
    waiting: list[Callable[[], None]] = field(default_factory=list)
    """What came in while it was paused."""
    timer_us: int = NEVER_US
    disk_free_us: int = 0


class World:
    """Made with a seed; nodes are added, then started. `now_us` only grows."""

    def __init__(self, seed: int, *, latency_us: tuple[int, int] = (200, 2000), is_recorded: bool = False) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.now_us = 0
        self.nodes: dict[int, SimulatedNode] = {}
        self.network = Network(self.random, latency_us)
        self.reporter = Reporter(is_kept=is_recorded)
        self.invariants: list[Callable[[], str | None]] = []
        self.on_reply: Callable[[int, ConnectionId, bytes], None] | None = None
        self.on_close: Callable[[int, ConnectionId, str], None] | None = None
        self._exchanges = Exchanges(self)
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    # -- events -------------------------------------------------------------------------------------------------

    def at(self, time_us: int, action: Callable[..., None], *arguments: Any) -> None:
        """Plan an event; one in the past happens next."""
        self._count += 1
        heappush(self._queue, (max(time_us, self.now_us), self._count, action, arguments))

    def after(self, delay_us: int, action: Callable[..., None], *arguments: Any) -> None:
        """Plan an event in a while."""
        self.at(self.now_us + delay_us, action, *arguments)

    def step(self) -> bool:
        """Let the next event happen; False where nothing is planned. InvariantBroken where it broke one."""
        if not self._queue:
            return False
        time_us, _, action, arguments = heappop(self._queue)
        self.now_us = time_us
        action(*arguments)
        for invariant in self.invariants:
            if (wrong := invariant()) is not None:
                raise InvariantBroken(f"seed {self.seed}, at {self.now_us / 1000:.3f} ms: {wrong}")
        return True

    def run_for(self, duration_ms: int) -> None:
        """Let so much time go by."""
        end_us = self.now_us + duration_ms * 1000
        while self._queue and self._queue[0][0] <= end_us:
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

    # -- nodes --------------------------------------------------------------------------------------------------

    def add(self, node_id: int, open_machine: Open, *addresses: Address, clock: NodeClock | None = None) -> None:
        """Add a node that is off, with an empty disk. Others reach it at its addresses."""
        clock = NodeClock() if clock is None else clock
        disk = SimulatedDisk(lambda: clock.now(self.now_us).wall_ms)
        own = Random(self.random.getrandbits(64))
        self.nodes[node_id] = SimulatedNode(node_id, open_machine, disk, clock, own)
        self.network.addresses.update(dict.fromkeys(addresses, node_id))

    def now_of(self, node_id: int) -> Now:
        """What a node's clocks show."""
        return self.nodes[node_id].clock.now(self.now_us)

    def running(self) -> Iterator[tuple[int, Machine]]:
        """The machines that run, also those that are paused, by node id."""
        for node_id in sorted(self.nodes):
            machine = self.nodes[node_id].machine
            if machine is not None:
                yield node_id, machine

    def start(self, node_id: int) -> None:
        """Start a node that is off, on what its disk has."""
        node = self.nodes[node_id]
        if node.machine is not None:
            return
        node.incarnation += 1
        node.halted, node.is_dark, node.timer_us, node.disk_free_us = None, False, NEVER_US, self.now_us
        self.reporter.note(self.now_us, node_id, "starts")

        def log(level: str, text: str) -> None:
            self.reporter.note(self.now_us, node_id, f"{level} {text}")

        node.machine = node.open(
            Surroundings(node_id=node_id, disk=node.disk, random=node.random, log=log), self.now_of(node_id)
        )
        self.carry_out(node)

    def kill(self, node_id: int) -> None:
        """End a node's process at once: what it wrote is still there, its peers see their connections end."""
        self._end(node_id, "is killed")
        self.nodes[node_id].disk.stop()

    def crash(self, node_id: int) -> None:
        """Cut the power of a node's machine: what was not flushed is lost, its peers see nothing but silence."""
        self.nodes[node_id].is_dark = True
        self._end(node_id, "loses power")
        self.nodes[node_id].disk.crash(self.random)

    def stop(self, node_id: int) -> None:
        """Stop a node in order, as far as that takes no answer of others; then its process ends."""
        node = self.nodes[node_id]
        if node.machine is not None:
            node.machine.shut_down(self.now_of(node_id))
            self.carry_out(node)
        self._end(node_id, "stops")
        node.disk.stop()

    def _end(self, node_id: int, how: str) -> None:
        node = self.nodes[node_id]
        if node.machine is None:
            return
        self.reporter.note(self.now_us, node_id, how)
        node.machine, node.is_paused = None, False
        node.incarnation += 1
        node.waiting.clear()
        self._exchanges.on_node_ended(node_id, is_silent=node.is_dark)

    def pause(self, node_id: int) -> None:
        """Stop a node's process from running, without its end (SIGSTOP)."""
        self.nodes[node_id].is_paused = True
        self.reporter.note(self.now_us, node_id, "is paused")

    def resume(self, node_id: int) -> None:
        """Let it run again: all that came in meanwhile happens now, and so does what was due."""
        node = self.nodes[node_id]
        node.is_paused = False
        self.reporter.note(self.now_us, node_id, "goes on")
        waiting, node.waiting = node.waiting, []
        for action in waiting:
            self.at(self.now_us, action)
        self._plan_timer(node)

    def break_connections(self, one: int, other: int) -> None:
        """Break all connections between two nodes; both may make new ones at once."""
        self._exchanges.break_between(one, other)

    # -- inputs and effects -------------------------------------------------------------------------------------

    def give(self, node_id: int, incarnation: int, action: Callable[[Machine, Now], None]) -> None:
        """Give a machine an input and carry out what it asks for; later where it is paused; never where it ended."""
        node = self.nodes[node_id]
        if node.machine is None or node.incarnation != incarnation:
            return
        if node.is_paused:
            node.waiting.append(lambda: self.give(node_id, incarnation, action))
            return
        action(node.machine, self.now_of(node_id))
        self.carry_out(node)

    def carry_out(self, node: SimulatedNode) -> None:
        """Carry out a machine's effects, and plan when it wants to be called again."""
        machine = node.machine
        if machine is None:
            return
        count = 0
        while machine is node.machine and (effects := machine.outbox.take()):
            count += len(effects)
            if count > LIMIT_A_NODE:
                raise InvariantBroken(f"node {node.node_id} asks for effects without an end")
            for effect in effects:
                if isinstance(effect, Send):
                    self._exchanges.send(node, effect)
                elif isinstance(effect, Flush):
                    self._flush(node, effect)
                elif isinstance(effect, Reply):
                    self._reply(node, effect)
                elif isinstance(effect, Close):
                    if self.on_close is not None:
                        self.on_close(node.node_id, effect.connection, effect.reason)
                elif isinstance(effect, Halt):
                    node.halted = effect.reason
                    self._end(node.node_id, f"halts: {effect.reason}")
                    node.disk.stop()
                    return
        self._plan_timer(node)

    def _reply(self, node: SimulatedNode, effect: Reply) -> None:
        if self.on_reply is not None:
            parts = (
                part if isinstance(part, (bytes, bytearray, memoryview)) else node.disk.bytes_of(part)
                for part in effect.buffers
            )
            self.on_reply(node.node_id, effect.connection, b"".join(parts))

    def _flush(self, node: SimulatedNode, effect: Flush) -> None:
        """Flushes of a disk are done one after another, each when its time is over."""
        node.disk_free_us = max(node.disk_free_us, self.now_us) + node.disk.flush_us(self.random)
        self.at(node.disk_free_us, self._flushed, node, node.incarnation, effect)

    def _flushed(self, node: SimulatedNode, incarnation: int, effect: Flush) -> None:
        if node.machine is None or node.incarnation != incarnation:
            return
        outcome: OSError | None = None
        try:
            for target in effect.targets:
                target.flush()
        except OSError as error:
            outcome = error
        self.give(node.node_id, incarnation, lambda machine, now: machine.outbox.settle(effect.token, outcome, now))

    # -- time ---------------------------------------------------------------------------------------------------

    def _plan_timer(self, node: SimulatedNode) -> None:
        if node.machine is None:
            return
        due_us = max(node.clock.time_of(node.machine.next_deadline_ms()), self.now_us + TIMER_STEP_US)
        if due_us < node.timer_us:
            node.timer_us = due_us
            if due_us < NEVER_US:
                self.at(due_us, self._on_timer, node, node.incarnation, due_us)

    def _on_timer(self, node: SimulatedNode, incarnation: int, due_us: int) -> None:
        machine = node.machine
        if machine is None or node.incarnation != incarnation or node.timer_us != due_us:
            return
        node.timer_us = NEVER_US
        if node.is_paused:
            return
        now = self.now_of(node.node_id)
        if machine.next_deadline_ms() <= now.monotonic_ms:
            machine.on_time(now)
            self.carry_out(node)
        else:
            self._plan_timer(node)
