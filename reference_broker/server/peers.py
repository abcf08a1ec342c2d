"""Carries out `Send` effects: one connection for each peer and channel, each request settled once.

A connection is made when there is something to send; `connection_attempts` says when, and how long that may take.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from reference_broker.client_connection import ClientConnection, Outcome, known_versions
from reference_broker.connection_attempts import ConnectionAttempts
from reference_broker.effects import Peer, Send
from reference_broker.environment import Random
from reference_broker.server import peer_names
from reference_broker.server.link_filter import Cut, LinkFilter, Rules
from reference_broker.server.peer_link import Address, PeerLink, Phase, why
from reference_broker.server.worker import Worker
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.schema import Versions


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSettings:
    """What connections to peers need to know. `versions`: API key → what this node may use.

    The listeners are those at which peers are reached: controllers at one, brokers at the other.
    """

    node_id: int
    versions: Mapping[int, Versions]
    setup_timeout_ms: int
    setup_timeout_max_ms: int
    idle_ms: int
    controller_listener: str
    broker_listener: str

    def listener_of(self, channel: str) -> str:
        """The listener of the peers of a channel."""
        is_controllers = channel.startswith((peer_names.RAFT, peer_names.CONTROLLER))
        return self.controller_listener if is_controllers else self.broker_listener


def peer_settings(config: BrokerConfig) -> PeerSettings:
    """What a node's configuration and release say."""
    versions: dict[int, Versions] = {}
    for kind in ("broker", "controller"):
        for key, span in config.release.advertised(kind).items():
            first, last = versions.get(key, (span[0], span[-1]))
            versions[key] = min(first, span[0]), max(last, span[-1])
    known = known_versions()
    return PeerSettings(
        node_id=config.node_id,
        versions={key: (max(low, known[key][0]), min(high, known[key][1])) for key, (low, high) in versions.items()},
        setup_timeout_ms=config.number("socket.connection.setup.timeout.ms"),
        setup_timeout_max_ms=config.number("socket.connection.setup.timeout.max.ms"),
        idle_ms=config.number("connections.max.idle.ms"),
        controller_listener=next(iter(config.controller_listeners), ""),
        broker_listener=config.inter_broker_listener,
    )


