"""The life of the broker in the same node as the controller, by the deciders that serve every broker.

The node decides for itself what another broker would ask by BrokerRegistration and BrokerHeartbeat: it registers, is
unfenced, stops. Source: KIP-631, KIP-841, KIP-858, KIP-966.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_broker.configs import PROTOCOL_NUMBERS
from reference_broker.controller.heartbeat import (
    CORDONED_SINCE,
    controlled_shutdown,
    cordoned_directories,
    fencing,
    unfencing,
)
from reference_broker.controller.leadership import PartitionChanges
from reference_broker.controller.registration import decide_registration
from reference_broker.controller.sessions import BrokerSessions
from reference_broker.environment import Now
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest, Feature, Listener
from reference_broker.wire.messages.register_controller_record import (
    ControllerEndpoint,
    ControllerFeature,
    RegisterControllerRecord,
)
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId, Uuid

if TYPE_CHECKING:
    from reference_broker.controller.controller import Controller

NO_SESSIONS_BEFORE = Now(wall_ms=0, monotonic_ms=0)


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
    """The registration, fenced; after a stop that was not clean, its replicas leave the ISR and the ELR first."""
    config = controller.static_config
    request = BrokerRegistrationRequest(
        broker_id=BrokerId(config.node_id),
        cluster_id=controller.pending.cluster_id,
        incarnation_id=controller.incarnation_id,
        listeners=tuple(
            Listener(name=one.listener, host=one.host, port=one.port, security_protocol=PROTOCOL_NUMBERS[one.protocol])
            for one in config.advertised_to_clients(bound)
        ),
        features=tuple(
            Feature(name=name, min_supported_version=low, max_supported_version=high)
            for name, (low, high) in controller.release.supported_features().items()
        ),
        rack=config.text("broker.rack") or None,
        log_dirs=log_dirs,
        previous_broker_epoch=previous_broker_epoch,
    )
    decision = decide_registration(
        controller.pending,
        controller.config,
        request,
        version=BrokerRegistrationRequest.VALID[1],
        kraft_version=controller.log.kraft_version,
        sessions=BrokerSessions(timeout_ms=0),  # a controller that has just started has heard nobody
        next_offset=controller.broker_epoch,
        now=NO_SESSIONS_BEFORE,
    )
    return decision.records


def _changes(controller: Controller) -> PartitionChanges:
    return PartitionChanges(controller.pending, controller.config)


def unfencing_records(controller: Controller) -> tuple[VersionedRecord, ...]:
    """The broker may lead; every partition without a leader that it can lead gets it."""
    broker = controller.pending.brokers[controller.static_config.node_id]
    records = unfencing(_changes(controller), broker)
    if controller.pending.metadata_version >= CORDONED_SINCE:
        records += cordoned_directories(broker, ())
    return tuple(records)


def controlled_shutdown_records(controller: Controller) -> tuple[VersionedRecord, ...]:
    """The broker is about to stop: it leaves every ISR, but stays eligible to lead where ELR is on."""
    broker = controller.pending.brokers[controller.static_config.node_id]
    return tuple(controlled_shutdown(_changes(controller), broker))


def fencing_records(controller: Controller) -> tuple[VersionedRecord, ...]:
    """The broker is gone."""
    broker = controller.pending.brokers[controller.static_config.node_id]
    return tuple(fencing(_changes(controller), broker))
