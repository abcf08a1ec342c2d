"""What a handler may use: the request's circumstances, and the parts of the node. Handlers keep no state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

from reference_broker.environment import Now
from reference_broker.security.principal import ANONYMOUS, Principal
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError

if TYPE_CHECKING:
    from reference_broker.broker.broker import Broker
    from reference_broker.controller.controller import Controller
    from reference_broker.environment import Random
    from reference_broker.groups.coordinator import GroupCoordinator
    from reference_broker.metadata.image import MetadataImage
    from reference_broker.metadata.node_config import NodeConfig
    from reference_broker.metadata.publishing import Publisher
    from reference_broker.metadata.snapshot_generator import SnapshotGenerator
    from reference_broker.raft.machine import Quorum
    from reference_broker.releases import Release
    from reference_broker.replication.fetch_session import FetchSessions
    from reference_broker.replication.partitions import Partitions
    from reference_broker.settings.broker_config import BrokerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a node; the same for every request. What belongs to a role is there where the node has it."""

    publisher: Publisher
    settings: NodeConfig
    quorum: Quorum
    snapshots: SnapshotGenerator
    random: Random
    controller: Controller | None = None
    broker: BrokerParts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerParts:
    """What the role of a broker has."""

    broker: Broker
    partitions: Partitions
    groups: GroupCoordinator
    fetch_sessions: FetchSessions


class Session(Struct):
    """A client's connection, as its requests see it.

    `listener` is the name of the listener that it came in on, `client_host` the peer's address as text.
    """

    listener: str
    client_host: str
    principal: Principal = ANONYMOUS
    is_forwarded: bool = False
    """Whether a broker has passed its request on, and looked at it before."""


class Context(Struct, frozen=True, kw_only=True):  # made for every request: a struct is made in a tenth of the time
    """One request's circumstances: what a handler gets that serves both kinds of listener."""

    now: Now
    api_version: int
    client_id: str | None
    session: Session
    parts: Parts

    @property
    def now_ms(self) -> int:
        """The wall-clock time, which stamps records."""
        return self.now.wall_ms

    @property
    def listener(self) -> str:
        """The name of the listener that the request came in on."""
        return self.session.listener

    @property
    def client_host(self) -> str:
        """The peer's address."""
        return self.session.client_host

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return self.session.principal

    @property
    def image(self) -> MetadataImage:
        """The metadata as committed."""
        return self.parts.publisher.image

    @property
    def config(self) -> BrokerConfig:
        """The node's settings, dynamic ones included."""
        return self.parts.settings.current

    @property
    def settings(self) -> NodeConfig:
        """The same, and those of the node's file alone."""
        return self.parts.settings

    @property
    def node_id(self) -> int:
        """This node's id."""
        return self.parts.settings.static.node_id

    @property
    def random(self) -> Random:
        """Randomness that is lent."""
        return self.parts.random

    @property
    def release(self) -> Release:
        """The release whose behaviour is served."""
        return self.parts.settings.static.release


class ControllerContext(Context, frozen=True, kw_only=True):
    """A request on a controller's listener: it reaches the controller and the quorum, and no partition or group."""

    @property
    def controller(self) -> Controller:
        """Decides and commits metadata, while this node leads the quorum. NOT_CONTROLLER where it has no such role."""
        if self.parts.controller is None:
            raise KafkaError(ErrorCode.NOT_CONTROLLER, "this node is no controller")
        return self.parts.controller

    @property
    def quorum(self) -> Quorum:
        """This node's membership in the metadata quorum."""
        return self.parts.quorum


class BrokerContext(Context, frozen=True, kw_only=True):
    """A request on a broker's listener."""

    @property
    def broker(self) -> Broker:
        """Asks the active controller."""
        return self._parts.broker

    @property
    def partitions(self) -> Partitions:
        """The partitions that this broker hosts."""
        parts = self.parts.broker  # in line: asked by every Produce and Fetch
        assert parts is not None
        return parts.partitions

    @property
    def groups(self) -> GroupCoordinator:
        """Groups and their offsets."""
        return self._parts.groups

    @property
    def fetch_sessions(self) -> FetchSessions:
        """Incremental fetches (KIP-227)."""
        return self._parts.fetch_sessions

    @property
    def _parts(self) -> BrokerParts:
        parts = self.parts.broker
        assert parts is not None  # a node without the role has no listener of this kind
        return parts
