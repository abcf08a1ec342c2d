"""Executors: who carries out waits, tasks and connections; with threads and sockets, or in virtual time.

Whoever waits does it through an executor. A task is a coroutine, and waits with `await`. With threads such a coroutine
never suspends: each `await` blocks its thread. In virtual time it suspends, and others go on. Code outside of tasks,
the body of a check and the nemesis, waits with `sleep`, and has a coroutine carried out with `run`.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Work = Coroutine[Any, Any, T]


class Signal(Protocol):
    """An event that happens once (as threading.Event)."""

    def set(self) -> None:
        """It has happened."""
        ...

    def is_set(self) -> bool:
        """Whether it has happened."""
        ...

    async def wait(self, timeout: float | None = None) -> bool:
        """Waits for it, at most so many seconds; whether it has happened."""
        ...


class Window(Protocol):
    """A semaphore: a number of places."""

    async def acquire(self, timeout: float | None = None) -> bool:
        """Takes a place, waiting for one at most so many seconds; whether there was one."""
        ...

    def release(self, n: int = 1) -> None:
        """Gives places back."""
        ...


class Task(Protocol):
    """A running coroutine."""

    @property
    def name(self) -> str:
        """As the process in the history."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Waits for its end, at most so many seconds. Not for tasks."""
        ...

    def is_alive(self) -> bool:
        """Whether it is still at work."""
        ...


class Stream(Protocol):
    """A connection's bytes. OSError where the peer closes or is too slow (TimeoutError)."""

    async def send(self, data: bytes, timeout_s: float) -> None:
        """Sends all of it."""
        ...

    async def receive(self, size: int, timeout_s: float) -> bytes:
        """Exactly so many bytes."""
        ...

    async def has_arrived(self, within_s: float) -> bool:
        """Whether bytes, or the end of the stream, arrive in this time. Reads nothing."""
        ...

    async def is_closed_by_peer(self, within_s: float) -> bool:
        """Whether the stream ends in this time, without another byte."""
        ...

    def close(self) -> None:
        """Closes it; may be called twice."""
        ...


Serve = Callable[[Stream], Work[None]]
"""What is done with a connection that somebody opened; it is closed at the end."""


class Listener(Protocol):
    """Takes connections, each served by a task of its own."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        ...

    def close(self) -> None:
        """Takes no more, and closes those that are open."""
        ...


class Executor(Protocol):
    """Time, waits, tasks and connections."""

    @property
    def is_virtual(self) -> bool:
        """Whether its time passes only where somebody waits."""
        ...

    def now_ns(self) -> int:
        """A clock that never goes back."""
        ...

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Lets time pass. Not for tasks."""
        ...

    async def pause(self, seconds: float) -> None:
        """Lets time pass, in a task."""
        ...

    def signal(self) -> Signal:
        """A new signal."""
        ...

    def window(self, places: int) -> Window:
        """A new window."""
        ...

    def start(self, name: str, work: Callable[[], Work[None]]) -> Task:
        """Starts a task."""
        ...

    def run(self, work: Work[T]) -> T:
        """Carries a coroutine out, and returns its result. Not for tasks."""
        ...

    async def connect(self, host: str, port: int, timeout_s: float) -> Stream:
        """A new connection. OSError where the peer is not reached."""
        ...

    def listen(self, host: str, serve: Serve) -> Listener:
        """Listens at a free port of an address of this machine. An OSError ends the service of a connection."""
        ...


