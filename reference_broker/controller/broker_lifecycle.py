"""The records of a broker's life: registration, unfencing, controlled shutdown, fencing, and its end.

As a 4.3.1 node that is alone writes them. Source: KIP-631, KIP-841, KIP-858, KIP-966.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reference_broker.configs import PROTOCOL_NUMBERS
from reference_broker.metadata.image import registration_version
from reference_broker.metadata.topics import NO_LEADER, NO_LEADER_CHANGE, NO_RECOVERY_CHANGE
from reference_broker.wire.messages.broker_registration_change_record import BrokerRegistrationChangeRecord
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.register_broker_record import BrokerEndpoint, BrokerFeature, RegisterBrokerRecord
from reference_broker.wire.messages.register_controller_record import (
    ControllerEndpoint,
    ControllerFeature,
    RegisterControllerRecord,
)
from reference_broker.wire.messages.unregister_broker_record import UnregisterBrokerRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId, Uuid

if TYPE_CHECKING:
    from reference_broker.controller.controller import Controller
    from reference_broker.metadata.brokers import BrokerImage
    from reference_broker.metadata.topics import PartitionImage

CORDONED_SINCE = 30
RECOVERING = 1
"""A leader recovery state: the leader was elected without the certainty that it has all records."""


def register_controller_record(controller: Controller, bound: dict[str, int]) -> VersionedRecord:
    """This controller's endpoints and features."""
    config = controller.static_config
    record = RegisterControllerRecord(
        controller_id=config.node_id,
        incarnation_id=controller.incarnation_id,
        zk_migration_ready=False,
        end_points=tuple(
            ControllerEndpoint(
                name=one.listener, host=one.host, port=one.port, security_protocol=PROTOCOL_NUMBERS[one.protocol]
            )
            for one in config.advertised(bound)
            if one.listener in config.controller_listeners
        ),
        features=tuple(
            ControllerFeature(name=name, min_supported_version=low, max_supported_version=high)
            for name, (low, high) in controller.release.supported_features().items()
        ),
    )
    return record, 0


def registration_records(
    controller: Controller, *, log_dirs: tuple[Uuid, ...], previous_broker_epoch: int, bound: dict[str, int]
) -> tuple[VersionedRecord, ...]:
    """The registration, fenced; after a stop that was not clean, its replicas leave the ISR and the ELR first.

    A broker that is not known has no clean stop to point to: it is new, or it was unregistered.
    """
    config, image = controller.static_config, controller.image
    known = image.cluster.get(config.node_id)
    version = registration_version(image.metadata_version)
    record = RegisterBrokerRecord(
        broker_id=BrokerId(config.node_id),
        incarnation_id=controller.incarnation_id,
        broker_epoch=controller.broker_epoch,
        end_points=tuple(
            BrokerEndpoint(
                name=one.listener, host=one.host, port=one.port, security_protocol=PROTOCOL_NUMBERS[one.protocol]
            )
            for one in config.advertised_to_clients(bound)
        ),
        features=tuple(
            BrokerFeature(name=name, min_supported_version=low, max_supported_version=high)
            for name, (low, high) in controller.release.supported_features().items()
        ),
        rack=config.text("broker.rack") or None,
        fenced=True,
        log_dirs=log_dirs if version >= 3 else (),
        cordoned_log_dirs=None,
    )
    is_clean = known is not None and known.epoch == previous_broker_epoch
    return (*(() if is_clean else unclean_changes(controller)), (record, version))


def _partitions_with(controller: Controller) -> Iterator[tuple[Uuid, PartitionImage]]:
    node_id = controller.static_config.node_id
    for topic in controller.image.topics:
        for partition in topic.partitions.values():
            if node_id in partition.replicas:
                yield topic.id, partition


def _change(controller: Controller, message: PartitionChangeRecord) -> VersionedRecord:
    return message, controller.image.partition_version


