"""Links between places, and streams of bytes over them.

A place is a node, by its id, or a client, by a negative number. A link has a direction, so that a split may be one-way.
Bytes sent over a cut link are not lost at once: as TCP does, they are sent again after it has healed, unless their
stream has ended by then. What is sent in one direction of a stream arrives in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol
from zlib import crc32

from msgspec import Struct

if TYPE_CHECKING:
    from reference_broker.simulation.world import World

Place = int
Address = tuple[str, int]
Link = tuple[Place, Place]
"""(from, to)."""
CLIENT: Final = 0
SERVER: Final = 1


class Opening(Enum):
    """What goes over a stream before its bytes."""

    CONNECT = auto()
    ACCEPTED = auto()


class Closed(Struct, frozen=True):
    """The last that comes: the other side, or something between, ended the stream."""

    reason: str


Payload = bytes | Opening | Closed


class End(Protocol):
    """Whoever is at one side of a stream."""

    def take(self, stream: Stream, payload: Payload) -> None:
        """Something arrived. After `Closed` nothing does."""


class Stream:
    """One connection. `ends` and the rest are by side: the one that opened it, the one that it was opened to."""

    __slots__ = ("address", "arrives_us", "coming", "ends", "links", "number", "places")

    def __init__(self, number: int, client: Place, server: Place, address: Address, end: End) -> None:
        self.number, self.address = number, address
        self.places = (client, server)
        self.ends: list[End | None] = [end, None]
        self.links: tuple[Link, Link] = ((client, server), (server, client))
        """The links that what a side sends goes over."""
        self.arrives_us = [0, 0]
        self.coming: tuple[deque[tuple[int, Payload]], deque[tuple[int, Payload]]] = (deque(), deque())
        """What is on its way from a side to the other, and when it arrives."""


class Network:
    """Which place is reached at which address, which links are cut, and how long the others take (µs)."""

    def __init__(self, world: World, latency_us: tuple[int, int]) -> None:
        self._world = world
        self.latency_us = latency_us
        self.extra_us: dict[Link, int] = {}
        """How much longer a link takes."""
        self.addresses: dict[Address, Place] = {}
        self.digest = 0
        """Of all that arrived anywhere, and when."""
        self.messages = 0
        self.held = 0
        """How often messages came to a cut link."""
        self._listening: dict[Address, End] = {}
        self._cut: dict[tuple[Place, Place, int | None], None] = {}
        """(from, to, the port at which the stream's server listens); None for all ports."""
        self._stuck: dict[Link, dict[tuple[Stream, int], None]] = {}
        self._streams: dict[Place, dict[Stream, None]] = {}
        self._count = 0

    # -- links --------------------------------------------------------------------------------------------------

    def is_cut(self, source: Place, target: Place, port: int | None = None) -> bool:
        """Whether nothing gets from one place to another, or nothing of the streams to one port."""
        return (source, target, None) in self._cut or (source, target, port) in self._cut

    @property
    def cuts(self) -> tuple[Link, ...]:
        """The links that are cut as a whole, in the order in which they were."""
        return tuple((source, target) for source, target, port in self._cut if port is None)

    def cut(self, links: Iterable[Link], port: int | None = None) -> None:
        """Cut links, each in its one direction: as a whole, or streams alone whose server listens at a port."""
        self._cut.update(dict.fromkeys((*link, port) for link in links))

    def split(self, one: Iterable[Place], other: Iterable[Place]) -> None:
        """Cut all links between two groups of places, in both directions."""
        others = list(other)
        for place in one:
            self.cut([link for peer in others for link in ((place, peer), (peer, place))])

    def heal(self, links: Iterable[Link] | None = None, port: int | None = None) -> None:
        """Mend links that were cut for this port, or all of them; what was held goes on its way again."""
        for key in list(self._cut) if links is None else [(*link, port) for link in links]:
            self._cut.pop(key, None)
            link = key[:2]
            for stream, side in self._stuck.pop(link, {}):
                at_us = self._world.now_us + self._delay_us(*link)
                stream.arrives_us[side] = max(at_us, stream.arrives_us[side])
                self._world.at(at_us, self._arrive, stream, side)

    def _delay_us(self, source: Place, target: Place) -> int:
        low, high = self.latency_us
        extra_us = self.extra_us.get((source, target), 0) if self.extra_us else 0
        return low + int(self._world.random.random() * (high - low + 1)) + extra_us

    # -- streams ------------------------------------------------------------------------------------------------

    def listen(self, place: Place, address: Address, end: End | None) -> None:
        """Have somebody at a place that is no node take new streams to an address; None for nobody any more."""
        self.addresses[address] = place
        if end is None:
            self._listening.pop(address, None)
        else:
            self._listening[address] = end

    def connect(self, client: Place, address: Address, end: End) -> Stream:
        """Open a stream to an address; `end` is told `ACCEPTED`, or `Closed`, or nothing while a link is cut."""
        self._count += 1
        target = self.addresses.get(address)
        stream = Stream(self._count, client, client if target is None else target, address, end)
        self._streams.setdefault(client, {})[stream] = None
        if target is None:
            self._world.after(self._delay_us(client, client), self._end, stream, CLIENT, "no such host")
        else:
            self.send(stream, CLIENT, Opening.CONNECT)
        return stream

    def send(self, stream: Stream, side: int, payload: Payload) -> None:
        """Send from a side to the other, behind what was sent there before."""
        world, (low, high) = self._world, self.latency_us
        at_us = world.now_us + low + int(world.random.random() * (high - low + 1))
        if self.extra_us:
            at_us += self.extra_us.get(stream.links[side], 0)
        if at_us < stream.arrives_us[side]:
            at_us = stream.arrives_us[side]
        stream.arrives_us[side] = at_us
        stream.coming[side].append((at_us, payload))
        world.at(at_us, self._arrive, stream, side)

    def close(self, stream: Stream, side: int, reason: str) -> None:
        """A side ends the stream: nothing reaches it any more, and the other is told."""
        if stream.ends[side] is not None:
            self._leave(stream, side)
            self.send(stream, side, Closed(reason))

    def _leave(self, stream: Stream, side: int) -> None:
        stream.ends[side] = None
        self._streams[stream.places[side]].pop(stream, None)

    def _end(self, stream: Stream, side: int, reason: str) -> None:
        end = stream.ends[side]
        if end is not None:
            self._leave(stream, side)
            end.take(stream, Closed(reason))

    def _arrive(self, stream: Stream, side: int) -> None:
        """Hand over what is due from a side to the other."""
        coming, now_us = stream.coming[side], self._world.now_us
        while coming and coming[0][0] <= now_us:
            if self._cut and self.is_cut(*stream.links[side], stream.address[1]):
                self._stuck.setdefault(stream.links[side], {})[stream, side] = None
                self.held += 1
                return
            payload, end = coming.popleft()[1], stream.ends[1 - side]
            self.messages += 1
            data = payload if type(payload) is bytes else b""
            self.digest = crc32(data, self.digest ^ (now_us & 0xFFFFFFFF) ^ stream.number)
            if data and end is not None:
                end.take(stream, payload)
            else:
                self._hand_over(stream, 1 - side, payload)

    def _hand_over(self, stream: Stream, side: int, payload: Payload) -> None:
        """Hand over what is not only more bytes for somebody who is there."""
        end = stream.ends[side]
        if payload is Opening.CONNECT and (listening := self._listener_of(stream)) is not None:
            stream.ends[side] = listening
            self._streams.setdefault(stream.places[side], {})[stream] = None
            listening.take(stream, payload)
        elif isinstance(payload, Closed):
            self._end(stream, side, payload.reason)
        elif end is not None:
            end.take(stream, payload)
        elif not self._world.is_silent(stream.places[side]):
            # Nobody is at this side any more, and its machine says so.
            self.send(stream, side, Closed("connection refused" if payload is Opening.CONNECT else "connection reset"))

    def _listener_of(self, stream: Stream) -> End | None:
        """Who takes a stream that is being opened."""
        return self._listening.get(stream.address) or self._world.listening(stream.places[SERVER])

    def break_between(self, one: Place, other: Place) -> None:
        """Break all streams between two places: both sides are told at once."""
        for stream in [found for found in self._streams.get(one, {}) if other in found.places]:
            for side in (CLIENT, SERVER):
                self._end(stream, side, "the connection was broken")

    def on_ended(self, place: Place, *, is_silent: bool) -> None:
        """Whoever was at a place has ended: its streams are closed, or nobody is told where its machine went dark."""
        for stream in list(self._streams.get(place, {})):
            side = CLIENT if stream.places[CLIENT] == place else SERVER
            if is_silent:
                self._leave(stream, side)
            else:
                self.close(stream, side, "the connection was closed")
