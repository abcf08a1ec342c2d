"""One node as a machine: bytes, outcomes and time in, effects out. The only dispatcher, and the only place where a
refusal becomes a response.

It opens no socket and reads no clock; `reference_broker.server` does that for a real machine.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from msgspec import Struct

from reference_broker.apis import api_versions
from reference_broker.apis.context import BrokerContext, Context, ControllerContext, Parts, Session
from reference_broker.apis.refusals import refuse
from reference_broker.apis.registry import BROKER, CONTROLLER, Handler, Served, served
from reference_broker.connection import Connection, Landings
from reference_broker.effects import (
    HANG_UP,
    NO_RESPONSE,
    Close,
    ConnectionId,
    Effect,
    Halt,
    Outbox,
    Reply,
)
from reference_broker.ending import Ending
from reference_broker.environment import Now
from reference_broker.loopback import Loopback
from reference_broker.waiting import Deadlines, Later
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.codec import decode_prefix
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import UnsupportedVersion, decode_request_header, encode_response
from reference_broker.wire.messages.request_header import RequestHeader
from reference_broker.wire.primitives import MalformedRequest, UnencodableResponse
from reference_broker.wire.refusal import KafkaError

if TYPE_CHECKING:
    from reference_broker.broker.controller_registrar import ControllerRegistrar
    from reference_broker.life import BrokerLife
    from reference_broker.replication.partitions import Partitions


STOPPED: Final = "the broker has stopped"


@dataclass(slots=True)
class Observers:
    """Who wants to know: `log(level, text)` for people, `trace(connection, direction, text)` for --log-requests."""

    log: Callable[[str, str], None] = lambda level, text: None
    trace: Callable[[ConnectionId, str, str], None] | None = None


class Waker(Protocol):
    """A part where somebody waits for something that has happened now."""

    def wake(self, now: Now) -> None:
        """Tell them."""


class Client(Struct):
    """A connection, what it is served, and how its requests' circumstances are made."""

    session: Session
    handlers: Mapping[int, Served]
    context: type[Context]


class InProgress(Struct):
    """The request in progress of a connection: what its answer needs. `later` is there while it waits."""

    connection: Connection
    correlation_id: int
    api_key: int
    api_version: int
    handler: Handler | None
    request: Any
    later: Later | None = None


