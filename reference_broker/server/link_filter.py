"""Cuts links between nodes without root: this node drops what goes to or comes from the nodes that a file lists.

The file holds one rule a line, and is read at the start and on SIGUSR1:

    drop to 2                   nothing goes out to node 2
    drop from 2                 nothing that node 2 sends is read
    drop to 2 on CONTROLLER     the same on connections to and from one listener only, whichever side listens
    drop to 127.0.0.1:9093      the same for a listener whose node id is not known yet (a bootstrap server)
    drop from clients           nothing is read of whoever is no node; also with `to`, and `on`

Empty lines and lines that begin with # are passed over. Once the rules hold, the file's text is copied to a file beside
it, with `.applied` behind its name, so that whoever wrote it can wait for that. As in a network that drops packets,
nobody is told: a cut connection stays open and silent, a new one gets no answer, and nothing is reset. A connection
that was cut is closed when its link heals. Incoming connections are known by the client ids of `peer_names`: those
with any other are of clients.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reference_broker.effects import Peer
from reference_broker.wire.primitives import Buffer

CLIENTS: Final = "clients"
"""The subject of rules for all that are no nodes."""
Subject = int | str | tuple[str, int]
"""A node id, CLIENTS, or the host and port of a listener."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What is dropped of a connection's traffic."""

    outgoing: bool = False
    incoming: bool = False

    def __bool__(self) -> bool:
        return self.outgoing or self.incoming


NOTHING: Final = Cut()


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: whose traffic is dropped, which way, and on which listener (None: on all)."""

    is_outgoing: bool
    subject: Subject
    listener: str | None = None

    @classmethod
    def parse(cls, line: str) -> Rule:
        """The rule of a line. ValueError where it is none."""
        drop, way, subject, *rest = line.split() if len(line.split()) in (3, 5) else ("", "", "")
        if drop != "drop" or way not in ("to", "from") or (rest and rest[0] != "on"):
            raise ValueError(f"{line!r} is no rule: write `drop to NODE`, `drop from NODE`, `drop to NODE on LISTENER`")
        return cls(way == "to", _subject(subject), rest[1] if rest else None)


@dataclass(frozen=True, slots=True)
class Rules:
    """Whom this node sends nothing, and from whom it takes nothing."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Rules:
        """The rules of a file's text. ValueError, which names the line, where one is none."""
        found: list[Rule] = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.strip().startswith("#"):
                try:
                    found.append(Rule.parse(line))
                except ValueError as error:
                    raise ValueError(f"line {number}: {error}") from error
        return cls(tuple(found))

    def of_node(self, node_id: int | None, listener: str) -> Cut:
        """What is dropped of a connection that another node, or a client (None), has made to a listener of this one."""
        return self._cut((CLIENTS if node_id is None else node_id,), listener)

    def of_peer(self, peer: Peer, listener: str) -> Cut:
        """What is dropped of a connection to a listener of a peer, known by its id or by its address."""
        return self._cut((peer.node_id, (peer.host, peer.port)), listener)

    def _cut(self, names: tuple[Subject, ...], listener: str) -> Cut:
        ways = [one.is_outgoing for one in self.rules if one.subject in names and one.listener in (None, listener)]
        return Cut(outgoing=True in ways, incoming=False in ways)


def _subject(word: str) -> Subject:
    if word == CLIENTS:
        return CLIENTS
    host, _, port = word.rpartition(":")
    if not port.isdecimal():
        raise ValueError(f"{word!r} is neither a node id nor HOST:PORT nor {CLIENTS!r}")
    return (host.strip("[]"), int(port)) if host else int(port)


CutBy = Callable[[Rules], Cut]
"""What rules cut of one connection."""


class SeveredSocket:
    """Stands in for the socket of a cut connection: what is cut is lost without a word, the rest goes through.

    Its socket is put aside, not closed, while the link is cut: the other side would be told.
    """

    def __init__(self, raw: socket.socket, cut: Cut, hold: Callable[[socket.socket], None]) -> None:
        self.raw, self._cut, self._hold = raw, cut, hold

    def fileno(self) -> int:
        """The descriptor that a selector watches."""
        return self.raw.fileno()

    def recv(self, size: int) -> bytes:
        """What came; where that is dropped, BlockingIOError as if nothing had. OSError as of a socket."""
        data = self.raw.recv(size)
        if data and self._cut.incoming:
            raise BlockingIOError
        return data

    def recv_into(self, room: memoryview) -> int:
        """How many bytes came; as for `recv`."""
        count = self.raw.recv_into(room)
        if count and self._cut.incoming:
            raise BlockingIOError
        return count

    def sendmsg(self, buffers: Sequence[Buffer], *more: Any) -> int:
        """Bytes that were written, or dropped."""
        return sum(map(len, buffers)) if self._cut.outgoing else self.raw.sendmsg(buffers, *more)

    def close(self) -> None:
        """Put the socket aside."""
        self._hold(self.raw)


class LinkFilter:
    """The rules that hold now, and the sockets that are put aside until they are lifted."""

    def __init__(self, path: str, log: Callable[[str, str], None]) -> None:
        self._path, self._log = path, log
        self._text = ""
        self.rules = Rules()
        self._held: list[tuple[socket.socket, CutBy]] = []
        self.nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        """A descriptor that takes the parts of files that are dropped."""

    def read(self) -> bool:
        """Whether the file gave rules, which hold from now on; none where there is no file.

        A file that cannot be read changes nothing, and is logged.
        """
        text = ""
        try:
            with contextlib.suppress(FileNotFoundError), open(self._path, encoding="utf-8") as file:
                text = file.read()
            self.rules = Rules.parse(text)
        except (OSError, ValueError) as error:
            self._log("ERROR", f"link filter: {self._path}: {error}; the rules stay as they were")
            return False
        self._text = text
        self._log("INFO", f"link filter: {'; '.join(text.splitlines()) or 'nothing is dropped'}")
        return True

    def confirm(self) -> None:
        """The rules hold: tell whoever wrote them, and close what was put aside for links that have healed."""
        for raw, cut_by in self._held:
            if not cut_by(self.rules):
                raw.close()
        self._held = [one for one in self._held if one[1](self.rules)]
        try:
            with open(f"{self._path}.tmp", "w", encoding="utf-8") as file:
                file.write(self._text)
            os.replace(f"{self._path}.tmp", f"{self._path}.applied")
        except OSError as error:
            self._log("ERROR", f"link filter: {self._path}.applied cannot be written: {error.strerror}")

    def hold(self, raw: socket.socket, cut_by: CutBy) -> None:
        """Keep a socket open and silent until its link heals; close it at once where it is not cut."""
        if cut_by(self.rules):
            self._held.append((raw, cut_by))
        else:
            raw.close()

    def close(self) -> None:
        """Release everything."""
        for raw, _ in self._held:
            raw.close()
        self._held.clear()
        os.close(self.nowhere)
