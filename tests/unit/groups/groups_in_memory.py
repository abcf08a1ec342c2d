"""A group coordinator on a log in memory, in virtual time, and clients that talk to it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from reference_broker.environment import Now
from reference_broker.groups.coordinator import TOPIC, GroupCoordinator
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.waiting import NEVER_MS, Later
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from reference_broker.wire.messages.offset_fetch_request import OffsetFetchRequestGroup, OffsetFetchRequestTopics
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest, SyncGroupRequestAssignment
from reference_broker.wire.primitives import GroupId, TopicName, Uuid
from reference_broker.wire.records import Batch, iter_batches, parse_batch_header, with_header
from reference_broker.wire.refusal import KafkaError

NOW = 1_700_000_000_000
NODE = 1
GROUP = GroupId("shop")
ORDERS = TopicName("orders")
ORDERS_ID = Uuid(b"o" * 16)
LATEST = 9
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": str(NODE),
    "listeners": "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.bootstrap.servers": "127.0.0.1:9093",
    "offsets.topic.num.partitions": "2",
}


def subscription(*topics: str) -> bytes:
    """What a consumer says of itself: version 0, topics, no user data."""
    names = b"".join(len(topic).to_bytes(2, "big") + topic.encode() for topic in topics)
    return b"\0\0" + len(topics).to_bytes(4, "big") + names + b"\xff\xff\xff\xff"


@dataclass
class PartitionOfTopic:
    leader: int = NODE
    leader_epoch: int = 0


@dataclass
class TopicInMemory:
    name: str
    id: Uuid
    partitions: dict[int, PartitionOfTopic]


@dataclass
class Change:
    deleted_topics: dict[Uuid, Any] = field(default_factory=dict)


@dataclass
class LogInMemory:
    """Partitions as lists of batches. With `is_held` the high watermark stays; `refusal` makes appends fail."""

    stored: dict[int, list[bytes]] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    watermarks: dict[int, int] = field(default_factory=dict)
    is_held: bool = False
    refusal: ErrorCode | None = None
    limit: int = 1_048_588
    waiting: list[Callable[[Now], None]] = field(default_factory=list)

    def batches(self, partition: int, offset: int, epoch: int) -> Iterator[Batch]:
        for raw in self.stored.get(partition, []):
            yield from (one for one in iter_batches(raw) if one.header.last_offset >= offset)

    def start_offset(self, partition: int) -> int:
        return 0

    def end_offset(self, partition: int) -> int:
        return self.ends.get(partition, 0)

    def append(self, partition: int, batch: bytes, epoch: int, now_ms: int) -> int:
        if self.refusal is not None:
            raise KafkaError(self.refusal)
        header = parse_batch_header(batch)
        first = self.ends.get(partition, 0)
        self.stored.setdefault(partition, []).append(with_header(header._replace(base_offset=first), batch[61:]))
        self.ends[partition] = first + header.records_count
        if not self.is_held:
            self.watermarks[partition] = self.ends[partition]
        return self.ends[partition] - 1

    def release(self, now: Now) -> None:
        self.watermarks.update(self.ends)
        waiting, self.waiting = self.waiting, []
        for then in waiting:
            then(now)

    def when_committed(self, partition: int, offset: int, then: Callable[[Now], None]) -> None:
        self.waiting.append(then)

    def high_watermark(self, partition: int) -> int:
        return self.watermarks.get(partition, 0)

    def max_batch_bytes(self, partition: int) -> int:
        return self.limit


@dataclass(frozen=True)
class Circumstances:
    now: Now
    api_version: int
    client_id: str | None
    client_host: str


class World:
    """A coordinator, its log and the time. `say` asks as one client; answers that come later are in `answers`."""

    def __init__(self, log: LogInMemory | None = None, now_ms: int = NOW, **settings: str) -> None:
        self.log = log or LogInMemory()
        self.now_ms = now_ms
        self.settings = settings
        named = {key.replace("_", "."): value for key, value in settings.items()}
        self.config = BrokerConfig.of(SETTINGS | {"log.dirs": "/data"} | named)
        self.topics: dict[str, TopicInMemory] = {}
        self.answers: dict[int, Any] = {}
        self._count = 0
        self._waiting: list[Later] = []
        self.groups = GroupCoordinator(
            log=self.log,
            config=lambda: self.config,
            topics=lambda: self.topics,  # type: ignore[arg-type, return-value]
            random=random.Random(7),
        )
        self.create_offsets_topic()

    def create_offsets_topic(self) -> None:
        self.topics[TOPIC] = TopicInMemory(TOPIC, Uuid(b"c" * 16), {0: PartitionOfTopic(), 1: PartitionOfTopic()})
        self.topics[ORDERS] = TopicInMemory(ORDERS, ORDERS_ID, {0: PartitionOfTopic(), 1: PartitionOfTopic()})
        self.groups.on_metadata(Change(), self.now)

    @property
    def now(self) -> Now:
        """The monotonic clock counts from another start than the wall clock."""
        return Now(self.now_ms, self.now_ms - NOW)

    def restarted(self) -> World:
        """Another coordinator on the same log, a moment later."""
        return World(self.log, self.now_ms + 1, **self.settings)

    def lead_elsewhere(self) -> None:
        """Another broker leads all of the topic now."""
        for partition in self.topics[TOPIC].partitions.values():
            partition.leader, partition.leader_epoch = NODE + 1, partition.leader_epoch + 1
        self.groups.on_metadata(Change(), self.now)

    def lead_again(self) -> None:
        """This broker leads all of the topic again."""
        for partition in self.topics[TOPIC].partitions.values():
            partition.leader, partition.leader_epoch = NODE, partition.leader_epoch + 1
        self.groups.on_metadata(Change(), self.now)

    # -- asking -------------------------------------------------------------------------------------------------

    def circumstances(self, version: int) -> Circumstances:
        self._count += 1
        return Circumstances(self.now, version, "app", "10.0.0.7")

    def ask(self, what: Any, *args: Any, version: int = LATEST, **kwargs: Any) -> int:
        """Call a method of the coordinator; the number under which the answer is, or will be, in `answers`."""
        circumstances = self.circumstances(version)
        number = self._count
        try:
            answer = what(*args, circumstances, **kwargs)
        except KafkaError as error:
            answer = error
        if isinstance(answer, Later):
            self._waiting.append(answer)
            answer.then(lambda known: self.answers.update({number: known}))
        else:
            self.answers[number] = answer
        return number

    def wait(self, ms: int) -> None:
        """Time goes by, and everything that falls due in it is done when it is due."""
        end = self.now_ms + ms
        while (due := self.groups.next_deadline_ms()) is not None and NOW + due <= end:
            self.now_ms = max(NOW + due, self.now_ms)
            self.groups.on_time(self.now)
        self.now_ms = end

    def expire(self) -> None:
        """All that waits for the commit has waited for its whole time."""
        for later in self._waiting:
            if later.deadline_ms < NEVER_MS:
                later.expire(self.now)

    def release(self) -> None:
        """Followers have caught up."""
        self.log.release(self.now)

    # -- what clients say ---------------------------------------------------------------------------------------

    def join(
        self,
        member_id: str = "",
        *,
        protocols: tuple[str, ...] = ("range",),
        topics: tuple[str, ...] = (ORDERS,),
        instance: str | None = None,
        session_ms: int = 10_000,
        rebalance_ms: int = 30_000,
        kind: str = "consumer",
        version: int = LATEST,
    ) -> int:
        request = JoinGroupRequest(
            group_id=GROUP,
            member_id=member_id,
            group_instance_id=instance,
            session_timeout_ms=session_ms,
            rebalance_timeout_ms=rebalance_ms,
            protocol_type=kind,
            protocols=tuple(JoinGroupRequestProtocol(name=name, metadata=subscription(*topics)) for name in protocols),
        )
        return self.ask(self.groups.join, request, version=version)

    def new_id(self, **options: Any) -> str:
        """A member id, given out to be used."""
        member_id: str = self.answers[self.join(**options)].member_id
        return member_id

    def sync(
        self,
        member_id: str,
        generation: int,
        parts: dict[str, bytes] | None = None,
        *,
        instance: str | None = None,
        kind: str | None = "consumer",
        name: str | None = "range",
    ) -> int:
        """SyncGroup; the leader gives every member its part."""
        request = SyncGroupRequest(
            group_id=GROUP,
            generation_id=generation,
            member_id=member_id,
            group_instance_id=instance,
            protocol_type=kind,
            protocol_name=name,
            assignments=tuple(
                SyncGroupRequestAssignment(member_id=one, assignment=part) for one, part in (parts or {}).items()
            ),
        )
        return self.ask(self.groups.sync, request, version=5)

    def heartbeat(self, member_id: str, generation: int, instance: str | None = None) -> ErrorCode:
        request = HeartbeatRequest(
            group_id=GROUP, member_id=member_id, generation_id=generation, group_instance_id=instance
        )
        return self.code(self.ask(self.groups.heartbeat, request, version=4))

    def leave(self, *members: str | tuple[str, str]) -> list[ErrorCode]:
        """Member ids, or (member id, instance id)."""
        named = [one if isinstance(one, tuple) else (one, None) for one in members]
        request = LeaveGroupRequest(
            group_id=GROUP,
            members=tuple(MemberIdentity(member_id=one, group_instance_id=instance) for one, instance in named),
        )
        number = self.ask(self.groups.leave, request, version=5, finish=lambda response: response)
        return [ErrorCode(one.error_code) for one in self.answers[number].members]

    def commit(
        self, offset: int, member_id: str = "", generation: int = -1, *, group: str = GROUP, index: int = 0, **more: Any
    ) -> int:
        partition = OffsetCommitRequestPartition(
            partition_index=index, committed_offset=offset, committed_metadata=more.pop("metadata", "")
        )
        topic = OffsetCommitRequestTopic(name=ORDERS, topic_id=ORDERS_ID, partitions=(partition,))
        version = more.pop("version", 10)
        request = OffsetCommitRequest(
            group_id=GroupId(group),
            member_id=member_id,
            generation_id_or_member_epoch=generation,
            topics=(topic,),
            **more,
        )
        return self.ask(self.groups.commit, request, version=version, finish=lambda response: response)

    def ask_committed(self, index: int = 0, *, group: str = GROUP, require_stable: bool = False) -> int:
        """OffsetFetch of one partition."""
        topic = OffsetFetchRequestTopics(name=ORDERS, topic_id=ORDERS_ID, partition_indexes=(index,))
        return self.ask(
            self.groups.fetch_offsets,
            [OffsetFetchRequestGroup(group_id=GroupId(group), topics=(topic,))],
            require_stable=require_stable,
            refused=lambda asked, code: code,
            finish=lambda groups: groups[0],
        )

    def offset_of(self, number: int) -> int | ErrorCode:
        """The committed offset of an answer, or why it is not told."""
        answer = self.answers[number]
        if isinstance(answer, ErrorCode):
            return answer
        partition = answer.topics[0].partitions[0]
        offset: int = partition.committed_offset
        return ErrorCode(partition.error_code) if partition.error_code else offset

    def committed(self, index: int = 0, *, group: str = GROUP, require_stable: bool = False) -> int | ErrorCode:
        """What OffsetFetch tells at once."""
        return self.offset_of(self.ask_committed(index, group=group, require_stable=require_stable))

    # -- what can be seen ---------------------------------------------------------------------------------------

    def code(self, number: int) -> ErrorCode:
        """The error of an answer; a commit's is that of its first partition."""
        answer = self.answers[number]
        if isinstance(answer, KafkaError):
            return answer.code
        topics = getattr(answer, "topics", None)
        return ErrorCode(topics[0].partitions[0].error_code if topics else answer.error_code)

    def is_answered(self, number: int) -> bool:
        return number in self.answers

    def described(self, group: str = GROUP, version: int = 6) -> Any:
        number = self.ask(self.groups.describe_groups, [group], version=version, finish=lambda found: found[0])
        return self.answers[number]

    @property
    def state(self) -> str:
        state: str = self.described().group_state
        return state

    def group_ids(self) -> list[str]:
        number = self.ask(self.groups.list_groups, [], [], finish=lambda found: [one.group_id for one in found])
        found: list[str] = self.answers[number]
        return found

    # -- whole stories ------------------------------------------------------------------------------------------

    def stable_pair(self) -> tuple[str, str]:
        """Two members of a stable group in generation 1; the first leads."""
        leader, follower = self.new_id(), self.new_id()
        self.join(leader)
        self.join(follower)
        self.wait(6_000)
        self.sync(follower, 1)
        self.sync(leader, 1, {leader: b"orders-0", follower: b"orders-1"})
        return leader, follower

    def stable_static_pair(self) -> tuple[str, str]:
        """The same with the instances one and two."""
        asked = [self.join(instance="one"), self.join(instance="two")]
        self.wait(6_000)
        leader, follower = (self.answers[number].member_id for number in asked)
        self.sync(follower, 1, instance="two")
        self.sync(leader, 1, {leader: b"orders-0", follower: b"orders-1"}, instance="one")
        return leader, follower
