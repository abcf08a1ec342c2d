"""The groups and offsets of one partition of __consumer_offsets: decides on requests, replays records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from reference_broker.coordinator.shard import NOTHING, CoordinatorRecord, Decision, ShardServices
from reference_broker.environment import Now, Random
from reference_broker.groups.classic_group import ClassicGroup, State
from reference_broker.groups.joining import Joining
from reference_broker.groups.membership import Membership
from reference_broker.groups.offset_requests import OffsetRequests
from reference_broker.groups.offsets import Offsets
from reference_broker.groups.rebalance import Groups, Rebalance
from reference_broker.groups.records import group_tombstone, in_present_form
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.state_machine.timeline import Timeline
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_groups_response import DeletableGroupResult
from reference_broker.wire.messages.describe_groups_response import DescribedGroup
from reference_broker.wire.messages.group_metadata_key import GroupMetadataKey
from reference_broker.wire.messages.group_metadata_value import GroupMetadataValue
from reference_broker.wire.messages.list_groups_response import ListedGroup
from reference_broker.wire.messages.offset_commit_key import OffsetCommitKey
from reference_broker.wire.primitives import GroupId
from reference_broker.wire.refusal import KafkaError

CLASSIC: Final = "classic"
NOT_FOUND_TOLD_SINCE: Final = 6
"""DescribeGroups says from this version on that a group is unknown; before it is a dead group (KIP-1043)."""


class GroupShard:
    """One partition's groups. `joining`, `membership` and `offsets` decide; only `replay` changes what is kept."""

    def __init__(self, services: ShardServices, config: Callable[[], BrokerConfig], random: Random) -> None:
        self.groups: Groups = Timeline()
        self._offsets = Offsets()
        self._services, self._config = services, config
        self._rebalance = Rebalance(self.groups, services, config)
        self.joining = Joining(self.groups, self._rebalance, services, config, random)
        self.membership = Membership(self.groups, self._rebalance, services)
        self.offsets = OffsetRequests(self.groups, self._offsets, self._rebalance, config)

    # -- replay -------------------------------------------------------------------------------------------------

    def replay(self, record: CoordinatorRecord, offset: int, producer_id: int) -> None:
        """Apply one record."""
        key, value = in_present_form(record.key, record.value)
        if isinstance(key, OffsetCommitKey):
            if value is not None and key.group not in self.groups:
                self.groups[key.group] = ClassicGroup(key.group, value.commit_timestamp)
            self._offsets.replay(key, value, offset, producer_id)
        elif isinstance(key, GroupMetadataKey):
            if isinstance(value, GroupMetadataValue):
                self.groups[key.group] = ClassicGroup.loaded(key.group, value)
            else:
                self.groups.pop(key.group, None)

    def replay_marker(self, producer_id: int, *, is_commit: bool) -> None:
        """A transaction that committed offsets has ended."""
        self._offsets.replay_marker(producer_id, is_commit=is_commit)

    def mark(self) -> Any:
        """Groups and offsets as records have made them; the members of a group live only in memory."""
        return self.groups.mark(), self._offsets.mark()

    def restore(self, mark: Any) -> None:
        """Be as at a mark."""
        groups, offsets = mark
        self.groups.restore(groups)
        self._offsets.restore(offsets)

    def on_loaded(self, now: Now) -> Iterable[Decision]:
        """Every member gets a new session; a group that is over its size must rebalance; expiry is due in a while."""
        limit = self._config().number("group.max.size")
        for group in list(self.groups.values()):
            for member in group.members.values():
                self._rebalance.renew_session(group, member, now)
            if len(group.members) > limit:
                yield self._rebalance.prepare(group, now)
        self._schedule_expiry(now)

    def on_unloaded(self) -> None:
        """Tell everybody who waits that the coordinator is elsewhere."""
        for group in self.groups.values():
            self._rebalance.dismiss(group)

    # -- expiry -------------------------------------------------------------------------------------------------

    def _schedule_expiry(self, now: Now) -> None:
        interval_ms = self._config().number("offsets.retention.check.interval.ms")
        self._services.timers.after(("expiry",), interval_ms, now, self._expire)

    def _expire(self, now: Now) -> Decision:
        """Tombstones for offsets whose time is over, and for empty groups that have none left."""
        self._schedule_expiry(now)
        records: list[CoordinatorRecord] = []
        for group in self.groups.values():
            tombstones, has_none_left = self.offsets.expired(group, now.wall_ms)
            records += tombstones
            if has_none_left and group.state is State.EMPTY:
                records.append(group_tombstone(group.id))
        return Decision(tuple(records), is_atomic=False) if records else NOTHING

    def forget_topics(self, topics: Iterable[tuple[str, bytes]]) -> Decision:
        """Tombstones for the offsets of topics (name, id) that were deleted."""
        records = [one for name, topic_id in topics for one in self.offsets.tombstones_of_topic(name, topic_id)]
        return Decision(tuple(records), is_atomic=False)

    # -- administration -----------------------------------------------------------------------------------------

    def listed(self, states: frozenset[str], types: frozenset[str]) -> Iterator[ListedGroup]:
        """The groups whose state and type are asked for (lower case); an empty filter asks for all."""
        if types and CLASSIC not in types:
            return
        for group in self.groups.values():
            if not states or group.state.value.lower() in states:
                yield ListedGroup(
                    group_id=GroupId(group.id),
                    protocol_type=group.protocol_type or "",
                    group_state=group.state.value,
                    group_type=CLASSIC,
                )

    def describe(self, group_id: GroupId, version: int) -> DescribedGroup:
        """A group with its members; their metadata is told only while the group is stable."""
        group = self.groups.get(group_id)
        if group is None:
            if version < NOT_FOUND_TOLD_SINCE:
                return DescribedGroup(group_id=group_id, group_state=State.DEAD.value)
            return DescribedGroup(
                error_code=ErrorCode.GROUP_ID_NOT_FOUND,
                error_message=f"Group {group_id} not found.",
                group_id=group_id,
                group_state=State.DEAD.value,
            )
        protocol = group.protocol_name if group.state is State.STABLE else None
        return DescribedGroup(
            group_id=group_id,
            group_state=group.state.value,
            protocol_type=group.protocol_type or "",
            protocol_data=protocol or "",
            members=tuple(member.as_described(protocol) for member in group.members.values()),
        )

    def decide_deletion(self, group_ids: Iterable[GroupId]) -> Decision:
        """Groups that are empty go with all their offsets; the others are refused one by one."""
        records: list[CoordinatorRecord] = []
        results = []
        for group_id in group_ids:
            try:
                records += self._deletion_of(group_id)
                results.append(DeletableGroupResult(group_id=group_id))
            except KafkaError as error:
                results.append(DeletableGroupResult(group_id=group_id, error_code=error.code))
        return Decision(tuple(records), results)

    def _deletion_of(self, group_id: str) -> list[CoordinatorRecord]:
        group = self.groups.get(group_id)
        if group is None:
            raise KafkaError(ErrorCode.GROUP_ID_NOT_FOUND)
        if group.state is not State.EMPTY:
            raise KafkaError(ErrorCode.NON_EMPTY_GROUP)
        return [*self.offsets.tombstones_of(group_id), group_tombstone(group_id)]
