"""Brokers and controllers register, and brokers are taken out.

Source: KIP-631, KIP-858 (folders), KIP-919 (controllers), KIP-966 (unclean shutdowns), KIP-1066 (cordoned folders).
"""

from __future__ import annotations

from typing import Final

from reference_broker.controller.decision import Decision
from reference_broker.controller.leadership import PartitionChanges
from reference_broker.controller.sessions import BrokerSessions
from reference_broker.environment import Now
from reference_broker.metadata.brokers import BrokerImage, BrokersImage
from reference_broker.metadata.image import CONTROLLERS_SINCE, DIRECTORIES_SINCE, MetadataImage, registration_version
from reference_broker.releases import KRAFT_VERSION, METADATA_VERSION
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest
from reference_broker.wire.messages.broker_registration_response import BrokerRegistrationResponse
from reference_broker.wire.messages.controller_registration_request import ControllerRegistrationRequest
from reference_broker.wire.messages.controller_registration_response import ControllerRegistrationResponse
from reference_broker.wire.messages.register_broker_record import BrokerEndpoint, BrokerFeature, RegisterBrokerRecord
from reference_broker.wire.messages.register_controller_record import (
    ControllerEndpoint,
    ControllerFeature,
    RegisterControllerRecord,
)
from reference_broker.wire.messages.unregister_broker_record import UnregisterBrokerRecord
from reference_broker.wire.messages.unregister_broker_response import UnregisterBrokerResponse
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId, Uuid, uuid_text
from reference_broker.wire.refusal import KafkaError

FIRST_UNRESERVED: Final = 100
"""Directory ids below this number have a meaning of their own (KIP-858)."""
UNCLEAN_DETECTED_SINCE: Final = 3
"""The request version that tells the epoch of the last clean stop (KIP-966)."""


def decide_registration(
    image: MetadataImage,
    config: BrokerConfig,
    request: BrokerRegistrationRequest,
    *,
    version: int,
    kraft_version: int,
    sessions: BrokerSessions,
    next_offset: int,
    now: Now,
) -> Decision:
    """BrokerRegistration: the broker is registered fenced, with the log's next offset as its epoch.

    The same incarnation keeps its epoch and state. A new one has lost its leaderships, and where its last stop was not
    clean, its place in ISR and ELR. `version` is the request's, `next_offset` where the records will be appended.
    """
    known = image.cluster.get(request.broker_id)
    _check_identity(image, request, known, sessions, now)
    if image.metadata_version >= DIRECTORIES_SINCE:
        _check_directories(image.cluster, request)
    _check_features(image, request, kraft_version)
    is_same = known is not None and known.registration.incarnation_id == request.incarnation_id
    records: list[VersionedRecord] = []
    if not is_same:
        is_clean = (
            version >= UNCLEAN_DETECTED_SINCE and known is not None and known.epoch == request.previous_broker_epoch
        )
        changes = PartitionChanges(image, config)
        is_trusted = is_clean or not image.has_elr
        records += changes.without(request.broker_id) if is_trusted else changes.without_trust(request.broker_id)
    record_version = registration_version(image.metadata_version)
    record = _registration(request, known if is_same else None, next_offset, record_version)
    records.append((record, record_version))
    sessions.register(request.broker_id, record.broker_epoch, registration_offset=next_offset + len(records) - 1)
    return Decision(tuple(records), BrokerRegistrationResponse(broker_epoch=record.broker_epoch))


def _check_identity(
    image: MetadataImage,
    request: BrokerRegistrationRequest,
    known: BrokerImage | None,
    sessions: BrokerSessions,
    now: Now,
) -> None:
    if request.cluster_id != image.cluster_id:
        text = f"Expected cluster ID {image.cluster_id}, but got cluster ID {request.cluster_id}"
        raise KafkaError(ErrorCode.INCONSISTENT_CLUSTER_ID, text)
    is_other = known is not None and known.registration.incarnation_id != request.incarnation_id
    if known is not None and is_other and sessions.is_valid(request.broker_id, known.epoch, now):
        raise KafkaError(
            ErrorCode.DUPLICATE_BROKER_REGISTRATION,
            f"broker {request.broker_id} is registered and its session lives; if it has just restarted, try again when "
            f"its session of {sessions.timeout_ms} ms is over",
        )
    if request.is_migrating_zk_broker:
        text = "Controller does not support registering ZK brokers."
        raise KafkaError(ErrorCode.BROKER_ID_NOT_REGISTERED, text)


