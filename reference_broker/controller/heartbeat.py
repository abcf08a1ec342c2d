"""BrokerHeartbeat: a broker lives, wants to be unfenced, to be fenced, to stop, or has lost folders; or it is silent.

Source: KIP-631, KIP-841 (controlled shutdown), KIP-858 (folders), KIP-1066 (cordoned folders).
"""

from __future__ import annotations

from enum import Enum, auto

from reference_broker.controller.decision import Decision
from reference_broker.controller.leadership import PartitionChanges
from reference_broker.controller.sessions import UNKNOWN, BrokerSession, BrokerSessions
from reference_broker.environment import Now
from reference_broker.metadata.brokers import BrokerImage
from reference_broker.metadata.image import CORDONED_SINCE, DIRECTORIES_SINCE, MetadataImage
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.broker_heartbeat_request import BrokerHeartbeatRequest
from reference_broker.wire.messages.broker_heartbeat_response import BrokerHeartbeatResponse
from reference_broker.wire.messages.broker_registration_change_record import BrokerRegistrationChangeRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId, Uuid
from reference_broker.wire.refusal import KafkaError


class BrokerState(Enum):
    """What a broker may do."""

    FENCED = auto()
    UNFENCED = auto()
    CONTROLLED_SHUTDOWN = auto()
    SHUTDOWN_NOW = auto()


def check_broker_epoch(image: MetadataImage, broker_id: int, epoch: int) -> BrokerImage:
    """The broker that asks. STALE_BROKER_EPOCH where it is not registered, or under another epoch."""
    broker = image.cluster.get(broker_id)
    if broker is None:
        raise KafkaError(ErrorCode.STALE_BROKER_EPOCH, f"No broker registration found for broker id {broker_id}")
    if broker.epoch != epoch:
        text = f"Expected broker epoch {broker.epoch}, but got broker epoch {epoch}"
        raise KafkaError(ErrorCode.STALE_BROKER_EPOCH, text)
    return broker


def decide_heartbeat(
    image: MetadataImage,
    config: BrokerConfig,
    request: BrokerHeartbeatRequest,
    *,
    sessions: BrokerSessions,
    next_offset: int,
    now: Now,
) -> Decision:
    """A heartbeat: the broker's session goes on, and its state changes to what it wants and may be.

    `next_offset` is where the records will be appended. The session is changed at once: it is not replicated.
    """
    broker = check_broker_epoch(image, request.broker_id, request.broker_epoch)
    sessions.touch(broker.id, broker.epoch, now)
    session = sessions.get(broker.id, broker.epoch)
    has_directories = image.metadata_version >= DIRECTORIES_SINCE
    changes = PartitionChanges(image, config, offline=request.offline_log_dirs if has_directories else ())
    before = _state(broker, session)
    after = next_state(changes, request, before, sessions)
    records = [] if after is before else _transition(changes, broker, after)
    session.metadata_offset = request.current_metadata_offset
    if has_directories:
        is_in_sync = after is before or after is BrokerState.UNFENCED  # else it has just left every ISR
        records += offline_directories(changes, broker, request.offline_log_dirs, is_in_sync=is_in_sync)
    if image.metadata_version >= CORDONED_SINCE:
        records += cordoned_directories(broker, request.cordoned_log_dirs)
    if after is BrokerState.CONTROLLED_SHUTDOWN and not session.is_shutting_down:
        session.shutdown_offset = next_offset + len(records) - 1
    elif after in (BrokerState.FENCED, BrokerState.SHUTDOWN_NOW):
        session.shutdown_offset = UNKNOWN
    response = BrokerHeartbeatResponse(
        is_caught_up=request.current_metadata_offset >= session.registration_offset,
        is_fenced=after in (BrokerState.FENCED, BrokerState.SHUTDOWN_NOW),
        should_shut_down=after is BrokerState.SHUTDOWN_NOW,
    )
    return Decision(tuple(records), response)


def _state(broker: BrokerImage, session: BrokerSession) -> BrokerState:
    if session.is_shutting_down:
        return BrokerState.CONTROLLED_SHUTDOWN
    return BrokerState.FENCED if broker.is_fenced else BrokerState.UNFENCED