@dataclass(slots=True)
class Node:
    """Made by `startup.start_node`. Every input returns what must be done outside."""

    parts: Parts
    observers: Observers
    outbox: Outbox
    """Where the parts put what they ask for."""
    touched: list[Waker]
    """Where the parts put themselves when they have somebody to wake."""
    ending: Ending
    life: BrokerLife | None = None
    registrar: ControllerRegistrar | None = None
    _handlers: dict[str, Mapping[int, Served]] = field(default_factory=dict)
    """What each listener serves, by its name."""
    _connections: dict[ConnectionId, Connection] = field(default_factory=dict)
    _deadlines: Deadlines = field(default_factory=Deadlines)
    _landings: Landings = field(default_factory=Landings)
    _connection_count: int = 0
    _loopback: Loopback = field(init=False)
    _parts_deadline_ms: int | None = None
    """What `_ask_parts` said; None where something may have changed it."""
    _has_left: bool = False
    """Whether its broker has stopped: a stopping controller goes on without clients."""

    def __post_init__(self) -> None:
        """What the node asks of itself is refused as what others ask."""
        self._loopback = Loopback(self.parts, self.outbox, self._deadlines, self._refusal_of)

    # -- connections --------------------------------------------------------------------------------------------

    def connect(self, listener: str, client_host: str) -> Connection:
        """A client has come in on a listener, by its name."""
        self._connection_count += 1
        connection = Connection(
            ConnectionId(self._connection_count),
            listener,
            client_host,
            self.parts.settings.current.number("socket.request.max.bytes"),
            self._landings,
        )
        kind = CONTROLLER if listener in self.parts.settings.static.controller_listeners else BROKER
        if listener not in self._handlers:
            self._handlers[listener] = served(kind, self.parts.settings.static.release)
        context = ControllerContext if kind == CONTROLLER else BrokerContext
        connection.session = Client(Session(listener, client_host), self._handlers[listener], context)
        self._connections[connection.id] = connection
        return connection

    def disconnect(self, connection_id: ConnectionId) -> None:
        """A client is gone: what it waited for is dropped. Members of groups stay until their session ends."""
        connection = self._connections.pop(connection_id, None)
        if connection is None:
            return
        in_progress: InProgress | None = connection.in_progress
        connection.in_progress = None
        if in_progress is not None and in_progress.later is not None:
            in_progress.later.cancel()

    def receive(self, connection: Connection, data: bytes, now: Now) -> list[Effect]:
        """Bytes of a client."""
        try:
            connection.receive(data)
        except MalformedRequest as error:
            self._hang_up(connection, str(error))
            return self.take(now)
        return self.go_on(connection, now)

    def on_written(self, connection: Connection, now: Now) -> list[Effect]:
        """A reply is out: the connection's next request may be served."""
        connection.is_writing = False
        return self.go_on(connection, now) if connection.frames else []

    def go_on(self, connection: Connection, now: Now) -> list[Effect]:
        """Serve the connection's whole requests, in turn, until one must wait or its answer must be written."""
        self._loopback.now = now
        while connection.frames and (frame := connection.next_frame()) is not None:
            self._serve(connection, frame, now)
            if self.touched:
                self._wake(now)
        return self.take(now) if self.touched or self.outbox.local else self.outbox.take()

    def settle(self, token: int, outcome: Any, now: Now) -> list[Effect]:
        """The outcome of a `Send` or a `Flush`: the response, `PeerLost`, None for flushed, or an OSError."""
        self._loopback.now, self._parts_deadline_ms = now, None
        try:
            self.outbox.settle(token, outcome, now)
        except OSError as error:
            self.outbox.put(Halt(f"the metadata log cannot be written: {error}"))
        self.ending.go_on(now)
        return self.take(now)

    def take(self, now: Now) -> list[Effect]:
        """What must be done outside since the last call. What the node asks of itself is served first."""
        while self.touched or self.outbox.local:
            self._parts_deadline_ms = None
            self._wake(now)
            sent, self.outbox.local = self.outbox.local, []
            for one in sent:
                self._loopback.serve(one, now)
        if self.life is not None and self.life.has_ended and not self._has_left:
            self._leave_clients()
        return self.outbox.take()

    def _leave_clients(self) -> None:
        """Hang up on the broker's clients. What it knows now is not the cluster: one that names no broker as alive
        would have clients forget them all."""
        self._has_left = True
        for connection in [one for one in self._connections.values() if one.session.context is BrokerContext]:
            connection.hang_up()
            self.outbox.put(Close(connection.id, STOPPED))

    def _hang_up(self, connection: Connection, reason: str) -> None:
        self.observers.log("INFO", f"closing the connection from {connection.client_host}: {reason}")
        connection.hang_up()
        self.outbox.put(Close(connection.id, reason))

    # -- requests -----------------------------------------------------------------------------------------------

    def _serve(self, connection: Connection, frame: memoryview, now: Now) -> None:
        """One request: decode, dispatch, and what its handler says. What the handler raises becomes a response."""
        client: Client = connection.session
        if self._has_left and client.context is BrokerContext:
            self._hang_up(connection, STOPPED)
            return
        try:
            header, at = decode_request_header(frame)
            key, version = header.request_api_key, header.request_api_version
            found = client.handlers.get(key)
            if found is None or version not in found.versions:
                raise UnsupportedVersion(key, version, header.correlation_id)
            # Bytes that follow the request are passed over, as Kafka does until 4.4.
            request, _ = decode_prefix(APIS[key].request, version, frame, at)
            is_routine = found.is_routine is not None and found.is_routine(request)
        except UnsupportedVersion as error:
            self._refuse_version(connection, error)
            return
        except MalformedRequest as error:
            self._hang_up(connection, str(error))
            return
        if not is_routine:
            self._parts_deadline_ms = None
        in_progress = InProgress(connection, header.correlation_id, key, version, found.handler, request)
        connection.in_progress = in_progress
        ctx = client.context(
            now=now, api_version=version, client_id=header.client_id, session=client.session, parts=self.parts
        )
        if self.observers.trace is not None:
            self._trace_request(header, request, connection)
        try:
            result = found.handler.handle(request, ctx)
        except Exception as error:
            self._refuse(in_progress, error)
            return
        if isinstance(result, Later):
            self._wait(in_progress, result)
        else:
            self._answer(in_progress, result)

    def _refuse_version(self, connection: Connection, error: UnsupportedVersion) -> None:
        if error.api_key != ApiKey.API_VERSIONS:
            self._hang_up(connection, f"{error} is served here")
            return
        connection.in_progress = InProgress(connection, error.correlation_id, error.api_key, 0, None, None)
        self._answer(connection.in_progress, api_versions.unsupported(self.parts.settings.static.release))

    def _wait(self, in_progress: InProgress, later: Later) -> None:
        """The answer comes later: by whoever completes it, or at its deadline."""
        in_progress.later = later
        if not later.NEEDS_REQUEST:
            in_progress.request = None  # it may hold many records
        later.then(partial(self._on_answer, in_progress))
        if not later.is_done:
            self._deadlines.add(later)

    def _on_answer(self, in_progress: InProgress, result: Any) -> None:
        if isinstance(result, Exception):
            self._refuse(in_progress, result)
        else:
            self._answer(in_progress, result)

    def _answer(self, in_progress: InProgress, result: Any) -> None:
        """A response, or none where the request asked for none."""
        connection = in_progress.connection
        if connection.in_progress is not in_progress:
            return  # the client is gone
        connection.in_progress = None
        if result is HANG_UP:
            self._hang_up(connection, "the request asked for no answer, and was refused")
            return
        if result is NO_RESPONSE:
            return
        if self.observers.trace is not None:
            self.observers.trace(connection.id, "->", f"{in_progress.correlation_id} {result!r}")
        try:
            frame = encode_response(in_progress.api_key, in_progress.api_version, in_progress.correlation_id, result)
        except UnencodableResponse as error:
            self.observers.log("ERROR", f"an answer cannot be written: {error}")
            self._hang_up(connection, "its answer cannot be written")
            return
        connection.is_writing = True
        self.outbox.put(Reply(connection.id, frame))

    def _refuse(self, in_progress: InProgress, error: Exception) -> None:
        """Answer a request that failed with the response that says so."""
        refusal = self._refusal_of(error, in_progress.api_key, in_progress.api_version)
        if refusal is None:
            return
        if in_progress.handler is None or in_progress.request is None:
            self._hang_up(in_progress.connection, f"its answer could not be made: {error!r}")
            return
        response = refuse(
            in_progress.handler, in_progress.request, in_progress.api_version, refusal.code, refusal.detail
        )
        self._answer(in_progress, response)

    def _refusal_of(self, error: Exception, api_key: int, api_version: int) -> KafkaError | None:
        """What the client is told of an error; None where the node must halt."""
        if isinstance(error, KafkaError):
            return error
        if isinstance(error, OSError):
            # Only the metadata log lets one through: what it holds is in doubt, so nothing may be built on it.
            self.outbox.put(Halt(f"the metadata log cannot be written: {error}"))
            return None
        # A fault of ours; the client is told as Kafka tells of its own, and the node lives on.
        text = "".join(traceback.format_exception(error))
        self.observers.log("ERROR", f"{ApiKey(api_key).name} v{api_version} failed: {error!r}\n{text}")
        return KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR)

    def _trace_request(self, header: RequestHeader, request: Any, connection: Connection) -> None:
        if self.observers.trace is not None:
            name = ApiKey(header.request_api_key).name
            text = f"{header.correlation_id} {name} v{header.request_api_version} {header.client_id!r} {request!r}"
            self.observers.trace(connection.id, "<-", text)

    # -- what happens meanwhile ---------------------------------------------------------------------------------

    def _wake(self, now: Now) -> None:
        """Tell those who waited for what has happened; what they do may wake others."""
        while self.touched:
            touched = list(self.touched)
            self.touched.clear()
            for one in touched:
                one.wake(now)

    # -- time ---------------------------------------------------------------------------------------------------

    def next_deadline_ms(self) -> int:
        """When `on_time` must be called at the latest (monotonic)."""
        broker, parts_ms = self.parts.broker, self._parts_deadline_ms
        if parts_ms is None or (broker is not None and broker.partitions.has_lost):
            parts_ms = self._parts_deadline_ms = self._ask_parts()
        later_ms = self._deadlines.next_deadline_ms()
        earliest = later_ms if later_ms < parts_ms else parts_ms
        groups_ms = None if broker is None else broker.groups.next_deadline_ms()
        return earliest if groups_ms is None or groups_ms > earliest else groups_ms

    def _ask_parts(self) -> int:
        """The earliest deadline of the parts whose deadlines routine requests do not move."""
        parts = self.parts
        earliest = self.ending.deadline_ms
        if (due_ms := parts.quorum.next_deadline_ms()) < earliest:
            earliest = due_ms
        if (due_ms := parts.snapshots.next_deadline_ms()) < earliest:
            earliest = due_ms
        if parts.controller is not None and (due_ms := parts.controller.next_deadline_ms()) < earliest:
            earliest = due_ms
        if self.registrar is not None and (due_ms := self.registrar.next_deadline_ms) < earliest:
            earliest = due_ms
        if parts.broker is not None:
            if (due_ms := parts.broker.broker.next_deadline_ms) < earliest:
                earliest = due_ms
            of_partitions = parts.broker.partitions.next_deadline_ms()
            if of_partitions is not None and of_partitions < earliest:
                earliest = of_partitions
        return earliest

    def on_time(self, now: Now) -> list[Effect]:
        """Do what is due."""
        self._loopback.now, self._parts_deadline_ms = now, None
        parts = self.parts
        try:
            parts.quorum.on_time(now)
            if parts.controller is not None:
                parts.controller.on_time(now)
            if self.registrar is not None:
                self.registrar.on_time(now)
            parts.snapshots.on_time(now)
            if parts.broker is not None:
                parts.broker.broker.on_time(now)
                parts.broker.partitions.on_time(now)
                parts.broker.groups.on_time(now)
                self._look_at_folders(parts.broker.partitions)
        except OSError as error:
            self.outbox.put(Halt(f"the metadata log cannot be written: {error}"))
            return self.outbox.take()
        for later in self._deadlines.take_due(now.monotonic_ms):
            later.expire(now)
        self.ending.go_on(now)
        return self.take(now)

    def _look_at_folders(self, partitions: Partitions) -> None:
        """Go on without a log folder that failed, but not without the metadata log's, nor without any (KIP-858)."""
        failures, config = partitions.folders.failures, self.parts.settings.static
        if (why := failures.get(config.metadata_log_dir)) is not None:
            self.outbox.put(Halt(f"the folder of the metadata log is offline: {why}"))
        elif not partitions.folders.online_ids:
            self.outbox.put(Halt(f"every log folder is offline: {'; '.join(failures.values())}"))

    # -- the beginning and the end ------------------------------------------------------------------------------

    def serves(self, listener: str) -> bool:
        """Whether clients may come in on a listener: on a broker's from the time when it is not fenced any more."""
        is_of_controller = listener in self.parts.settings.static.controller_listeners
        return is_of_controller or (self.life is not None and self.life.is_serving)

    @property
    def has_stopped(self) -> bool:
        """After `stop`: whether all is done but `close`."""
        return self.ending.has_stopped

    def stop(self, now: Now) -> list[Effect]:
        """Begin to stop in order."""
        self._loopback.now = now
        self.ending.begin(now)
        return self.take(now)

    def close(self, now: Now) -> None:
        """Flush and release the metadata log, after `stop`."""
        self.parts.quorum.close(now)
