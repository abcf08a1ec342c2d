"""The records of groups and offsets, in the versions that Kafka 4.3 writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reference_broker.coordinator.records import RecordTypes
from reference_broker.coordinator.shard import CoordinatorRecord
from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.wire.messages.group_metadata_key import GroupMetadataKey
from reference_broker.wire.messages.group_metadata_value import GroupMetadataValue, MemberMetadata
from reference_broker.wire.messages.legacy_offset_commit_key import LegacyOffsetCommitKey
from reference_broker.wire.messages.legacy_offset_commit_value import LegacyOffsetCommitValue
from reference_broker.wire.messages.offset_commit_key import OffsetCommitKey
from reference_broker.wire.messages.offset_commit_value import OffsetCommitValue

TYPES: Final[RecordTypes] = {
    0: (LegacyOffsetCommitKey, LegacyOffsetCommitValue),
    1: (OffsetCommitKey, OffsetCommitValue),
    2: (GroupMetadataKey, GroupMetadataValue),
}
GROUP_VERSION: Final = 3
OFFSET_VERSION: Final = 4
EXPIRING_OFFSET_VERSION: Final = 1
"""The only version with a time of expiry, for clients that still ask for one."""


def group_record(group: ClassicGroup, assignments: Mapping[str, bytes]) -> CoordinatorRecord:
    """A group as it is, with these assignments."""
    members = tuple(
        MemberMetadata(
            member_id=member.id,
            group_instance_id=member.instance_id,
            client_id=member.client_id,
            client_host=member.client_host,
            rebalance_timeout=member.rebalance_timeout_ms,
            session_timeout=member.session_timeout_ms,
            subscription=member.metadata(group.protocol_name),
            assignment=assignments[member.id],
        )
        for member in group.members.values()
    )
    value = GroupMetadataValue(
        protocol_type=group.protocol_type or "",
        generation=group.generation,
        protocol=group.protocol_name,
        leader=group.leader,
        current_state_timestamp=group.state_since_ms,
        members=members,
    )
    return CoordinatorRecord(GroupMetadataKey(group=group.id), value, GROUP_VERSION)


def new_group_record(group: ClassicGroup) -> CoordinatorRecord:
    """A group that nobody has joined yet."""
    value = GroupMetadataValue(
        protocol_type="", generation=0, protocol=None, leader=None, current_state_timestamp=group.state_since_ms
    )
    return CoordinatorRecord(GroupMetadataKey(group=group.id), value, GROUP_VERSION)


def group_tombstone(group_id: str) -> CoordinatorRecord:
    """A group is gone."""
    return CoordinatorRecord(GroupMetadataKey(group=group_id))


def offset_record(group_id: str, topic: str, partition: int, value: OffsetCommitValue) -> CoordinatorRecord:
    """A committed offset."""
    version = OFFSET_VERSION if value.expire_timestamp == -1 else EXPIRING_OFFSET_VERSION
    return CoordinatorRecord(OffsetCommitKey(group=group_id, topic=topic, partition=partition), value, version)


def offset_tombstone(group_id: str, topic: str, partition: int) -> CoordinatorRecord:
    """A committed offset is gone."""
    return CoordinatorRecord(OffsetCommitKey(group=group_id, topic=topic, partition=partition))


def in_present_form(key: Any, value: Any) -> tuple[Any, Any]:
    """An offset of the oldest record type as the present one; any other record as it is."""
    if not isinstance(key, LegacyOffsetCommitKey):
        return key, value
    modern = OffsetCommitKey(group=key.group, topic=key.topic, partition=key.partition)
    if not isinstance(value, LegacyOffsetCommitValue):
        return modern, None
    return modern, OffsetCommitValue(
        offset=value.offset, metadata=value.metadata, commit_timestamp=value.commit_timestamp
    )