def next_state(
    changes: PartitionChanges, request: BrokerHeartbeatRequest, state: BrokerState, sessions: BrokerSessions
) -> BrokerState:
    """What a broker is from now on, by what it wants.

    It is unfenced once it has read its own registration. It may stop once it leads nothing and all others have read
    that, so that nobody sends clients to it.
    """
    broker_id = request.broker_id
    session = sessions.get(broker_id, request.broker_epoch)
    if state is BrokerState.FENCED:
        if request.want_shut_down:
            return BrokerState.SHUTDOWN_NOW
        # A controlled shutdown ends with the registration: who has begun one serves again only under a new epoch.
        is_stopping = changes.image.brokers[broker_id].registration.in_controlled_shutdown
        has_read = request.current_metadata_offset >= session.registration_offset
        is_ready = has_read and not request.want_fence and not is_stopping
        return BrokerState.UNFENCED if is_ready else BrokerState.FENCED
    if state is BrokerState.UNFENCED:
        if request.want_fence:
            return BrokerState.SHUTDOWN_NOW if request.want_shut_down else BrokerState.FENCED
        if not request.want_shut_down:
            return BrokerState.UNFENCED
        is_leader = changes.is_leader(broker_id)
        return BrokerState.CONTROLLED_SHUTDOWN if is_leader else BrokerState.SHUTDOWN_NOW
    if changes.is_leader(broker_id) or not sessions.have_all_read(session.shutdown_offset, changes.image.cluster):
        return BrokerState.CONTROLLED_SHUTDOWN
    return BrokerState.SHUTDOWN_NOW


def _transition(changes: PartitionChanges, broker: BrokerImage, after: BrokerState) -> list[VersionedRecord]:
    if after is BrokerState.UNFENCED:
        return unfencing(changes, broker)
    if after is BrokerState.CONTROLLED_SHUTDOWN:
        return controlled_shutdown(changes, broker)
    return [] if broker.is_fenced else fencing(changes, broker)


def fencing(changes: PartitionChanges, broker: BrokerImage) -> list[VersionedRecord]:
    """The broker leaves every ISR, leads nothing and is not shown to clients."""
    record = BrokerRegistrationChangeRecord(broker_id=BrokerId(broker.id), broker_epoch=broker.epoch, fenced=1)
    return [*changes.without(broker.id), (record, 0)]


def unfencing(changes: PartitionChanges, broker: BrokerImage) -> list[VersionedRecord]:
    """The broker may lead; partitions without a leader that it can lead get it."""
    record = BrokerRegistrationChangeRecord(broker_id=BrokerId(broker.id), broker_epoch=broker.epoch, fenced=-1)
    return [(record, 0), *changes.with_arrived(broker.id)]


def controlled_shutdown(changes: PartitionChanges, broker: BrokerImage) -> list[VersionedRecord]:
    """The broker is about to stop: it leaves every ISR, and others lead what it led."""
    records = changes.without(broker.id)
    if broker.registration.in_controlled_shutdown:
        return records
    begin = BrokerRegistrationChangeRecord(
        broker_id=BrokerId(broker.id), broker_epoch=broker.epoch, in_controlled_shutdown=1
    )
    return [(begin, 1), *records]


def offline_directories(
    changes: PartitionChanges, broker: BrokerImage, offline: tuple[Uuid, ...], *, is_in_sync: bool = True
) -> list[VersionedRecord]:
    """Folders have failed: the broker leaves the ISR of the partitions in them, if it is in any (`is_in_sync`)."""
    lost = [one for one in broker.log_dirs if one in offline]
    if not lost:
        return []
    records: list[VersionedRecord] = []
    for directory_id in lost if is_in_sync else ():
        records += changes.without(broker.id, changes.in_directory(broker.id, directory_id))
    change = BrokerRegistrationChangeRecord(
        broker_id=BrokerId(broker.id),
        broker_epoch=broker.epoch,
        log_dirs=tuple(one for one in broker.log_dirs if one not in offline),
    )
    return [*records, (change, 2)]


def cordoned_directories(broker: BrokerImage, cordoned: tuple[Uuid, ...] | None) -> list[VersionedRecord]:
    """The folders that take no new replicas are others than were known; None while the broker does not say."""
    known = broker.registration.cordoned_log_dirs
    if cordoned is None or (known is not None and sorted(dict.fromkeys(known)) == sorted(dict.fromkeys(cordoned))):
        return []
    change = BrokerRegistrationChangeRecord(
        broker_id=BrokerId(broker.id), broker_epoch=broker.epoch, cordoned_log_dirs=cordoned
    )
    return [(change, 3)]
