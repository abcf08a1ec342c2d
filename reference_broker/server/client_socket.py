"""A client's socket: what is to be written to it, and how it goes out without copies."""

from __future__ import annotations

import os
import socket
from collections import deque
from typing import Final

from reference_broker.connection import Connection
from reference_broker.server.link_filter import NOTHING, Cut, SeveredSocket
from reference_broker.wire.primitives import Buffer, FileSlice

GATHERED: Final = 512
"""Buffers that one system call takes (the least that POSIX and Linux agree on is 1,024)."""
PACKED: Final = 16_384
"""Bytes of answers that leave together at most, the last of them aside."""
PEER_GONE: Final = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError, TimeoutError)


class ClientSocket:
    """A non-blocking socket with the connection it belongs to. `last_used_s` is monotonic.

    `outgoing` is what is to be written to it, none of it empty.
    """

    def __init__(self, raw: socket.socket, connection: Connection, peer: str, now_s: float) -> None:
        self.raw: socket.socket | SeveredSocket = raw
        self.connection, self.peer = connection, peer
        self.node_id: int | None = None
        """The node at the other side, where a link filter asked for it; None for a client."""
        self.cut = NOTHING
        """What the link filter drops of this connection."""
        self._descriptor = raw.fileno()
        """Where parts of files are written to."""
        self.last_used_s = now_s
        self.is_watched_for_writing = False
        self.is_watched_for_reading = True
        self.outgoing: deque[Buffer | FileSlice] = deque()
        self._borrowed: list[int] = []

    @property
    def may_wait(self) -> bool:
        """Whether what is to be written is so little that more may join it."""
        return not any(isinstance(one, FileSlice) for one in self.outgoing) and sum(map(len, self.outgoing)) < PACKED

    def send(self) -> bool:
        """Write as much as the socket takes now, keep the rest; whether all is out. OSError when the peer is gone."""
        outgoing = self.outgoing
        try:
            while outgoing:
                if type(outgoing[0]) is FileSlice:
                    self._send_file(outgoing[0])
                else:
                    self._send_buffers()
        except (BlockingIOError, InterruptedError):
            self._hold_files()
            return False
        if self._borrowed:
            self._let_files_go()
        return True

    def _send_buffers(self) -> None:
        """The buffers up to the next part of a file, in one call."""
        outgoing = self.outgoing
        gathered: list[Buffer] = []
        for one in outgoing:
            if isinstance(one, FileSlice) or len(gathered) == GATHERED:
                break
            gathered.append(one)
        # More is to follow when a file's part is next: one packet instead of two.
        flags = socket.MSG_MORE if len(outgoing) > len(gathered) and hasattr(socket, "MSG_MORE") else 0
        sent = self.raw.sendmsg(gathered, (), flags)
        for one in gathered:
            outgoing.popleft()
            if sent < len(one):
                outgoing.appendleft(memoryview(one)[sent:])
                return
            sent -= len(one)

    def _send_file(self, part: FileSlice) -> None:
        sent = os.sendfile(self._descriptor, part.descriptor, part.position, part.size)
        if sent == 0:
            raise ConnectionAbortedError("the file ends before the part that was promised")
        self.outgoing.popleft()
        if sent < part.size:
            self.outgoing.appendleft(FileSlice(part.descriptor, part.position + sent, part.size - sent))

    def _hold_files(self) -> None:
        """Descriptors of our own for parts that must wait: the log may close its file before a slow reader is done."""
        held: dict[int, int] = {}
        for place, one in enumerate(self.outgoing):
            if isinstance(one, FileSlice):
                if one.descriptor in self._borrowed:
                    continue
                if one.descriptor not in held:
                    held[one.descriptor] = os.dup(one.descriptor)
                    self._borrowed.append(held[one.descriptor])
                self.outgoing[place] = FileSlice(held[one.descriptor], one.position, one.size)

    def _let_files_go(self) -> None:
        for descriptor in self._borrowed:
            os.close(descriptor)
        self._borrowed.clear()

    def sever(self, cut: Cut, stand_in: SeveredSocket, nowhere: int) -> None:
        """Drop a part of the traffic from now on; parts of files go to `nowhere` where that is cut."""
        self.cut, self.raw = cut, stand_in
        self._descriptor = nowhere if cut.outgoing else stand_in.fileno()

    def close(self) -> None:
        """Release the socket and what was held for it."""
        self.outgoing.clear()
        self._let_files_go()
        self.raw.close()