class ThreadExecutor:
    """Each task is a thread; the machine's clock, and its sockets (Executor)."""

    is_virtual = False

    def now_ns(self) -> int:
        """The machine's monotonic clock."""
        return time.monotonic_ns()

    def wall_ms(self) -> int:
        """The machine's clock."""
        return time.time_ns() // 1_000_000

    def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        time.sleep(seconds)

    async def pause(self, seconds: float) -> None:
        """Lets time pass."""
        time.sleep(seconds)

    def signal(self) -> Signal:
        """A new signal."""
        return _ThreadSignal()

    def window(self, places: int) -> Window:
        """A new window."""
        return _ThreadWindow(places)

    def start(self, name: str, work: Callable[[], Work[None]]) -> Task:
        """Starts a task in a daemon thread."""
        thread = threading.Thread(target=lambda: self.run(work()), name=name, daemon=True)
        thread.start()
        return thread

    def run(self, work: Work[T]) -> T:
        """Carries a coroutine out; whatever it awaits blocks this thread."""
        return finished(work)

    async def connect(self, host: str, port: int, timeout_s: float) -> Stream:
        """A TCP connection."""
        return _SocketStream.to(host, port, timeout_s)

    def listen(self, host: str, serve: Serve) -> Listener:
        """Listens for TCP connections; a thread takes them, and one serves each."""
        return _SocketListener(self, host, serve)


def finished(work: Work[T]) -> T:
    """The result of a coroutine that never suspends. RuntimeError where it does."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("a task waits for virtual time, and is carried out by a thread")


class _ThreadSignal:
    """An event of a thread (Signal)."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.set, self.is_set = self._event.set, self._event.is_set

    async def wait(self, timeout: float | None = None) -> bool:
        return self._event.wait(timeout)


class _ThreadWindow:
    """A semaphore of threads (Window)."""

    def __init__(self, places: int) -> None:
        self._semaphore = threading.Semaphore(places)
        self.release = self._semaphore.release

    async def acquire(self, timeout: float | None = None) -> bool:
        return self._semaphore.acquire(timeout=timeout)


class _SocketStream:
    """A TCP connection (Stream)."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def to(cls, host: str, port: int, timeout_s: float) -> _SocketStream:
        return cls(socket.create_connection((host, port), timeout_s))

    async def send(self, data: bytes, timeout_s: float) -> None:
        self._socket.settimeout(timeout_s)
        self._socket.sendall(data)

    async def receive(self, size: int, timeout_s: float) -> bytes:
        self._socket.settimeout(timeout_s)
        found = bytearray(size)
        view = memoryview(found)
        at = 0
        while at < size:
            count = self._socket.recv_into(view[at:])
            if count == 0:
                raise ConnectionResetError(f"the broker closed the connection after {at} of {size} bytes")
            at += count
        return bytes(found)

    async def has_arrived(self, within_s: float) -> bool:
        return bool(select.select([self._socket], [], [], within_s)[0])

    async def is_closed_by_peer(self, within_s: float) -> bool:
        self._socket.settimeout(within_s)
        try:
            return self._socket.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        self._socket.close()


class Service:
    """What a listener does with the connections that it takes: each is served, and closed after that."""

    def __init__(self, executor: Executor, serve: Serve) -> None:
        self._executor, self._serve = executor, serve
        self._open: dict[Stream, None] = {}

    def take(self, stream: Stream) -> None:
        """Serve a connection beside the others."""
        self._open[stream] = None
        self._executor.start("service", partial(self._served, stream))

    async def _served(self, stream: Stream) -> None:
        try:
            with contextlib.suppress(OSError):
                await self._serve(stream)
        finally:
            self._open.pop(stream, None)
            stream.close()

    def close(self) -> None:
        """Close the connections that are open."""
        for stream in list(self._open):
            stream.close()


class _SocketListener:
    """Takes TCP connections (Listener)."""

    def __init__(self, executor: ThreadExecutor, host: str, serve: Serve) -> None:
        self._service = Service(executor, serve)
        self._socket = socket.create_server((host, 0))
        host, port = self._socket.getsockname()[:2]
        self.address = (str(host), int(port))
        threading.Thread(target=self._accept, name=f"listener at {host}:{port}", daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                self._service.take(_SocketStream(self._socket.accept()[0]))

    def close(self) -> None:
        self._socket.close()
        self._service.close()


THREADS: Executor = ThreadExecutor()
_current: list[Executor] = [THREADS]


def current() -> Executor:
    """The executor of the cluster under check: threads, unless that cluster lives in virtual time."""
    return _current[-1]


@contextmanager
def using(executor: Executor) -> Iterator[None]:
    """Inside the block that executor is the current one, in all threads."""
    _current.append(executor)
    try:
        yield
    finally:
        _current.remove(executor)