class Peers:
    """`settle` is told (token, response or PeerLost), once for each `Send`, and never from within `send`."""

    def __init__(
        self,
        *,
        settings: PeerSettings,
        selector: selectors.BaseSelector,
        wake: Callable[[], None],
        settle: Callable[[int, object], None],
        monotonic_ms: Callable[[], int],
        random: Random,
        link_filter: LinkFilter | None = None,
    ) -> None:
        self._settings, self._selector, self._settle = settings, selector, settle
        self._monotonic_ms, self._random, self._filter = monotonic_ms, random, link_filter
        self._resolver = Worker("resolve", wake)
        self._links: dict[tuple[Peer, str], PeerLink] = {}
        self._outcomes: list[Outcome] = []
        self.is_used = False
        """Whether anything was ever sent: until then, a loop need not ask for deadlines."""

    def send(self, effect: Send) -> None:
        """Take a request over."""
        self.is_used = True
        link = self._links.get((effect.peer, effect.channel))
        if link is None:
            link = self._links[effect.peer, effect.channel] = self._new_link(effect.peer, effect.channel)
        now_ms = self._monotonic_ms()
        link.last_used_ms = now_ms
        link.connection.request(effect, now_ms + effect.timeout_ms)
        if link.phase is Phase.WAITING and now_ms >= link.attempts.retry_at_ms:
            self._connect(link, now_ms)
        else:
            self._try(link, link.write)
        self._take_outcomes(link)

    def _new_link(self, peer: Peer, channel: str) -> PeerLink:
        client_id = peer_names.client_id(self._settings.node_id, channel)
        attempts = ConnectionAttempts(
            self._random,
            timeout_ms=self._settings.setup_timeout_ms,
            timeout_max_ms=self._settings.setup_timeout_max_ms,
        )
        link = PeerLink(
            peer, channel, self._selector, attempts, lambda: ClientConnection(client_id, self._settings.versions)
        )
        if self._filter is not None:
            link.cut = self._cut_of(link, self._filter.rules)
        return link

    # -- connecting ---------------------------------------------------------------------------------------------

    def _connect(self, link: PeerLink, now_ms: int) -> None:
        link.attempts.begin(now_ms)
        host, port = link.peer.host, link.peer.port
        if (literal := _literal(host, port)) is not None:
            link.addresses = (literal,)
            self._connect_to_address(link)
        else:
            link.phase = Phase.RESOLVING
            self._resolver.submit(lambda: _resolve(host, port), partial(self._on_resolved, link))

    def _on_resolved(self, link: PeerLink, found: tuple[Address, ...] | Exception) -> None:
        if link.phase is not Phase.RESOLVING:
            return
        if isinstance(found, Exception):
            self._lose(link, f"its name cannot be resolved: {why(found)}")
        else:
            link.addresses = found
            self._connect_to_address(link)

    def _connect_to_address(self, link: PeerLink) -> None:
        """The next address after each failure."""
        self._try(link, lambda: link.connect(link.addresses[link.attempts.failures % len(link.addresses)]))

    # -- events -------------------------------------------------------------------------------------------------

    def on_ready(self, link: PeerLink, events: int) -> None:
        """A connection's socket is ready."""
        self._try(link, lambda: link.on_ready(events))
        if link.connection.is_ready:
            link.attempts.on_answer()
        link.last_used_ms = self._monotonic_ms()
        self._take_outcomes(link)
        self._settle_all()

    def report(self) -> None:
        """Go on with names that were resolved."""
        self._resolver.report()
        self._settle_all()

    @property
    def next_deadline_ms(self) -> int:
        """When `on_time` must be called at the latest (monotonic)."""
        if self._outcomes:
            return 0
        return min((link.next_deadline_ms for link in self._links.values()), default=NEVER_MS)

    def on_time(self) -> None:
        """Do what is due."""
        now_ms = self._monotonic_ms()
        for link in list(self._links.values()):
            if now_ms >= link.attempts.connect_by_ms:
                self._lose(link, "no connection within socket.connection.setup.timeout.ms")
            elif now_ms >= link.connection.next_deadline_ms:
                self._lose(link, "no response in time")
            elif link.phase is Phase.WAITING:
                if link.connection.has_requests and now_ms >= link.attempts.retry_at_ms:
                    self._connect(link, now_ms)
            elif 0 <= self._settings.idle_ms <= now_ms - link.last_used_ms and not link.connection.has_requests:
                self._lose(link, "idle")
            self._take_outcomes(link)
        self._settle_all()

    def apply_rules(self) -> None:
        """The link filter has new rules."""
        assert self._filter is not None
        for link in list(self._links.values()):
            link.cut, before = self._cut_of(link, self._filter.rules), link.cut
            if before and not link.cut and link.is_connected:
                self._lose(link, "its link was cut")
            elif link.is_silent and not link.cut:
                self._connect_to_address(link)
            else:
                self._try(link, link.write)

    # -- loss and outcomes --------------------------------------------------------------------------------------

    def _try(self, link: PeerLink, act: Callable[[], None]) -> None:
        try:
            act()
        except (OSError, MalformedRequest) as error:
            self._lose(link, why(error))

    def _lose(self, link: PeerLink, reason: str) -> None:
        """Give up a connection, or what waits for one: only an attempt that failed puts the next one off."""
        has_failed = link.phase is not Phase.WAITING
        raw = link.lose(reason)
        if has_failed:
            link.attempts.on_failure(self._monotonic_ms())
        self._take_outcomes(link)
        link.renew()
        if raw is not None:
            self._close(raw, link)

    def _close(self, raw: socket.socket, link: PeerLink) -> None:
        if self._filter is None:
            raw.close()
        else:
            self._filter.hold(raw, lambda rules: self._cut_of(link, rules))

    def _cut_of(self, link: PeerLink, rules: Rules) -> Cut:
        return rules.of_peer(link.peer, self._settings.listener_of(link.channel))

    def _take_outcomes(self, link: PeerLink) -> None:
        self._outcomes += link.connection.take_outcomes()

    def _settle_all(self) -> None:
        while self._outcomes:
            outcomes, self._outcomes = self._outcomes, []
            for token, outcome in outcomes:
                self._settle(token, outcome)

    def close(self) -> None:
        """Close every connection; what was not answered is not settled."""
        for link in self._links.values():
            if (raw := link.lose("this node stops")) is not None:
                raw.close()
        self._links.clear()


def _literal(host: str, port: int) -> Address | None:
    """The address that a host's text spells; None for a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return family, (host, port)
    return None


def _resolve(host: str, port: int) -> tuple[Address, ...]:
    """May block. OSError where the name is not known."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple((family, where) for family, _, _, _, where in found)  # type: ignore[misc]