def unclean_changes(controller: Controller) -> Iterator[VersionedRecord]:
    """What a broker that lost power is no longer trusted with."""
    node_id, has_elr = controller.static_config.node_id, controller.image.has_elr
    for topic_id, partition in _partitions_with(controller):
        is_leader = partition.leader == node_id
        if not is_leader and node_id not in partition.elr:
            continue
        isr = tuple(one for one in partition.isr if one != node_id)
        elr = tuple(one for one in partition.elr if one != node_id)
        message = PartitionChangeRecord(
            partition_id=partition.index,
            topic_id=topic_id,
            isr=tuple(map(BrokerId, isr)) if has_elr and isr != partition.isr else None,
            leader=BrokerId(NO_LEADER) if is_leader else BrokerId(NO_LEADER_CHANGE),
            eligible_leader_replicas=tuple(map(BrokerId, elr)) if elr != partition.elr else None,
            last_known_elr=(BrokerId(node_id),) if has_elr and partition.last_known_elr != (node_id,) else None,
        )
        yield _change(controller, message)


def unfencing_records(controller: Controller) -> tuple[VersionedRecord, ...]:
    """The broker may lead; every partition without a leader that it can lead gets it."""
    node_id, has_elr = controller.static_config.node_id, controller.image.has_elr
    us = BrokerId(node_id)
    unfence = BrokerRegistrationChangeRecord(broker_id=us, broker_epoch=controller.broker_epoch, fenced=-1)
    records: list[VersionedRecord] = [(unfence, 0)]
    for topic_id, partition in _partitions_with(controller):
        is_trusted = node_id in (*partition.isr, *partition.elr)
        if partition.leader != NO_LEADER or not (is_trusted or node_id in partition.last_known_elr):
            continue
        message = PartitionChangeRecord(
            partition_id=partition.index,
            topic_id=topic_id,
            isr=(us,) if partition.isr != (node_id,) else None,
            leader=us,
            eligible_leader_replicas=() if has_elr and partition.elr else None,
            last_known_elr=() if has_elr and partition.last_known_elr else None,
            # Led by one that is only the last known to be eligible, it recovers (KIP-704), and says so once.
            leader_recovery_state=NO_RECOVERY_CHANGE if is_trusted or partition.leader_recovery_state else RECOVERING,
        )
        records.append(_change(controller, message))
    if controller.image.metadata_version >= CORDONED_SINCE:
        cordoned = BrokerRegistrationChangeRecord(
            broker_id=us, broker_epoch=controller.broker_epoch, cordoned_log_dirs=()
        )
        records.append((cordoned, 3))
    return tuple(records)


def controlled_shutdown_records(controller: Controller) -> tuple[VersionedRecord, ...]:
    """The broker is about to stop: it leaves every ISR, but stays eligible to lead where ELR is on."""
    us = BrokerId(controller.static_config.node_id)
    begin = BrokerRegistrationChangeRecord(broker_id=us, broker_epoch=controller.broker_epoch, in_controlled_shutdown=1)
    return ((begin, 1), *_departure(controller, us))


def unregistration_records(controller: Controller, broker: BrokerImage) -> tuple[VersionedRecord, ...]:
    """A broker is taken out: it leads nothing and leaves every ISR, but stays a replica, and eligible where ELR is
    on."""
    gone = UnregisterBrokerRecord(broker_id=BrokerId(broker.id), broker_epoch=broker.epoch)
    return (*_departure(controller, BrokerId(broker.id)), (gone, 0))


def _departure(controller: Controller, broker_id: BrokerId) -> Iterator[VersionedRecord]:
    """The partitions that a broker leads are left without a leader: there is no other replica yet."""
    has_elr = controller.image.has_elr
    for topic in controller.image.topics:
        for partition in topic.partitions.values():
            if partition.leader == broker_id:
                message = PartitionChangeRecord(
                    partition_id=partition.index,
                    topic_id=topic.id,
                    isr=() if has_elr else None,
                    leader=BrokerId(NO_LEADER),
                    eligible_leader_replicas=(broker_id,) if has_elr else None,
                    last_known_elr=(broker_id,) if has_elr else None,
                )
                yield _change(controller, message)


def fencing_record(controller: Controller) -> VersionedRecord:
    """The broker is gone."""
    us = BrokerId(controller.static_config.node_id)
    return BrokerRegistrationChangeRecord(broker_id=us, broker_epoch=controller.broker_epoch, fenced=1), 0
