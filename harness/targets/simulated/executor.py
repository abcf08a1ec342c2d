"""The executor of a simulated world: tasks are coroutines of this thread, and time passes only where somebody waits.

Whoever waits outside of a task lets the world's events happen until what it waits for is there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from harness.hosts.executor import Listener, Serve, Service, Signal, Stream, Task, Window, Work
from reference_broker.simulation.clock import BEGINNING_MS
from reference_broker.simulation.network import CLIENT, SERVER, Closed, Opening, Payload
from reference_broker.simulation.network import Stream as WorldStream
from reference_broker.simulation.tasks import Promise, spawn
from reference_broker.simulation.world import World

T = TypeVar("T")
_FIRST_PORT = 30_000
_WHO = {CLIENT: "client", SERVER: "server"}


class VirtualExecutor:
    """Virtual time, and connections to the nodes of a world (Executor). All of our clients are at one place there."""

    is_virtual = True

    def __init__(self, world: World) -> None:
        self.world = world
        self.place = world.new_client()
        """Where our clients are: links to it can be cut as those of nodes."""
        self._is_waiting = False
        self._ports = _FIRST_PORT

    def now_ns(self) -> int:
        """Since the world began."""
        return self.world.now_us * 1000

    def wall_ms(self) -> int:
        """What a right clock shows in the world."""
        return BEGINNING_MS + self.world.now_us // 1000

    def sleep(self, seconds: float) -> None:
        """Lets the events of so much time happen."""
        self.run(self.pause(seconds))

    async def pause(self, seconds: float) -> None:
        """Lets time pass, in a task."""
        promise: Promise[None] = Promise()
        self.world.after(_us(seconds), promise.keep, None)
        await promise

    def signal(self) -> Signal:
        """A new signal."""
        return _VirtualSignal(self.world)

    def window(self, places: int) -> Window:
        """A new window."""
        return _VirtualWindow(self.world, places)

    def start(self, name: str, work: Callable[[], Work[None]]) -> Task:
        """Starts a task, whose first step is the next event."""
        task = _VirtualTask(self, name)
        self.world.after(0, lambda: spawn(work()).then(task.end))
        return task

    def run(self, work: Work[T]) -> T:
        """Lets events happen until a coroutine has ended; its result."""
        with self._waiting():
            outcome = spawn(work)
            while not outcome.is_done:
                if not self.world.step():
                    raise RuntimeError("nothing is planned any more in the simulated world, and somebody waits")
        return outcome.result()

    def wait_for(self, is_so: Callable[[], bool], timeout_s: float) -> bool:
        """Lets events happen until something holds; whether it did within the time."""
        with self._waiting():
            return self.world.run_until(is_so, int(timeout_s * 1000))

    async def connect(self, host: str, port: int, timeout_s: float) -> Stream:
        """A new connection to a node of the world."""
        stream = _VirtualStream(self.world, CLIENT)
        stream.open(self.place, (host, port))
        await stream.opened(timeout_s)
        return stream

    def listen(self, host: str, serve: Serve) -> Listener:
        """Listens where our clients are, whatever host is named."""
        self._ports += 1
        return _VirtualListener(self, self._ports, serve)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        if self._is_waiting:
            raise RuntimeError("a task of the simulated world waits as if it were none")
        self._is_waiting = True
        try:
            yield
        finally:
            self._is_waiting = False


def _us(seconds: float) -> int:
    return max(0, round(seconds * 1_000_000))


class _VirtualTask:
    """A coroutine of the world (Task)."""

    def __init__(self, executor: VirtualExecutor, name: str) -> None:
        self._executor, self._name = executor, name
        self._outcome: Promise[None] | None = None

    @property
    def name(self) -> str:
        return self._name

    def end(self, outcome: Promise[None]) -> None:
        self._outcome = outcome

    def join(self, timeout: float | None = None) -> None:
        self._executor.wait_for(lambda: not self.is_alive(), 1e9 if timeout is None else timeout)
        if self._outcome is not None:
            self._outcome.result()

    def is_alive(self) -> bool:
        return self._outcome is None


class _VirtualSignal:
    """An event (Signal). Whoever waits for it goes on by an event of its own, in the order in which they came."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._is_set = False
        self._waiting: dict[Promise[None], None] = {}

    def set(self) -> None:
        self._is_set = True
        for promise in self._waiting:
            self._world.after(0, promise.keep, None)
        self._waiting.clear()

    def is_set(self) -> bool:
        return self._is_set

    async def wait(self, timeout: float | None = None) -> bool:
        if not self._is_set:
            promise: Promise[None] = Promise()
            self._waiting[promise] = None
            if timeout is not None:
                self._world.after(_us(timeout), promise.keep, None)
            await promise
            self._waiting.pop(promise, None)
        return self._is_set