def _check_directories(cluster: BrokersImage, request: BrokerRegistrationRequest) -> None:
    reason = None
    if not request.log_dirs:
        reason = "No directories specified in request"
    elif any(is_reserved(one) for one in request.log_dirs):
        reason = "Reserved directory ID in request"
    elif len(dict.fromkeys(request.log_dirs)) != len(request.log_dirs):
        reason = "Duplicate directory ID in request"
    else:
        for other in cluster.brokers.values():
            for one in request.log_dirs:
                if other.id != request.broker_id and one in other.log_dirs:
                    reason = f"Broker {other.id} is already registered with directory {uuid_text(one)}"
    if reason is not None:
        raise KafkaError(ErrorCode.INVALID_REGISTRATION, reason)


def is_reserved(directory_id: Uuid) -> bool:
    """Whether a directory id names no folder, but has a meaning of its own."""
    return int.from_bytes(directory_id) < FIRST_UNRESERVED


def _check_features(image: MetadataImage, request: BrokerRegistrationRequest, kraft_version: int) -> None:
    """UNSUPPORTED_VERSION where a finalized level is out of the broker's range."""
    ranges = {one.name: (one.min_supported_version, one.max_supported_version) for one in request.features}
    finalized = dict(image.features) | {KRAFT_VERSION: kraft_version}
    for name, (least, most) in ranges.items():
        _check_level(name, finalized.get(name, 0), least, most)
    if METADATA_VERSION not in ranges:
        raise KafkaError(ErrorCode.INVALID_REGISTRATION, f"Request features do not contain '{METADATA_VERSION}'")
    for name in sorted(finalized):
        if name not in ranges:
            _check_level(name, finalized[name], 0, 0)  # a feature that the broker does not know


def _check_level(name: str, level: int, least: int, most: int) -> None:
    if not least <= level <= most:
        raise KafkaError(
            ErrorCode.UNSUPPORTED_VERSION,
            f"Unable to register because the broker does not support finalized version {level} of {name}. "
            f"The broker wants a version between {least} and {most}, inclusive.",
        )


def _registration(
    request: BrokerRegistrationRequest, known: BrokerImage | None, next_offset: int, version: int
) -> RegisterBrokerRecord:
    """The record of a registration; `known` is the broker's registration by the same incarnation."""
    return RegisterBrokerRecord(
        broker_id=request.broker_id,
        incarnation_id=request.incarnation_id,
        broker_epoch=next_offset if known is None else known.epoch,
        end_points=tuple(
            BrokerEndpoint(name=one.name, host=one.host, port=one.port, security_protocol=one.security_protocol)
            for one in request.listeners
        ),
        features=tuple(
            BrokerFeature(
                name=one.name,
                min_supported_version=one.min_supported_version,
                max_supported_version=one.max_supported_version,
            )
            for one in request.features
        ),
        rack=request.rack,
        fenced=True if known is None else known.is_fenced,
        in_controlled_shutdown=False if known is None else known.registration.in_controlled_shutdown,
        log_dirs=request.log_dirs if version >= 3 else (),
        cordoned_log_dirs=None,
    )


def decide_unregistration(
    image: MetadataImage, config: BrokerConfig, broker_id: int, *, sessions: BrokerSessions | None = None
) -> Decision:
    """UnregisterBroker: the broker leaves every ISR, stays a replica, and eligible where ELR is on.

    BROKER_ID_NOT_REGISTERED where it is not known.
    """
    broker = image.cluster.get(broker_id)
    if broker is None:
        text = f"Broker ID {broker_id} is not currently registered"
        raise KafkaError(ErrorCode.BROKER_ID_NOT_REGISTERED, text)
    changes = PartitionChanges(image, config)
    gone = UnregisterBrokerRecord(broker_id=BrokerId(broker_id), broker_epoch=broker.epoch)
    records = (*changes.without(broker_id), *changes.without_eligible(broker_id), (gone, 0))
    if sessions is not None:
        sessions.remove(broker_id)
    return Decision(records, UnregisterBrokerResponse(error_message=""))


def decide_controller_registration(image: MetadataImage, request: ControllerRegistrationRequest) -> Decision:
    """ControllerRegistration: a controller's endpoints and features (KIP-919). UNSUPPORTED_VERSION before 3.7-IV0."""
    if image.metadata_version < CONTROLLERS_SINCE:
        text = "The current MetadataVersion is too old to support controller registrations."
        raise KafkaError(ErrorCode.UNSUPPORTED_VERSION, text)
    record = RegisterControllerRecord(
        controller_id=request.controller_id,
        incarnation_id=request.incarnation_id,
        zk_migration_ready=False,
        end_points=tuple(
            ControllerEndpoint(name=one.name, host=one.host, port=one.port, security_protocol=one.security_protocol)
            for one in request.listeners
        ),
        features=tuple(
            ControllerFeature(
                name=one.name,
                min_supported_version=one.min_supported_version,
                max_supported_version=one.max_supported_version,
            )
            for one in request.features
        ),
    )
    return Decision(((record, 0),), ControllerRegistrationResponse(error_message=None))
