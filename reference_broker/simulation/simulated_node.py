"""One node of a world: its machine, with disk and clocks, and the process on it, which is a whole `Node`.

What the node asks for is carried out on virtual time. A process that is paused gets what came in when it goes on; what
an earlier process asked for is nobody's any more.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, Final

from reference_broker.connection import Connection
from reference_broker.effects import Close, ConnectionId, Effect, Flush, Halt, Reply, Send
from reference_broker.environment import Now
from reference_broker.node import Node, Observers
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.simulation.clock import NEVER_US, NodeClock
from reference_broker.simulation.disk import SimulatedDisk
from reference_broker.simulation.network import SERVER, Closed, Network, Opening, Payload, Stream
from reference_broker.simulation.peers import Peers
from reference_broker.startup import start_node
from reference_broker.storage import StorageProblem, load_folders
from reference_broker.wire.primitives import FileSlice, MalformedRequest
from reference_broker.wire.refusal import KafkaError

if TYPE_CHECKING:
    from reference_broker.simulation.world import World

LIMIT_AT_ONCE: Final = 10_000
"""Effects that one input may lead to, before it is taken for an endless loop."""
TIMER_STEP_US: Final = 10
"""How soon a node is called again whose deadline is over although it was called: it works in slices."""


class SimulatedNode:
    """`listeners`: name → port. `incarnation` counts the starts and ends of its process."""

    def __init__(self, world: World, config: BrokerConfig, *, host: str, clock: NodeClock, random: Random) -> None:
        self.world, self.config, self.host, self.clock, self.random = world, config, host, clock, random
        self.node_id = config.node_id
        self.listeners = {one.listener: one.port for one in config.listeners}
        self.disk = SimulatedDisk(lambda: clock.now(world.now_us).wall_ms)
        self.process: Node | None = None
        self.is_paused = self.is_dark = False
        """`is_dark`: its machine is without power, and nobody is told that its connections are gone."""
        self.incarnation = 0
        self.halted: str | None = None
        """Why the process halted, or could not start; None where it did not."""
        self._names = {port: name for name, port in self.listeners.items()}
        self._reset()

    def _reset(self) -> None:
        """What goes with a process."""
        self._peers = Peers(self)
        self._streams: dict[ConnectionId, Stream] = {}
        self._connections: dict[Stream, Connection] = {}
        self._backlog: dict[Stream, list[bytes]] = {}
        self._postponed: list[Callable[[], None]] = []
        self._timer_us = NEVER_US
        self._flushes: list[Flush] = []
        self._is_stopping = False

    # -- what its parts need ------------------------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """The world's."""
        return self.world.network

    def now(self) -> Now:
        """What its clocks show."""
        time_us, clock = self.world.now_us, self.clock
        return clock.shown if clock.shown_us == time_us else clock.now(time_us)

    def postpone(self, action: Callable[[], None]) -> None:
        """Have something done when the process goes on."""
        self._postponed.append(action)

    def call_at(self, monotonic_ms: int, action: Callable[..., None], *arguments: Any) -> None:
        """Have something done at a time of its clock, as long as this process lives."""
        at_us = self.clock.time_of(monotonic_ms)
        if at_us < NEVER_US:
            self.world.at(at_us, self._call, self.incarnation, action, *arguments)

    def _call(self, incarnation: int, action: Callable[..., None], *arguments: Any) -> None:
        if self.incarnation != incarnation:
            return
        if self.is_paused:
            self.postpone(lambda: self._call(incarnation, action, *arguments))
        else:
            action(*arguments)

    # -- the life of its process --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the process on what the disk has. Where it cannot start, `halted` says why."""
        if self.process is not None:
            return
        self.incarnation += 1
        self.halted, self.is_dark = None, False
        self._reset()
        self.world.note(self.node_id, "starts")
        try:
            self.process = start_node(
                config=self.config,
                folders=load_folders(self.disk, self.config),
                disk=self.disk,
                random=self.random,
                now=self.now(),
                bound=self.listeners,
                observers=Observers(self._log),
            )
        except (StorageProblem, KafkaError, OSError, ValueError, MalformedRequest) as error:
            self._halt(f"cannot start: {error}")
            return
        self.world.on_started(self)
        self.carry_out(self.process.take(self.now()))

    def _log(self, level: str, text: str) -> None:
        self.world.on_log(self, level, text)

    def end(self, how: str) -> None:
        """The process is gone, from now on."""
        if self.process is None:
            return
        self.world.note(self.node_id, how)
        self.process, self.is_paused = None, False
        self.incarnation += 1
        self._reset()
        self.network.on_ended(self.node_id, is_silent=self.is_dark)
        self.world.on_ended(self)

    def _halt(self, reason: str) -> None:
        self.halted = reason
        self.end(f"halts: {reason}")
        self.disk.stop()
        self.world.on_halted(self, reason)

    def stop(self) -> None:
        """Ask the process to stop in order; it ends when it has."""
        if self.process is not None and not self._is_stopping:
            self._is_stopping = True
            self.carry_out(self.process.stop(self.now()))

    def resume(self) -> None:
        """Go on after a pause: all that came in meanwhile happens now, and so does what was due."""
        self.is_paused = False
        postponed, self._postponed = self._postponed, []
        for action in postponed:
            self.world.at(self.world.now_us, self._call, self.incarnation, action)
        self.plan_timer()

    # -- clients ------------------------------------------------------------------------------------------------

    def take(self, stream: Stream, payload: Payload) -> None:
        """Something came over a stream that others opened."""
        if payload is Opening.CONNECT:
            self.network.send(stream, SERVER, Opening.ACCEPTED)  # the kernel does, be the process paused or not
        if self.is_paused:
            self.postpone(lambda: self._take(stream, payload))
        else:
            self._take(stream, payload)

    def _take(self, stream: Stream, payload: Payload) -> None:
        process = self.process
        if process is None:
            return
        connection = self._connections.get(stream)
        if type(payload) is bytes:
            if connection is None:
                self._backlog[stream].append(payload)
            else:
                self.carry_out(process.receive(connection, payload, self.now()))
        elif payload is Opening.CONNECT:
            self._backlog[stream] = []
            self._admit()
        elif isinstance(payload, Closed):
            self._backlog.pop(stream, None)
            if connection is not None:
                del self._connections[stream]
                del self._streams[connection.id]
                process.disconnect(connection.id)

    def _admit(self) -> None:
        """Let clients in on the listeners that the node serves now; they have waited in the backlog."""
        process = self.process
        if process is None:
            return
        for stream in list(self._backlog):
            listener = self._names[stream.address[1]]
            if process.serves(listener) and (waiting := self._backlog.pop(stream, None)) is not None:
                connection = process.connect(listener, self.world.host_of(stream.places[0]))
                self._connections[stream], self._streams[connection.id] = connection, stream
                for data in waiting:
                    self.carry_out(process.receive(connection, data, self.now()))

    # -- effects ------------------------------------------------------------------------------------------------

    def settle(self, token: int, outcome: Any) -> None:
        """The outcome of a request or a flush is known."""
        if self.process is not None:
            self.carry_out(self.process.settle(token, outcome, self.now()))

    def carry_out(self, effects: list[Effect]) -> None:
        """Do what the process asks for, and plan when it wants to be called again."""
        process = self.process
        if process is None:
            return
        now = self.now()
        for effect in effects:  # it grows while it is gone through
            if type(effect) is Reply:
                self._reply(process, effect, effects, now)
            elif type(effect) is Send:
                self._peers.send(effect, now)
            elif type(effect) is Flush:
                self._flush(effect)
            elif isinstance(effect, Close):
                self._close(process, effect)
            elif isinstance(effect, Halt):
                self.world.on_event(self)  # before it halts it may have answered somebody
                self._halt(effect.reason)
                return
            if len(effects) > LIMIT_AT_ONCE:
                raise RuntimeError(f"node {self.node_id} asks for effects without an end")
        self.world.on_event(self)
        if self._backlog:
            self._admit()
        if self._is_stopping and process.has_stopped and self.process is process:
            process.close(now)
            self.disk.stop()
            self.end("has stopped")
            return
        self.plan_timer()

    def _reply(self, process: Node, effect: Reply, effects: list[Effect], now: Now) -> None:
        stream = self._streams.get(effect.connection)
        if stream is None:
            return
        buffers = effect.buffers
        if len(buffers) > 1:
            parts = [self.disk.bytes_of(part) if type(part) is FileSlice else part for part in buffers]
            data = b"".join(parts)  # type: ignore[arg-type]
        else:
            data = bytes(buffers[0])  # type: ignore[arg-type]
        self.world.network.send(stream, SERVER, data)
        connection = self._connections[stream]
        if connection.frames:
            effects += process.on_written(connection, now)
        else:
            connection.is_writing = False

    def _close(self, process: Node, effect: Close) -> None:
        stream = self._streams.pop(effect.connection, None)
        if stream is not None:
            del self._connections[stream]
            self.network.close(stream, SERVER, effect.reason)
            process.disconnect(effect.connection)

    def _flush(self, effect: Flush) -> None:
        """Flushes that wait while one is being done are done together, as the server does."""
        self._flushes.append(effect)
        if len(self._flushes) == 1:
            self.world.after(self.disk.flush_us(self.world.random), self._flushed, self.incarnation, 1)

    def _flushed(self, incarnation: int, count: int) -> None:
        """The disk has done the first so many flushes."""
        if self.incarnation != incarnation:
            return
        done, self._flushes = self._flushes[:count], self._flushes[count:]
        outcomes: dict[int, OSError | None] = {}
        for target in (target for one in done for target in one.targets):
            if id(target) not in outcomes:
                outcomes[id(target)] = None
                try:
                    target.flush()
                except OSError as error:
                    outcomes[id(target)] = error
        if waiting := len(self._flushes):
            self.world.after(self.disk.flush_us(self.world.random), self._flushed, incarnation, waiting)
        for one in done:
            failed = next((failed for target in one.targets if (failed := outcomes[id(target)]) is not None), None)
            self._call(incarnation, self.settle, one.token, failed)

    # -- time ---------------------------------------------------------------------------------------------------

    def plan_timer(self) -> None:
        """Have the process called when its next deadline is over."""
        if self.process is None:
            return
        due_us = self.clock.time_of(self.process.next_deadline_ms())
        if due_us < self.world.now_us + TIMER_STEP_US:
            due_us = self.world.now_us + TIMER_STEP_US
        if due_us < self._timer_us:
            self._timer_us = due_us
            if due_us < NEVER_US:
                self.world.at(due_us, self._on_timer, self.incarnation, due_us)

    def _on_timer(self, incarnation: int, due_us: int) -> None:
        process = self.process
        if process is None or self.incarnation != incarnation or self._timer_us != due_us:
            return
        self._timer_us = NEVER_US
        if self.is_paused:
            return
        now = self.now()
        if process.next_deadline_ms() <= now.monotonic_ms:
            self.carry_out(process.on_time(now))
        else:
            self.plan_timer()
