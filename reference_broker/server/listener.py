"""Listening sockets: one for each endpoint of `listeners`."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from reference_broker.settings.endpoints import Endpoint


class CannotListen(Exception):
    """An address that cannot be listened at; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket and the listener's name."""

    name: str
    raw: socket.socket

    @property
    def port(self) -> int:
        """The port it is bound to."""
        return int(self.raw.getsockname()[1])


def bind_all(endpoints: Sequence[Endpoint], backlog: int) -> list[Listener]:
    """Every endpoint bound and listening; CannotListen with none left bound where one cannot be."""
    bound: list[Listener] = []
    try:
        for endpoint in endpoints:
            bound.append(Listener(endpoint.listener, _bind(endpoint, backlog)))
    except CannotListen:
        for one in bound:
            one.raw.close()
        raise
    return bound


def _bind(endpoint: Endpoint, backlog: int) -> socket.socket:
    where = f"{endpoint.listener}://{endpoint.host}:{endpoint.port}"
    if endpoint.protocol != "PLAINTEXT":
        raise CannotListen(f"listeners: {where} asks for {endpoint.protocol}; only PLAINTEXT is served so far")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            endpoint.host or None, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        raw = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"listeners: {where} cannot be resolved: {error.strerror}") from error
    try:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        raw.bind(address)
        raw.listen(backlog)
        raw.setblocking(False)
    except OSError as error:
        raw.close()
        hint = "Address already in use: stop what listens there, or choose another port"
        why = hint if error.errno == errno.EADDRINUSE else str(error.strerror)
        raise CannotListen(f"listeners: {where} cannot be listened at: {why}") from error
    return raw
