"""From a configuration and a disk to a node that serves: folders, metadata log, controller, partitions, groups.

The order is Kafka's: lock and open the folders, load the metadata, load the logs, register the broker, unfence it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from reference_broker.apis.context import Parts
from reference_broker.configs import BrokerConfig
from reference_broker.controller.activation import check_metadata_version
from reference_broker.controller.controller import Controller
from reference_broker.controller.folder_records import assignment_records, failure_records
from reference_broker.effects import Halt, Outbox
from reference_broker.environment import Disk, Now, Random
from reference_broker.groups.coordinator import TOPIC as OFFSETS_TOPIC
from reference_broker.groups.coordinator import GroupCoordinator
from reference_broker.metadata.node_config import NodeConfig
from reference_broker.metadata.publishing import Publisher
from reference_broker.metadata.snapshot_generator import SnapshotGenerator
from reference_broker.node import Node, Observers, Waker
from reference_broker.raft.quorum import Quorum
from reference_broker.raft.sole_voter import OwnLog, SoleVoter
from reference_broker.replication.coordinator_log import InternalTopicLog
from reference_broker.replication.fetch_session import FetchSessions
from reference_broker.replication.folder_news import FolderNews
from reference_broker.replication.partitions import Partitions
from reference_broker.storage import Folders
from reference_broker.wire.metadata_records import VersionedRecord


def start_node(
    *,
    config: BrokerConfig,
    folders: Folders,
    disk: Disk,
    random: Random,
    now: Now,
    bound: Mapping[str, int],
    observers: Observers,
) -> Node:
    """A node that leads its partitions. `bound` are the ports of its listeners, by name.

    KafkaError or OSError where a folder that it cannot do without is locked or broken.
    """
    outbox = Outbox(own_node_id=config.node_id)
    touched: list[Waker] = []
    partitions = Partitions.open(
        disk=disk,
        directories={path: folders.directory_ids[path] for path in config.log_dirs if path in folders.directory_ids},
        random=random,
        on_touched=touched.append,
        now_ms=now.wall_ms,
        on_event=lambda text: observers.log("ERROR", text),
        on_notice=lambda text: observers.log("INFO", text),
        problems={path: folders.problems[path] for path in config.log_dirs if path in folders.problems},
    )
    metadata_dir = config.metadata_log_dir
    if metadata_dir not in config.log_dirs:
        disk.lock(f"{metadata_dir}/.lock")
    quorum = Quorum.open(
        disk=disk,
        metadata_log_dir=metadata_dir,
        config=config,
        directory_id=folders.directory_ids[metadata_dir],
        now_ms=now.wall_ms,
    )
    metadata = lead_metadata(
        log=quorum,
        cluster_id=folders.cluster_id,
        config=config,
        random=random,
        bootstrap=quorum.bootstrap_records(),
        bound=bound,
        halt=lambda reason: outbox.put(Halt(reason)),
        now=now,
    )
    controller, publisher = metadata.controller, metadata.publisher
    partitions.attach(publisher, metadata.settings, partial(report_folders, controller), now)
    groups = GroupCoordinator(
        log=InternalTopicLog(partitions, OFFSETS_TOPIC),
        config=lambda: metadata.settings.current,
        topics=lambda: publisher.image.topics,
        create_internal_topic=controller.create_internal_topic,
        random=random,
    )
    publisher.subscribe(groups.on_metadata)
    controller.start_broker(
        log_dirs=partitions.online_directory_ids, previous_broker_epoch=partitions.previous_broker_epoch, now=now
    )
    partitions.on_registered(controller.broker_epoch, now)
    parts = Parts(
        controller=controller,
        partitions=partitions,
        groups=groups,
        fetch_sessions=FetchSessions(
            random=random, capacity=config.number("max.incremental.fetch.session.cache.slots")
        ),
        random=random,
        release=config.release,
        quorum=metadata.quorum,
        snapshots=metadata.snapshots,
        publisher=metadata.publisher,
        settings=metadata.settings,
    )
    return Node(parts=parts, observers=observers, outbox=outbox, touched=touched)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The parts of a node that decide, replicate and publish metadata."""

    quorum: SoleVoter
    publisher: Publisher
    settings: NodeConfig
    controller: Controller
    snapshots: SnapshotGenerator


def lead_metadata(
    *,
    log: OwnLog,
    cluster_id: str,
    config: BrokerConfig,
    random: Random,
    now: Now,
    bootstrap: Sequence[VersionedRecord] = (),
    bound: Mapping[str, int] | None = None,
    halt: Callable[[str], None],
) -> Metadata:
    """Load the metadata and lead the quorum of one.

    KafkaError (UNSUPPORTED_VERSION) where the cluster is ahead of the release.
    """
    publisher = Publisher(cluster_id, halt)
    settings = NodeConfig(config, publisher)
    quorum = SoleVoter(log, config.node_id)
    controller = Controller(
        log=quorum, publisher=publisher, settings=settings, random=random, bootstrap=bootstrap, bound=dict(bound or {})
    )
    quorum.add_listener(publisher)
    quorum.add_listener(controller)
    quorum.load(now)
    check_metadata_version(publisher.image, config.release)
    quorum.lead(now)
    return Metadata(quorum, publisher, settings, controller, SnapshotGenerator(publisher, quorum))


def report_folders(controller: Controller, news: FolderNews, now: Now) -> bool:
    """Have the controller write what its own broker tells of its folders; False before the broker is registered."""
    if controller.broker_epoch < 0:
        return False
    if not controller.is_broker_registered:
        return True  # a controller listens to no broker that it does not know; at its next start it will look again
    config = controller.config
    if records := assignment_records(controller.pending, config, news.placed):
        controller.commit(records, now)
    if news.has_failed and (records := failure_records(controller.pending, config, news.online, news.lost)):
        controller.commit(records, now)
    return True
