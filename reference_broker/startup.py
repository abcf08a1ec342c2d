"""From a configuration and a disk to a node that serves: folders, metadata log, controller, partitions, groups.

The order is Kafka's: lock and open the folders, load the metadata, load the logs, register the broker, unfence it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from reference_broker.apis.context import Parts
from reference_broker.configs import BrokerConfig
from reference_broker.controller.controller import Controller
from reference_broker.environment import Disk, Now, Random
from reference_broker.groups.coordinator import TOPIC as OFFSETS_TOPIC
from reference_broker.groups.coordinator import GroupCoordinator
from reference_broker.node import Node, Observers
from reference_broker.raft.quorum import Quorum
from reference_broker.replication.coordinator_log import InternalTopicLog
from reference_broker.replication.fetch_session import FetchSessions
from reference_broker.replication.partitions import Partitions
from reference_broker.storage import Folders


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
    touched: list[Hashable] = []
    halts: list[str] = []
    partitions = Partitions.open(
        disk=disk,
        directories={path: folders.directory_ids[path] for path in config.log_dirs if path in folders.directory_ids},
        random=random,
        touch=touched.append,
        now_ms=now.wall_ms,
        on_event=lambda text: observers.log("ERROR", text),
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
    controller = Controller.open(
        log=quorum,
        cluster_id=folders.cluster_id,
        config=config,
        now=now,
        random=random,
        bound=dict(bound),
    )
    partitions.attach(controller, now)
    groups = GroupCoordinator(
        log=InternalTopicLog(partitions, OFFSETS_TOPIC),
        config=lambda: controller.config,
        topics=controller.image.topics,
        create_internal_topic=controller.create_internal_topic,
        random=random,
    )
    controller.subscribe(groups.on_metadata)
    controller.start_broker(
        log_dirs=partitions.online_directory_ids,
        previous_broker_epoch=partitions.previous_broker_epoch,
        bound=dict(bound),
        now=now,
    )
    parts = Parts(
        controller=controller,
        partitions=partitions,
        groups=groups,
        fetch_sessions=FetchSessions(
            random=random, capacity=config.number("max.incremental.fetch.session.cache.slots")
        ),
        random=random,
        release=config.release,
    )
    return Node(parts=parts, observers=observers, touched=touched, halts=halts)
