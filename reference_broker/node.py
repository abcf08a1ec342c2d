"""One node as a machine: bytes and time in, effects out. The only dispatcher, and the only place where a refusal
becomes a response.

It opens no socket and reads no clock; `reference_broker.server` does that for a real machine.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Struct

from reference_broker.apis import api_versions
from reference_broker.apis.context import Context, Parts
from reference_broker.apis.refusals import refuse
from reference_broker.apis.registry import BROKER, CONTROLLER, Handler, Served, served
from reference_broker.connection import Connection, Landings
from reference_broker.effects import (
    DEFERRED,
    HANG_UP,
    NO_RESPONSE,
    Answer,
    Close,
    ConnectionId,
    Effect,
    Halt,
    Park,
    Reply,
    Ticket,
)
from reference_broker.environment import Now
from reference_broker.purgatory import Purgatory
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.codec import decode_prefix
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import UnsupportedVersion, decode_request_header, encode_response
from reference_broker.wire.messages.request_header import RequestHeader
from reference_broker.wire.primitives import MalformedRequest, UnencodableResponse
from reference_broker.wire.refusal import KafkaError

FOREVER_MS: Final = 1 << 62


@dataclass(slots=True)
class Observers:
    """Who wants to know: `log(level, text)` for people, `trace(connection, direction, text)` for --log-requests."""

    log: Callable[[str, str], None] = lambda level, text: None
    trace: Callable[[ConnectionId, str, str], None] | None = None


class _Current(Struct, frozen=True):
    """The request in progress of a connection: what its answer needs."""

    handler: Handler
    request: Any
    ctx: Context


@dataclass(slots=True)
class Node:
    """Made by `startup.start_node`. Every call returns what must be done outside."""

    parts: Parts
    observers: Observers
    touched: list[Hashable]
    """Where the parts put the keys that something happened to."""
    halts: list[str]
    """Where the parts put the reasons why the node must not go on."""
    _handlers: dict[str, Mapping[int, Served]] = field(default_factory=dict)
    """What each listener serves, by its name."""
    _connections: dict[ConnectionId, Connection] = field(default_factory=dict)
    _current: dict[ConnectionId, _Current] = field(default_factory=dict)
    _purgatory: Purgatory = field(default_factory=Purgatory)
    _effects: list[Effect] = field(default_factory=list)
    _landings: Landings = field(default_factory=Landings)
    _connection_count: int = 0

    # -- connections --------------------------------------------------------------------------------------------

    def connect(self, listener: str, client_host: str) -> Connection:
        """A client has come in on a listener, by its name."""
        self._connection_count += 1
        connection = Connection(
            ConnectionId(self._connection_count),
            listener,
            client_host,
            self.parts.controller.config.number("socket.request.max.bytes"),
            self._landings,
        )
        self._connections[connection.id] = connection
        if listener not in self._handlers:
            names = self.parts.controller.static_config.controller_listeners
            self._handlers[listener] = served(CONTROLLER if listener in names else BROKER, self.parts.release)
        return connection

    def disconnect(self, connection: ConnectionId) -> None:
        """A client is gone: what it waited for is dropped."""
        self._connections.pop(connection, None)
        self._current.pop(connection, None)
        self._purgatory.forget(connection)
        self.parts.groups.on_connection_closed(connection)

    def receive(self, connection: Connection, data: bytes, now: Now) -> list[Effect]:
        """Bytes of a client."""
        try:
            connection.receive(data)
        except MalformedRequest as error:
            self._hang_up(connection, str(error))
            return self._take_effects()
        return self.go_on(connection, now)

    def on_written(self, connection: Connection, now: Now) -> list[Effect]:
        """A reply is out: the connection's next request may be served."""
        connection.is_writing = False
        return self.go_on(connection, now)

    def go_on(self, connection: Connection, now: Now) -> list[Effect]:
        """Serve the connection's whole requests, in turn, until one must wait or its answer must be written."""
        while (frame := connection.next_frame()) is not None:
            self._serve(connection, frame, now)
            if self.touched:
                self._wake(now)
        self._give_answers(now)
        return self._take_effects()

    def _take_effects(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        if self.halts:
            effects += [Halt(reason) for reason in self.halts]
            self.halts.clear()
        return effects

    def _hang_up(self, connection: Connection, reason: str) -> None:
        self.observers.log("INFO", f"closing the connection from {connection.client_host}: {reason}")
        connection.hang_up()
        self._effects.append(Close(connection.id, reason))

    # -- requests -----------------------------------------------------------------------------------------------

    def _serve(self, connection: Connection, frame: memoryview, now: Now) -> None:
        """One request: decode, dispatch, and what its handler says."""
        try:
            header, at = decode_request_header(frame)
            key, version = header.request_api_key, header.request_api_version
            found = self._handlers[connection.listener].get(key)
            if found is None or version not in found.versions:
                raise UnsupportedVersion(key, version, header.correlation_id)
            # Bytes that follow the request are passed over, as Kafka does until 4.4.
            request, _ = decode_prefix(APIS[key].request, version, frame, at)
        except UnsupportedVersion as error:
            self._refuse_version(connection, error)
            return
        except MalformedRequest as error:
            self._hang_up(connection, str(error))
            return
        ticket = Ticket(connection.id, header.correlation_id, key, version)
        handler = found.handler
        ctx = Context(
            now=now,
            api_version=version,
            listener=connection.listener,
            client_id=header.client_id,
            client_host=connection.client_host,
            ticket=ticket,
            parts=self.parts,
        )
        connection.ticket = ticket
        self._current[connection.id] = _Current(handler, request, ctx)
        if self.observers.trace is not None:
            self._trace_request(header, request, ctx)
        self._take_result(ticket, handler.handle, request, ctx)

    def _refuse_version(self, connection: Connection, error: UnsupportedVersion) -> None:
        if error.api_key != ApiKey.API_VERSIONS:
            self._hang_up(connection, f"{error} is served here")
            return
        connection.ticket = Ticket(connection.id, error.correlation_id, error.api_key, 0)
        self._reply(connection.ticket, api_versions.unsupported(self.parts.release))

    def _take_result(self, ticket: Ticket, make: Callable[..., Any], *circumstances: Any) -> None:
        """Run a handler, or the rest of one, and do what it says. What it raises becomes a response."""
        try:
            result = make(*circumstances)
        except KafkaError as error:
            self._refuse(ticket, error.code, error.detail)
            return
        except OSError as error:
            # Only the metadata log lets one through: what it holds is in doubt, so nothing may be built on it.
            self.halts.append(f"the metadata log cannot be written: {error}")
            return
        except Exception as error:
            # A fault of ours; the client is told as Kafka tells of its own, and the node lives on.
            name = ApiKey(ticket.api_key).name
            self.observers.log("ERROR", f"{name} v{ticket.api_version} failed: {error!r}\n{traceback.format_exc()}")
            self._refuse(ticket, ErrorCode.UNKNOWN_SERVER_ERROR, None)
            return
        if isinstance(result, Park):
            if result.is_ready():
                self._take_result(ticket, result.resume, self._current[ticket.connection].ctx.now)
            else:
                self._purgatory.add(ticket, result)
        elif result is not DEFERRED:
            self._answer(ticket, result)

    def _answer(self, ticket: Ticket, result: Any) -> None:
        """A response, or none where the request asked for none."""
        if result is HANG_UP:
            self._finish(ticket)
            self._hang_up(self._connections[ticket.connection], "the request asked for no answer, and was refused")
        elif result is NO_RESPONSE:
            self._finish(ticket)
        else:
            self._reply(ticket, result)

    def _refuse(self, ticket: Ticket, code: ErrorCode, detail: str | None) -> None:
        current = self._current.get(ticket.connection)
        if current is not None:
            self._answer(ticket, refuse(current.handler, current.request, ticket.api_version, code, detail))

    def _finish(self, ticket: Ticket) -> Connection | None:
        """The request is over; None where its connection is, too."""
        connection = self._connections.get(ticket.connection)
        if connection is None or connection.ticket is not ticket:
            return None
        connection.ticket = None
        self._current.pop(ticket.connection, None)
        return connection

    def _reply(self, ticket: Ticket, response: Any) -> None:
        connection = self._finish(ticket)
        if connection is None:
            return
        if self.observers.trace is not None:
            self.observers.trace(ticket.connection, "->", f"{ticket.correlation_id} {response!r}")
        try:
            frame = encode_response(ticket.api_key, ticket.api_version, ticket.correlation_id, response)
        except UnencodableResponse as error:
            self.observers.log("ERROR", f"an answer cannot be written: {error}")
            self._hang_up(connection, "its answer cannot be written")
            return
        connection.is_writing = True
        self._effects.append(Reply(ticket.connection, frame))

    def _trace_request(self, header: RequestHeader, request: Any, ctx: Context) -> None:
        if self.observers.trace is not None:
            name = ApiKey(header.request_api_key).name
            text = f"{header.correlation_id} {name} v{header.request_api_version} {header.client_id!r} {request!r}"
            self.observers.trace(ctx.ticket.connection, "<-", text)

    # -- what happens meanwhile ---------------------------------------------------------------------------------

    def _wake(self, now: Now) -> None:
        """Resume what waited for the keys that were touched; resuming may touch others."""
        if not self._purgatory:
            self.touched.clear()
        while self.touched:
            keys = list(dict.fromkeys(self.touched))
            self.touched.clear()
            for ticket, park in self._purgatory.take_ready(keys):
                self._take_result(ticket, park.resume, now)

    def _give_answers(self, now: Now) -> None:
        """Send what coordinators have found out about requests that they deferred."""
        while answers := self.parts.groups.take_answers(now):
            for answer in answers:
                self._give(answer)
            self._wake(now)

    def _give(self, answer: Answer) -> None:
        if isinstance(answer.response, KafkaError):
            self._refuse(answer.ticket, answer.response.code, answer.response.detail)
        else:
            self._reply(answer.ticket, answer.response)

    # -- time ---------------------------------------------------------------------------------------------------

    def next_deadline_ms(self) -> int:
        """When `on_time` must be called at the latest (monotonic)."""
        parts = self.parts
        deadlines = (
            self._purgatory.next_deadline_ms(),
            parts.groups.next_deadline_ms(),
            parts.partitions.next_deadline_ms(),
            parts.controller.next_deadline_ms(),
            parts.snapshots.next_deadline_ms(),
        )
        return min((one for one in deadlines if one is not None), default=FOREVER_MS)

    def on_time(self, now: Now) -> list[Effect]:
        """Do what is due."""
        try:
            self.parts.controller.on_time(now)
            self.parts.snapshots.on_time(now)
            self.parts.quorum.sweep(now)
            self.parts.partitions.on_time(now)
            self.parts.groups.on_time(now)
        except OSError as error:
            return [Halt(f"the metadata log cannot be written: {error}")]
        self._look_at_folders()
        for ticket, park in self._purgatory.take_expired(now.monotonic_ms):
            self._take_result(ticket, park.resume, now)
        self._wake(now)
        self._give_answers(now)
        return self._take_effects()

    def _look_at_folders(self) -> None:
        """Go on without a log folder that failed, but not without the metadata log's, nor without any (KIP-858)."""
        failures, config = self.parts.partitions.failures, self.parts.controller.static_config
        if (why := failures.get(config.metadata_log_dir)) is not None:
            self.halts.append(f"the folder of the metadata log is offline: {why}")
        elif not self.parts.partitions.online_directory_ids:
            self.halts.append(f"every log folder is offline: {'; '.join(failures.values())}")

    def close(self, now: Now) -> None:
        """Stop in order: give up leadership, flush and close every log, leave the clean-shutdown mark."""
        controller = self.parts.controller
        if controller.broker_epoch >= 0:
            controller.stop_broker(now)
        self.parts.partitions.close(now, controller.broker_epoch)
        self.parts.quorum.close(now)
