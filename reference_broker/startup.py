"""From a configuration and a disk to a node: folders, metadata log, controller, partitions, groups.

The node is made whole and then comes to life by messages: it finds or wins the quorum's leader, registers, catches up
with the metadata, loads its logs, is unfenced (see `life`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reference_broker.apis.context import BrokerParts, Parts
from reference_broker.broker.broker import Broker
from reference_broker.broker.channel import ControllerChannel
from reference_broker.broker.controller_registrar import ControllerRegistrar, controller_registration_request
from reference_broker.broker.registration import registration_request
from reference_broker.controller.activation import check_metadata_version
from reference_broker.controller.controller import Controller
from reference_broker.controller.decision import random_uuid
from reference_broker.effects import Halt, Outbox, Peer
from reference_broker.ending import Ending
from reference_broker.environment import Disk, Now, Random
from reference_broker.groups.coordinator import TOPIC as OFFSETS_TOPIC
from reference_broker.groups.coordinator import GroupCoordinator
from reference_broker.life import BrokerLife, ControllerFinder
from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.node_config import NodeConfig
from reference_broker.metadata.publishing import Publisher
from reference_broker.metadata.snapshot_generator import SnapshotGenerator
from reference_broker.node import Node, Observers, Waker
from reference_broker.raft.opening import open_quorum, open_store
from reference_broker.replication.coordinator_log import InternalTopicLog
from reference_broker.replication.fetch_session import FetchSessions
from reference_broker.replication.partitions import Partitions
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.storage import Folders
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError

REGISTRATION_RETRY_MS = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a node is made from. `bound` are the ports of its listeners, by name."""

    config: BrokerConfig
    folders: Folders
    disk: Disk
    random: Random
    bound: Mapping[str, int]
    observers: Observers
    outbox: Outbox
    touched: list[Waker] = field(default_factory=list)

    def halt(self, reason: str) -> None:
        """The node must not go on."""
        self.outbox.put(Halt(reason))


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
    """A node at the beginning of its life. `bound` are the ports of its listeners, by name.

    OSError, ValueError or MalformedRequest where a folder that it cannot do without is locked or broken.
    """
    outbox = Outbox(own_node_id=config.node_id)
    around = Surroundings(
        config=config, folders=folders, disk=disk, random=random, bound=bound, observers=observers, outbox=outbox
    )
    partitions = _open_partitions(around, now) if "broker" in config.roles else None
    if partitions is None or config.metadata_log_dir not in config.log_dirs:
        disk.lock(f"{config.metadata_log_dir}/.lock")
    store = open_store(config, disk, now, lambda text: observers.log("WARN", text))
    publisher = _publisher(around)
    settings = NodeConfig(config, publisher)
    quorum = open_quorum(
        config,
        store,
        cluster_id=folders.cluster_id,
        directory_id=folders.directory_ids[config.metadata_log_dir],
        bound=bound,
        random=random,
        outbox=outbox,
        log=observers.log,
        now=now,
    )
    incarnation_id = random_uuid(random)
    controller = registrar = life = broker = None
    if "controller" in config.roles:
        bootstrap = store.bootstrap_records()
        controller = Controller(log=quorum, publisher=publisher, settings=settings, random=random, bootstrap=bootstrap)
        registrar = _registrar(around, incarnation_id)
        publisher.subscribe(registrar.on_metadata)
    if partitions is not None:
        life, broker = _broker(around, partitions, publisher, settings, incarnation_id)
        broker.broker.lifecycle.start(now)
    parts = Parts(
        publisher=publisher,
        settings=settings,
        quorum=quorum,
        snapshots=SnapshotGenerator(publisher, quorum),
        random=random,
        controller=controller,
        broker=broker,
    )
    node = Node(
        parts=parts,
        observers=observers,
        outbox=outbox,
        touched=around.touched,
        ending=Ending(parts, life),
        life=life,
        registrar=registrar,
    )
    _listen(node, now)
    return node


def _listen(node: Node, now: Now) -> None:
    """Have the parts told what is committed, and who leads: first the image, then whoever builds on it."""
    parts, registrar = node.parts, node.registrar

    def follow(controller: Peer | None, now: Now) -> None:
        if parts.broker is not None:
            parts.broker.broker.follow(controller, now)
        if registrar is not None:
            registrar.follow(controller, now)

    parts.quorum.add_listener(parts.publisher, now)
    if parts.controller is not None:
        parts.quorum.add_listener(parts.controller, now)
    parts.quorum.add_listener(ControllerFinder(parts.quorum, follow), now)


def _publisher(around: Surroundings) -> Publisher:
    """What tells the parts of committed metadata; first of all it is looked whether the release knows it."""
    publisher = Publisher(around.folders.cluster_id, around.halt)

    def check(delta: MetadataDelta, now: Now) -> None:
        try:
            check_metadata_version(delta.after, around.config.release)
        except KafkaError as error:
            around.halt(error.detail or error.code.name)

    publisher.subscribe(check)
    return publisher


def _open_partitions(around: Surroundings, now: Now) -> Partitions:
    config, folders = around.config, around.folders
    return Partitions.open(
        disk=around.disk,
        directories={path: folders.directory_ids[path] for path in config.log_dirs if path in folders.directory_ids},
        random=around.random,
        on_touched=around.touched.append,
        now_ms=now.wall_ms,
        on_event=lambda text: around.observers.log("ERROR", text),
        on_notice=lambda text: around.observers.log("INFO", text),
        on_warning=lambda text: around.observers.log("WARN", text),
        problems={path: folders.problems[path] for path in config.log_dirs if path in folders.problems},
        outbox=around.outbox,
    )


def _broker(
    around: Surroundings,
    partitions: Partitions,
    publisher: Publisher,
    settings: NodeConfig,
    incarnation_id: Uuid,
) -> tuple[BrokerLife, BrokerParts]:
    """The parts that the role of a broker has."""
    config = around.config
    groups = GroupCoordinator(
        log=InternalTopicLog(partitions, OFFSETS_TOPIC),
        config=lambda: settings.current,
        topics=lambda: publisher.image.topics,
        random=around.random,
    )
    life = BrokerLife(
        publisher=publisher, settings=settings, partitions=partitions, groups=groups, outbox=around.outbox
    )
    life.broker = Broker(
        config=config,
        registration=registration_request(
            config,
            bound=around.bound,
            cluster_id=around.folders.cluster_id,
            incarnation_id=incarnation_id,
            log_dirs=partitions.folders.online_ids,
            previous_broker_epoch=partitions.folders.previous_broker_epoch,
        ),
        outbox=around.outbox,
        random=around.random,
        metadata_offset=lambda: publisher.image.offset,
        may_cordon=life.may_cordon,
        is_replica=life.is_replica,
        listener=life,
        log=around.observers.log,
    )
    partitions.connect(life.broker.alter_partition, life.broker.directories.assign)
    sessions = FetchSessions(random=around.random, capacity=config.number("max.incremental.fetch.session.cache.slots"))
    parts = BrokerParts(broker=life.broker, partitions=partitions, groups=groups, fetch_sessions=sessions)
    return life, parts


def _registrar(around: Surroundings, incarnation_id: Uuid) -> ControllerRegistrar:
    """What registers this controller with the active one."""
    channel = ControllerChannel(
        "registration",
        outbox=around.outbox,
        request_timeout_ms=around.config.number("controller.socket.timeout.ms"),
        retry_timeout_ms=REGISTRATION_RETRY_MS,
    )
    request = controller_registration_request(around.config, bound=around.bound, incarnation_id=incarnation_id)
    return ControllerRegistrar(request, channel, around.observers.log)
