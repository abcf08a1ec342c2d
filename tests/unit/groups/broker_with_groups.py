"""The broker in memory with its group coordinator, and group requests by name."""

from __future__ import annotations

import random
from dataclasses import replace
from types import ModuleType
from typing import Any

from broker_in_memory import BrokerInMemory

from reference_broker.apis import find_coordinator, join_group, offset_commit, offset_fetch, sync_group
from reference_broker.groups.coordinator import TOPIC, GroupCoordinator
from reference_broker.metadata.delta import MetadataDelta
from reference_broker.replication.coordinator_log import InternalTopicLog
from reference_broker.waiting import Later
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol
from reference_broker.wire.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from reference_broker.wire.messages.offset_fetch_request import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
)
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest, SyncGroupRequestAssignment
from reference_broker.wire.primitives import GroupId, TopicName

GROUP = GroupId("shop")
SUBSCRIPTION = b"\0\0\0\0\0\1\0\6orders\xff\xff\xff\xff"


class BrokerWithGroups(BrokerInMemory):
    """As the node has it: the coordinator hears of metadata after the partitions do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = GroupCoordinator(
            log=InternalTopicLog(self.partitions, TOPIC),
            config=lambda: self.node_config.current,
            topics=lambda: self.publisher.image.topics,
            random=random.Random(3),
        )
        self.publisher.subscribe(self.groups.on_metadata)
        self.groups.on_metadata(MetadataDelta(self.publisher.image), self.now)
        self.parts = replace(self.parts, broker=replace(self.broker_parts, groups=self.groups))
        self._answer: Any = None

    def restarted(self, *, is_clean: bool = True) -> BrokerWithGroups:
        if is_clean:
            self.stop()
        return BrokerWithGroups(self.disk, self.metadata, self.folders, self.settings)

    def create_offsets_topic(self) -> None:
        self.create_wanted(TOPIC)

    def wait(self, ms: int) -> None:
        end = self.now_ms + ms
        while (due := self.groups.next_deadline_ms()) is not None and due <= end:
            self.now_ms = max(due, self.now_ms)
            self.groups.on_time(self.now)
        self.now_ms = end

    def ask(self, api: ModuleType, request: Any, version: int | None = None) -> Any:
        """The answer, which may be one that the coordinator gave meanwhile; None where there is none yet."""
        result = self.call(api, request, version)
        if not isinstance(result, Later):
            return result
        self._answer = None
        result.then(lambda answer: setattr(self, "_answer", answer))
        return self._answer

    def answer(self) -> Any:
        """The last of the answers that were waited for."""
        return self._answer

    # -- requests -----------------------------------------------------------------------------------------------

    def find(self, key: str = GROUP, version: int = 6, key_type: int = 0) -> Any:
        request = (
            FindCoordinatorRequest(key=key, key_type=key_type)
            if version < 4
            else FindCoordinatorRequest(coordinator_keys=(key,), key_type=key_type)
        )
        response = self.ask(find_coordinator, request, version)
        return response if version < 4 else response.coordinators[0]

    def join(self, member_id: str = "", version: int = 9, **more: Any) -> Any:
        request = JoinGroupRequest(
            group_id=more.pop("group_id", GROUP),
            member_id=member_id,
            session_timeout_ms=more.pop("session_timeout_ms", 10_000),
            rebalance_timeout_ms=30_000,
            protocol_type="consumer",
            protocols=(JoinGroupRequestProtocol(name="range", metadata=SUBSCRIPTION),),
            **more,
        )
        return self.ask(join_group, request, version)

    def member(self) -> str:
        """The only member of a stable group in generation 1."""
        member_id: str = self.join().member_id
        self.join(member_id)
        self.wait(3_000)
        self.answer()
        self.sync(member_id)
        return member_id

    def sync(self, member_id: str, generation: int = 1, version: int = 5, **more: Any) -> Any:
        request = SyncGroupRequest(
            group_id=GROUP,
            member_id=member_id,
            generation_id=generation,
            protocol_type=more.pop("protocol_type", "consumer"),
            protocol_name="range",
            assignments=(SyncGroupRequestAssignment(member_id=member_id, assignment=b"all"),),
        )
        return self.ask(sync_group, request, version)

    def commit(self, offset: int, *, version: int = 9, group: str = GROUP, **topic: Any) -> Any:
        """OffsetCommit of partition 0 of orders."""
        indexes = topic.pop("indexes", (0,))
        if version < 10:
            topic.setdefault("name", TopicName("orders"))
        partitions = tuple(
            OffsetCommitRequestPartition(partition_index=one, committed_offset=offset) for one in indexes
        )
        request = OffsetCommitRequest(
            group_id=GroupId(group), topics=(OffsetCommitRequestTopic(partitions=partitions, **topic),)
        )
        return self.ask(offset_commit, request, version)

    def committed(self, group: str = GROUP) -> int:
        """The committed offset of partition 0 of orders."""
        topic = OffsetFetchRequestTopics(name=TopicName("orders"), partition_indexes=(0,))
        request = OffsetFetchRequest(groups=(OffsetFetchRequestGroup(group_id=GroupId(group), topics=(topic,)),))
        offset: int = self.ask(offset_fetch, request, 8).groups[0].topics[0].partitions[0].committed_offset
        return offset
