"""How a node's parts come to life and end: what follows from the quorum's leader, and from the broker's life cycle.

A broker registers, catches up with the metadata, loads its logs, is unfenced and serves; asked to stop it hands its
leaderships over, closes its logs, and its node leaves the quorum. Source: KIP-631, KIP-841.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reference_broker.effects import Halt, Outbox, Peer
from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import CORDONED_SINCE
from reference_broker.metadata.node_config import NodeConfig
from reference_broker.metadata.publishing import Publisher
from reference_broker.raft.machine import Quorum
from reference_broker.wire.primitives import Uuid

if TYPE_CHECKING:
    from reference_broker.broker.broker import Broker
    from reference_broker.environment import Now
    from reference_broker.groups.coordinator import GroupCoordinator
    from reference_broker.replication.folder_news import FolderNews
    from reference_broker.replication.partitions import Partitions


@dataclass(slots=True)
class ControllerFinder:
    """Tells channels which node is the active controller; listens to the quorum."""

    quorum: Quorum
    follow: Callable[[Peer | None, Now], None]

    def on_commit(self, batches: Sequence[Any], now: Now) -> None:
        """What is committed does not change who leads."""

    def on_snapshot(self, snapshot_id: Any, records: Iterable[Any], now: Now) -> None:
        """Nor does a snapshot."""

    def on_leader(self, leader_id: int | None, epoch: int, now: Now) -> None:
        """Another node leads, or none that is known."""
        self.follow(None if leader_id is None else self.quorum.leader(), now)


class BrokerLife:
    """Listens to the broker's life cycle. `is_serving`: clients may come; `has_ended`: the broker may be closed."""

    def __init__(
        self,
        *,
        publisher: Publisher,
        settings: NodeConfig,
        partitions: Partitions,
        groups: GroupCoordinator,
        outbox: Outbox,
    ) -> None:
        self._publisher, self._settings = publisher, settings
        self._partitions, self._groups, self._outbox = partitions, groups, outbox
        self.broker: Broker
        self.is_serving = self.has_ended = self._is_loaded = False
        self._failed: dict[Uuid, None] = {}

    # -- the life cycle -----------------------------------------------------------------------------------------

    def on_registered(self, broker_epoch: int, now: Now) -> None:
        """The controller knows this incarnation: its replicas may fetch, once they are loaded."""
        if self._is_loaded:
            self._partitions.on_registered(broker_epoch, now)

    def on_caught_up(self, now: Now) -> None:
        """The metadata is as new as the controller's: load the logs that are here."""
        self._partitions.attach(self._publisher, self._settings, self.report_folders, now, self._on_loaded)
        self.broker.lifecycle.set_cordoned(self._partitions.folders.cordoned_ids, now)
        self._publisher.subscribe(self._on_metadata)

    def _on_metadata(self, delta: MetadataDelta, now: Now) -> None:
        """Folders may have been cordoned, or are no longer."""
        self.broker.lifecycle.set_cordoned(self._partitions.folders.cordoned_ids, now)

    def _on_loaded(self, now: Now) -> None:
        """The logs are loaded: they may be replicated, and groups are loaded from them."""
        self._partitions.on_registered(self.broker.lifecycle.broker_epoch, now)
        self._is_loaded = True
        self._groups.on_metadata(MetadataDelta(self._publisher.image), now)
        self._publisher.subscribe(self._groups.on_metadata)
        self.broker.lifecycle.ready_to_unfence(now)

    def on_unfenced(self, now: Now) -> None:
        """The broker may lead, and clients may come."""
        self.is_serving = True

    def on_stopped(self, failure: str | None, now: Now) -> None:
        """The broker may end; `failure` says why where it must."""
        self.has_ended = True
        if failure is not None:
            self._outbox.put(Halt(failure))

    # -- what it tells the controller ---------------------------------------------------------------------------

    def report_folders(self, news: FolderNews, now: Now) -> bool:
        """Replicas that were put into folders, and folders that failed (KIP-858)."""
        if self.broker.lifecycle.broker_epoch < 0:
            return False
        for replica, directory_id in news.placed.items():
            self.broker.directories.assign(replica, directory_id, now)
        for directory_id in self._partitions.folders.failed_ids if news.has_failed else ():
            if directory_id not in self._failed:
                self._failed[directory_id] = None
                self.broker.lifecycle.on_directory_failed(directory_id, now)
        return True

    def is_replica(self, replica: tuple[Any, int]) -> bool:
        """Whether this broker holds a replica, by the metadata."""
        topic = self._publisher.image.topics.by_id.get(replica[0])
        partition = None if topic is None else topic.partitions.get(replica[1])
        return partition is not None and self._settings.static.node_id in partition.replicas

    def may_cordon(self) -> bool:
        """Whether the cluster's metadata version knows cordoned folders."""
        return self._publisher.image.metadata_version >= CORDONED_SINCE
