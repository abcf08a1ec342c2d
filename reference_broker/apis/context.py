"""What a handler may use: the request's circumstances, and the parts of the node. Handlers keep no state."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from reference_broker.configs import BrokerConfig
    from reference_broker.controller.controller import Controller
    from reference_broker.effects import Ticket
    from reference_broker.environment import Now, Random
    from reference_broker.groups.coordinator import GroupCoordinator
    from reference_broker.metadata.image import MetadataImage
    from reference_broker.metadata.snapshot_generator import SnapshotGenerator
    from reference_broker.raft.sole_voter import SoleVoter
    from reference_broker.releases import Release
    from reference_broker.replication.fetch_session import FetchSessions
    from reference_broker.replication.partitions import Partitions


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a node; the same for every request."""

    controller: Controller
    partitions: Partitions
    groups: GroupCoordinator
    fetch_sessions: FetchSessions
    random: Random
    release: Release
    quorum: SoleVoter
    snapshots: SnapshotGenerator


class Context(Struct, frozen=True, kw_only=True):  # made for every request: a struct is made in a tenth of the time
    """One request's circumstances.

    `now` is the node's time. `listener` is the name of the listener that the request came in on. `client_host` is
    the peer's address as text. `ticket` is what an `Answer` to a deferred request must carry.
    """

    now: Now
    api_version: int
    listener: str
    client_id: str | None
    client_host: str
    ticket: Ticket
    parts: Parts

    @property
    def now_ms(self) -> int:
        """The wall-clock time, which stamps records."""
        return self.now.wall_ms

    @property
    def controller(self) -> Controller:
        """Decides and commits metadata."""
        return self.parts.controller

    @property
    def image(self) -> MetadataImage:
        """The metadata as committed."""
        return self.parts.controller.image

    @property
    def config(self) -> BrokerConfig:
        """The node's settings, dynamic ones included."""
        return self.parts.controller.config

    @property
    def partitions(self) -> Partitions:
        """The partitions that this broker hosts."""
        return self.parts.partitions

    @property
    def groups(self) -> GroupCoordinator:
        """Groups and their offsets."""
        return self.parts.groups

    @property
    def fetch_sessions(self) -> FetchSessions:
        """Incremental fetches (KIP-227)."""
        return self.parts.fetch_sessions

    @property
    def random(self) -> Random:
        """Randomness that is lent."""
        return self.parts.random

    @property
    def release(self) -> Release:
        """The release whose behaviour is served."""
        return self.parts.release


def partition_key(topic_id: bytes, index: int) -> Hashable:
    """What a parked request waits on when it waits for a partition: its end, its high watermark, its leadership."""
    return ("partition", topic_id, index)
