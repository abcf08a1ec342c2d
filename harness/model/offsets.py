"""Committed offsets, a dict per group. Kafka's documents: the protocol guide, KIP-496 (OffsetDelete)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from harness.model.allowed import ANY, Complaints, expect, expect_code
from harness.model.groups import Groups
from harness.model.membership import COMPLETING, EMPTY, Group, codes
from harness.model.topics import Topics
from reference_broker.wire.errors import ErrorCode

LONGEST_METADATA: Final = 4096
IDS_SINCE: Final = 10
"""First version of OffsetCommit and OffsetFetch that names topics by id."""
NOT_FOUND_SINCE: Final = 9
"""First OffsetCommit version that answers GROUP_ID_NOT_FOUND for an unknown group (KIP-848)."""
NOTHING: Final = (-1, -1, "")

Place = tuple[str, int]
Committed = tuple[int, int, str]
"""(offset, leader epoch, metadata)."""


class Offsets:
    """The committed offsets of all groups."""

    def __init__(self, topics: Topics, groups: Groups) -> None:
        self._topics, self._groups = topics, groups
        self.by_group: dict[str, dict[Place, Committed]] = {}
        self._ids: dict[str, dict[Place, bytes]] = {}
        """Group → partition → topic id at the time of the commit. Offsets of topics deleted since are not judged."""

    # -- commit -------------------------------------------------------------------------------------------------

    def committed(self, request: Any, version: int, response: Any) -> Complaints:
        """Judges the answer to an OffsetCommit, and keeps the accepted offsets."""
        answers = {
            (one.topic_id if version >= IDS_SINCE else one.name, part.partition_index): part.error_code
            for one in response.topics
            for part in one.partitions
        }
        group_codes = self._group_codes(request, version)
        places = [(one.topic_id, one.name, part.partition_index) for one in request.topics for part in one.partitions]
        if len(set(places)) < len(places):
            self._groups.group(request.group_id).is_clear = False
            return
        for wanted in request.topics:
            name = wanted.topic_id if version >= IDS_SINCE else wanted.name
            topic = self._topics.by_id(name) if version >= IDS_SINCE else self._topics.by_name.get(name)
            for part in wanted.partitions:
                where = f"OffsetCommit of {name!r}-{part.partition_index} in group {request.group_id!r}"
                code = answers.get((name, part.partition_index))
                allowed = group_codes
                if topic is None or not 0 <= part.partition_index < len(topic.logs):
                    allowed = codes(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
                    if topic is None and version >= IDS_SINCE:
                        allowed = codes(ErrorCode.UNKNOWN_TOPIC_ID)
                    elif isinstance(name, str) and name.startswith("__"):
                        allowed = ANY
                elif len(part.committed_metadata or "") > LONGEST_METADATA and allowed == codes(ErrorCode.NONE):
                    allowed = codes(ErrorCode.OFFSET_METADATA_TOO_LARGE)
                if code is None:
                    yield f"{where}: no answer for it"
                    continue
                yield from expect_code(where, code, allowed)
                if not code and topic is not None:
                    epoch = part.committed_leader_epoch if version >= 6 else -1
                    text = part.committed_metadata or ""
                    self.keep(request.group_id, topic.name, part.partition_index, part.committed_offset, epoch, text)
        if ErrorCode.OFFSET_METADATA_TOO_LARGE in answers.values() and request.group_id not in self._groups.by_id:
            # Whether a commit that is refused makes its group, no document says: Kafka keeps one until it is restarted.
            self._groups.group(request.group_id).is_clear = False

    def keep(self, group_id: str, topic: str, partition: int, offset: int, epoch: int = -1, metadata: str = "") -> None:
        """Stores an accepted commit of one partition."""
        self._groups.group(group_id).is_kept = True
        self.by_group.setdefault(group_id, {})[topic, partition] = (offset, epoch, metadata)
        self._ids.setdefault(group_id, {})[topic, partition] = self._topics.by_name[topic].id

    def _group_codes(self, request: Any, version: int) -> frozenset[int]:
        """The error codes that the group's state allows for a commit."""
        group = self._groups.by_id.get(request.group_id)
        generation = request.generation_id_or_member_epoch
        if not request.group_id or request.group_instance_id is not None or (group is not None and not group.is_clear):
            return ANY
        if group is None:
            missing = ErrorCode.GROUP_ID_NOT_FOUND if version >= NOT_FOUND_SINCE else ErrorCode.ILLEGAL_GENERATION
            return codes(ErrorCode.NONE if generation < 0 else missing)
        if generation < 0 and group.state == EMPTY:
            return codes(ErrorCode.NONE)
        if generation >= 0 or request.member_id:
            if group.member(request.member_id) is None:
                return codes(ErrorCode.UNKNOWN_MEMBER_ID)
            if generation != group.generation:
                return codes(ErrorCode.ILLEGAL_GENERATION)
        elif group.state != EMPTY:
            return codes(ErrorCode.UNKNOWN_MEMBER_ID)
        return codes(ErrorCode.REBALANCE_IN_PROGRESS if group.state == COMPLETING else ErrorCode.NONE)

    # -- fetch --------------------------------------------------------------------------------------------------

    def fetched(self, request: Any, version: int, response: Any) -> Complaints:
        """Judges the answer to an OffsetFetch."""
        if version < 8:
            asked = [(request.group_id, request.topics, response.topics, response.error_code)]
        else:
            found, ids = {one.group_id: one for one in response.groups}, [one.group_id for one in request.groups]
            if any(one.group_id not in found for one in request.groups):
                yield "OffsetFetch: a group that was asked for is missing in the answer"
                return
            asked = [
                (one.group_id, one.topics, found[one.group_id].topics, found[one.group_id].error_code)
                for one in request.groups
                if one.member_id is None and one.member_epoch == -1 and ids.count(one.group_id) == 1
            ]
        for group_id, topics, answered, code in asked:
            group = self._groups.by_id.get(group_id)
            if not group_id or (group is not None and not group.is_clear):
                continue
            where = f"OffsetFetch of group {group_id!r}"
            yield from expect_code(where, code, {0} if version >= 2 else {0, code})
            if code:
                continue
            yield from self._fetched(where, version, self.by_group.get(group_id, {}), group_id, topics, answered)

    def _fetched(
        self, where: str, version: int, own: Mapping[Place, Committed], group_id: str, asked: Any, answered: Any
    ) -> Complaints:
        found: dict[Place, tuple[int, Committed]] = {}
        for one in answered:
            name = self._name(one, version)
            for part in one.partitions:
                epoch = part.committed_leader_epoch if version >= 5 else -1
                found[name, part.partition_index] = (
                    part.error_code,
                    (part.committed_offset, epoch, part.metadata or ""),
                )
        if asked is None:
            places = [place for place in own if self._is_there(group_id, place)]
            extra = [place for place in found if place not in own and self._topics.by_name.get(place[0])]
            yield from expect(f"{where}: partitions without a committed offset", extra, [])
        else:
            places = [(self._name(one, version), index) for one in asked for index in one.partition_indexes]
        for place in places:
            if place[0] not in self._topics.by_name or (place in own and not self._is_there(group_id, place)):
                continue  # Kafka does not specify when it removes the offsets of a deleted topic
            code, committed = found.get(place, (0, None))
            yield from expect_code(f"{where}, {place[0]}-{place[1]}", code, {0})
            wanted = own.get(place, NOTHING)
            if committed is not None and version < 5:
                committed = (committed[0], wanted[1], committed[2])
            yield from expect(f"{where}, {place[0]}-{place[1]}: (offset, leader epoch, metadata)", committed, wanted)

    def _name(self, one: Any, version: int) -> str:
        if version < IDS_SINCE:
            return str(one.name)
        topic = self._topics.by_id(one.topic_id)
        return "" if topic is None else topic.name

    def _is_there(self, group_id: str, place: Place) -> bool:
        """Whether the topic still exists, with the same id as at the commit."""
        topic = self._topics.by_name.get(place[0])
        return topic is not None and topic.id == self._ids[group_id].get(place)

    # -- delete -------------------------------------------------------------------------------------------------

    def deleted(self, request: Any, version: int, response: Any) -> Complaints:
        """Judges the answer to an OffsetDelete, and removes the deleted offsets."""
        group, where = self._groups.by_id.get(request.group_id), f"OffsetDelete of group {request.group_id!r}"
        if not request.group_id or (group is not None and not group.is_clear):
            return
        if group is None or not group.is_kept:
            may = codes(ErrorCode.GROUP_ID_NOT_FOUND) | (frozenset() if group is None else ANY)
            yield from expect_code(where, response.error_code, may)
            return
        is_consumers = group.protocol_type == "consumer"
        refused = group.state != EMPTY and not is_consumers
        yield from expect_code(
            where, response.error_code, codes(ErrorCode.NON_EMPTY_GROUP if refused else ErrorCode.NONE)
        )
        if response.error_code:
            return
        answers = {
            (one.name, part.partition_index): part.error_code for one in response.topics for part in one.partitions
        }
        for place in _places(request):
            topic, code = self._topics.by_name.get(place[0]), answers.get(place, 0)
            allowed = codes(ErrorCode.NONE)
            if topic is None or not 0 <= place[1] < len(topic.logs):
                allowed = codes(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
            elif group.state != EMPTY:
                allowed |= codes(ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC)
            yield from expect_code(
                f"{where}, {place[0]}-{place[1]}", code, ANY if place[0].startswith("__") else allowed
            )
            if not code:
                self.by_group.get(request.group_id, {}).pop(place, None)

    def groups_deleted(self, request: Any, version: int, response: Any) -> Complaints:
        """Judges the answer to a DeleteGroups, and removes the deleted groups."""
        answers = {one.group_id: one.error_code for one in response.results}
        for group_id in dict.fromkeys(request.groups_names):
            group, where = self._groups.by_id.get(group_id), f"DeleteGroups of {group_id!r}"
            if group_id not in answers:
                yield f"{where}: no answer for it"
                continue
            code = answers[group_id]
            if group_id and (group is None or group.is_clear) and request.groups_names.count(group_id) == 1:
                yield from expect_code(where, code, self._deletion_codes(group))
            if not code:
                self._groups.by_id.pop(group_id, None)
                self.by_group.pop(group_id, None)

    @staticmethod
    def _deletion_codes(group: Group | None) -> frozenset[int]:
        if group is None:
            return codes(ErrorCode.GROUP_ID_NOT_FOUND)
        if group.state != EMPTY:
            return codes(ErrorCode.NON_EMPTY_GROUP)
        return codes(ErrorCode.NONE) if group.is_kept else codes(ErrorCode.NONE, ErrorCode.GROUP_ID_NOT_FOUND)


def _places(request: Any) -> Iterator[Place]:
    for topic in request.topics:
        for part in topic.partitions:
            yield topic.name, part.partition_index
