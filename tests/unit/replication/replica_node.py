"""One broker's replica of the topic, as its server would run it.

The server's part of a Fetch is done here as apis/fetch does it: through a fetch session, waiting until there is
something to tell.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memory_disk import MemoryDisk

from reference_broker.effects import Outbox
from reference_broker.environment import Now
from reference_broker.log.log_directory import LogDirectory
from reference_broker.metadata.brokers import BrokerImage
from reference_broker.metadata.topics import PartitionImage, TopicImage
from reference_broker.replication.alter_partition import AlterPartitions
from reference_broker.replication.fetch_session import FetchSessions, Found, Plan, Wanted
from reference_broker.replication.fetcher import FetcherSettings
from reference_broker.replication.fetchers import Fetchers
from reference_broker.replication.follower import Follower
from reference_broker.replication.leader import FollowerFetch, Leader
from reference_broker.replication.local_broker import LocalBroker
from reference_broker.replication.partition import Partition
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.fetch_request import FetchRequest
from reference_broker.wire.messages.fetch_response import EpochEndOffset, PartitionData
from reference_broker.wire.messages.list_offsets_request import ListOffsetsRequest
from reference_broker.wire.messages.list_offsets_response import (
    ListOffsetsPartitionResponse,
    ListOffsetsResponse,
    ListOffsetsTopicResponse,
)
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError

if TYPE_CHECKING:
    from replica_world import World

TOPIC, TOPIC_ID = "t", Uuid(b"t" * 16)
LOST_MS = 400
LAG_MS = 1000


@dataclass
class Parked:
    """A Fetch that waits at a leader."""

    plan: Plan
    request: FetchRequest
    deadline_ms: int
    answer: Callable[[Any], None]


class Node:
    """One broker's replicas."""

    def __init__(self, world: World, node_id: int, disk: MemoryDisk, broker_epoch: int) -> None:
        self.world, self.id, self.disk = world, node_id, disk
        self.outbox, self.events = Outbox(), world.events
        self.local = LocalBroker(
            node_id,
            brokers=dict(world.controller.brokers),
            broker_epoch=broker_epoch,
            replica_lag_time_max_ms=LAG_MS,
            on_event=lambda line: world.events.append(f"{node_id}: {line}"),
        )
        self.alter = AlterPartitions(self.local, self)
        settings = FetcherSettings(wait_max_ms=100, backoff_ms=50, timeout_ms=LOST_MS, max_bytes=world.fetch_bytes)
        self.fetchers = Fetchers(self.local, self.outbox, settings)
        self.sessions = FetchSessions(random=random.Random(node_id))
        self.parked: list[Parked] = []
        disk.make_directories("/data")
        self.folder = LogDirectory.open(
            disk, "/data", random=random.Random(1), on_failure=lambda *_: None, on_warning=print
        )
        log = self.folder.open_log(TOPIC, 0, TOPIC_ID, world.config)
        self.partition = Partition(
            log=log,
            local=self.local,
            alter_partitions=self.alter,
            on_truncated=self.folder.checkpoint_recovery_points,
        )
        self.next_check_ms = world.now_ms + LAG_MS // 2
        self.last_told = 0

    # -- the channel to the controller --------------------------------------------------------------------------

    def request(self, api_key: ApiKey, message: Any, then: Callable[[Any, Now], None], now: Now) -> None:
        """As ControllerChannel: it tries until the controller is reached."""
        world = self.world

        def arrive() -> None:
            if self.id in world.cut_off:
                world.after(50, arrive)
                return
            answer = world.controller.on_alter_partition(message)
            world.after(world.latency(), lambda: world.on_node(self, lambda: then(answer, world.now())))

        world.after(world.latency(), arrive)

    # -- metadata and time --------------------------------------------------------------------------------------

    def on_metadata(self, image: PartitionImage, brokers: dict[int, BrokerImage]) -> None:
        self.local.brokers = brokers
        self.partition.update(image, self.world.now())
        role = self.partition.role
        if isinstance(role, Follower):
            self.fetchers.follow(role, self.world.now())
        else:
            self.fetchers.forget((TOPIC_ID, 0))

    def next_deadline_ms(self) -> int:
        times = [self.next_check_ms, self.fetchers.next_deadline_ms(), self.alter.next_deadline_ms]
        times += [one.deadline_ms for one in self.parked]
        return min(one for one in times if one is not None)

    def on_time(self) -> None:
        now = self.world.now()
        self.fetchers.on_time(now)
        self.alter.on_time(now)
        if now.monotonic_ms >= self.next_check_ms:
            self.next_check_ms = now.monotonic_ms + LAG_MS // 2
            if isinstance(self.partition.role, Leader):
                self.partition.role.check_lag(now)
        self.look_at_parked()

    # -- requests of other brokers ------------------------------------------------------------------------------

    def serve(self, request: Any, answer: Callable[[Any], None]) -> None:
        if isinstance(request, FetchRequest):
            now = self.world.now()
            topics = {TOPIC_ID: TopicImage(TOPIC, TOPIC_ID, {})}
            follower = (request.replica_state.replica_id, request.replica_state.replica_epoch)
            plan = self.sessions.plan(request, 17, topics, follower=follower, monotonic_ms=now.monotonic_ms)
            found = [self._read(wanted, request, is_first_look=True) for wanted in plan.wanted]
            if not self._tell(plan, found, answer):
                deadline = now.monotonic_ms + request.max_wait_ms
                self.parked.append(Parked(plan, request, deadline, answer))
        else:
            answer(self._list_offsets(request))

    def _tell(self, plan: Plan, found: list[Found], answer: Callable[[Any], None], *, is_late: bool = False) -> bool:
        has_news = any(size or data.error_code or data.diverging_epoch.epoch >= 0 for _, data, size in found)
        if has_news or is_late or plan.error or not found:
            answer(plan.answer(found, (), self.world.now_ms))
            return True
        return False

    def look_at_parked(self) -> None:
        waiting, self.parked = self.parked, []
        for one in waiting:
            found = [self._read(wanted, one.request, is_first_look=False) for wanted in one.plan.wanted]
            is_late = self.world.now_ms >= one.deadline_ms
            if not self._tell(one.plan, found, one.answer, is_late=is_late):
                self.parked.append(one)

    def _read(self, wanted: Wanted, request: FetchRequest, *, is_first_look: bool) -> Found:
        ask, state = wanted.ask, request.replica_state
        fetch = FollowerFetch(
            replica_id=state.replica_id,
            broker_epoch=state.replica_epoch,
            offset=ask.fetch_offset,
            log_start_offset=ask.log_start_offset,
            epoch=ask.current_leader_epoch,
            last_fetched_epoch=ask.last_fetched_epoch,
            max_bytes=ask.partition_max_bytes,
        )
        try:
            read = self.partition.read_for_follower(fetch, self.world.now(), is_first_look=is_first_look)
        except KafkaError as error:
            return wanted, PartitionData(error_code=error.code, high_watermark=-1), 0
        segment, position = self.partition.log.place_of(ask.fetch_offset)
        diverging = EpochEndOffset(epoch=read.diverging[0], end_offset=read.diverging[1]) if read.diverging else None
        data = PartitionData(
            high_watermark=read.high_watermark,
            last_stable_offset=read.last_stable_offset,
            log_start_offset=read.log_start_offset,
            diverging_epoch=diverging or EpochEndOffset(),
            records=segment.file.read_at(position, read.size),
        )
        return wanted, data, read.size

    def _list_offsets(self, request: ListOffsetsRequest) -> ListOffsetsResponse:
        (asked,) = request.topics[0].partitions
        try:
            log = self.partition.checked_log(asked.current_leader_epoch, only_leader=True)
            offset = log.log_end_offset if asked.timestamp == -1 else log.log_start_offset
            found = ListOffsetsPartitionResponse(offset=offset)
        except KafkaError as error:
            found = ListOffsetsPartitionResponse(error_code=error.code)
        return ListOffsetsResponse(topics=(ListOffsetsTopicResponse(name=request.topics[0].name, partitions=(found,)),))