class _VirtualWindow:
    """A semaphore (Window)."""

    def __init__(self, world: World, places: int) -> None:
        self._world, self._places = world, places
        self._waiting: deque[Promise[bool]] = deque()

    async def acquire(self, timeout: float | None = None) -> bool:
        if self._places:
            self._places -= 1
            return True
        promise: Promise[bool] = Promise()
        self._waiting.append(promise)
        if timeout is not None:
            self._world.after(_us(timeout), promise.keep, False)
        has_place = await promise
        if not has_place and promise in self._waiting:
            self._waiting.remove(promise)
        return has_place

    def release(self, n: int = 1) -> None:
        for _ in range(n):
            self._world.after(0, self._give)

    def _give(self) -> None:
        while self._waiting:
            promise = self._waiting.popleft()
            if not promise.is_done:
                promise.keep(True)
                return
        self._places += 1


class _VirtualStream:
    """A connection to a node of a world, or from one (Stream, and an end of the world's own streams)."""

    def __init__(self, world: World, side: int) -> None:
        self._world, self._side = world, side
        self._stream: WorldStream | None = None
        self._is_open = False
        self._ended: str | None = None
        self._arrived = bytearray()
        self._waiting: Promise[None] | None = None

    def open(self, place: int, address: tuple[str, int]) -> None:
        self._stream = self._world.network.connect(place, address, self)

    def accept(self, stream: WorldStream) -> None:
        self._stream, self._is_open = stream, True
        stream.ends[self._side] = self
        self._world.network.send(stream, self._side, Opening.ACCEPTED)

    async def opened(self, timeout_s: float) -> None:
        await self._until(lambda: self._is_open, timeout_s)
        if not self._is_open:
            reason = self._ended
            self.close()
            if reason is None:
                raise TimeoutError("timed out")
            raise (ConnectionRefusedError if "refused" in reason else ConnectionError)(reason)

    def take(self, stream: WorldStream, payload: Payload) -> None:
        """Something came over it."""
        if payload is Opening.ACCEPTED:
            self._is_open = True
        elif isinstance(payload, Closed):
            self._ended = payload.reason
        elif isinstance(payload, bytes):
            self._arrived += payload
        if self._waiting is not None:
            self._waiting.keep(None)

    async def send(self, data: bytes, timeout_s: float) -> None:
        if self._ended is not None or self._stream is None:
            raise ConnectionResetError(self._ended or "it is closed")
        self._world.network.send(self._stream, self._side, data)

    async def receive(self, size: int, timeout_s: float) -> bytes:
        await self._until(lambda: len(self._arrived) >= size, timeout_s)
        if len(self._arrived) < size:
            if self._ended is None:
                raise TimeoutError("timed out")
            raise ConnectionResetError(
                f"the broker closed the connection after {len(self._arrived)} of {size} bytes: {self._ended}"
            )
        found = bytes(self._arrived[:size])
        del self._arrived[:size]
        return found

    async def has_arrived(self, within_s: float) -> bool:
        await self._until(lambda: bool(self._arrived), within_s)
        return bool(self._arrived) or self._ended is not None

    async def is_closed_by_peer(self, within_s: float) -> bool:
        return await self.has_arrived(within_s) and not self._arrived

    async def _until(self, is_so: Callable[[], bool], timeout_s: float) -> None:
        """Waits until something holds, the stream ends, or the time is over."""
        deadline_us = self._world.now_us + _us(timeout_s)
        while not is_so() and self._ended is None and self._world.now_us < deadline_us:
            self._waiting = Promise()
            self._world.at(deadline_us, self._waiting.keep, None)
            await self._waiting
            self._waiting = None

    def close(self) -> None:
        if self._stream is not None and self._ended is None:
            self._world.network.close(self._stream, self._side, f"closed by the {_WHO[self._side]}")
            self._ended = "it is closed"
            if self._waiting is not None:
                self._waiting.keep(None)


class _VirtualListener:
    """Takes connections from the nodes of a world (Listener, and an end of the world's own streams)."""

    def __init__(self, executor: VirtualExecutor, port: int, serve: Serve) -> None:
        self._place, self._world = executor.place, executor.world
        self._service = Service(executor, serve)
        self.address = (self._world.host_of(executor.place), port)
        self._world.network.listen(executor.place, self.address, self)

    def take(self, stream: WorldStream, payload: Payload) -> None:
        """Somebody connects."""
        accepted = _VirtualStream(self._world, SERVER)
        accepted.accept(stream)
        self._service.take(accepted)

    def close(self) -> None:
        self._world.network.listen(self._place, self.address, None)
        self._service.close()
