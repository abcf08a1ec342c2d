"""A client's socket: what is to be written to it, and how it goes out without copies."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Sequence
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
    """A non-blocking socket with the connection it belongs to. `last_used_s` is monotonic."""

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
        self._outgoing: deque[Buffer | FileSlice] = deque()
        self._borrowed: list[int] = []

    @property
    def has_outgoing(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._outgoing)

    def read(self, at_most: int) -> bytes | None:
        """What came; empty at the end of the stream, None when nothing is there. OSError when the peer is gone."""
        try:
            return self.raw.recv(at_most)
        except (BlockingIOError, InterruptedError):
            return None

    def read_into(self, room: memoryview) -> int | None:
        """How many bytes came; 0 at the end of the stream, None when nothing is there. OSError as for `read`."""
        try:
            return self.raw.recv_into(room)
        except (BlockingIOError, InterruptedError):
            return None

    @property
    def may_wait(self) -> bool:
        """Whether what is to be written is so little that more may join it."""
        return not any(isinstance(one, FileSlice) for one in self._outgoing) and sum(map(len, self._outgoing)) < PACKED

    def put(self, buffers: Sequence[Buffer | FileSlice]) -> None:
        """Take over what is to be written next."""
        self._outgoing += [one for one in buffers if len(one)]

    def send(self) -> bool:
        """Write as much as the socket takes now, keep the rest; whether all is out. OSError when the peer is gone."""
        is_done = self.flush()
        if not is_done:
            self._hold_files()
        return is_done

    def flush(self) -> bool:
        """Go on writing; whether all is out. OSError when the peer is gone."""
        outgoing = self._outgoing
        try:
            while outgoing:
                first = outgoing[0]
                if isinstance(first, FileSlice):
                    self._send_file(first)
                else:
                    self._send_buffers()
        except (BlockingIOError, InterruptedError):
            return False
        self._let_files_go()
        return True

    def _send_buffers(self) -> None:
        """The buffers up to the next part of a file, in one call."""
        outgoing = self._outgoing
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
        self._outgoing.popleft()
        if sent < part.size:
            self._outgoing.appendleft(FileSlice(part.descriptor, part.position + sent, part.size - sent))

    def _hold_files(self) -> None:
        """Descriptors of our own for parts that must wait: the log may close its file before a slow reader is done."""
        held: dict[int, int] = {}
        for place, one in enumerate(self._outgoing):
            if isinstance(one, FileSlice):
                if one.descriptor not in held:
                    held[one.descriptor] = os.dup(one.descriptor)
                    self._borrowed.append(held[one.descriptor])
                self._outgoing[place] = FileSlice(held[one.descriptor], one.position, one.size)

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
        self._outgoing.clear()
        self._let_files_go()
        self.raw.close()
