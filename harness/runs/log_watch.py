"""Watches the two ends of one partition all along, appends to it, and records both for `judging.retention`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from harness.clients.client import ClientTrouble
from harness.clients.stepped.leaders import EARLIEST, LATEST, TROUBLE, Leaders
from harness.hosts.executor import current
from harness.judging.outcome import require
from harness.judging.retention.judge import require_legal
from harness.judging.retention.log_history import (
    NO_TIMESTAMP,
    Append,
    Break,
    Change,
    Cut,
    Doubt,
    Limits,
    LogHistory,
    Look,
    Rules,
)
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_records_request import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import BrokerId, TopicName
from reference_broker.wire.records import Record, encode_batch

DAY_MS: Final = 86_400_000
CONSUMER: Final = -1
DEBUGGER: Final = -2
"""A replica id that a follower answers as well as a leader."""
_PRODUCE, _FETCH, _LIST_OFFSETS, _DELETE_RECORDS = 9, 12, 6, 2
_TIMEOUT_MS: Final = 15_000
_NOT_LED: Final = (ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
_LEADS_WITHIN_NS: Final = 10_000_000_000
_SETTLES_MS: Final = 1_000
"""How long after it was answered a change of settings may come to the log."""
_SLACK_MS: Final = 3_000
_VIRTUAL_SLACK_MS: Final = 100


def rules(*, segment_ms: int = 7 * DAY_MS, segment_bytes: int = 1 << 30, has_exact_segments: bool = True) -> Rules:
    """For a log with these settings, on a broker with the settings that every target has."""
    return Rules(
        check_interval_ms=1_000,
        initial_delay_ms=500,
        slack_ms=_VIRTUAL_SLACK_MS if current().is_virtual else _SLACK_MS,
        segment_bytes=segment_bytes,
        segment_ms=segment_ms,
        has_exact_segments=has_exact_segments,
    )


@dataclass(frozen=True, slots=True)
class Told:
    """The part of an answer that is about the partition, and the time of the request and of the answer."""

    part: Any
    began_ms: int
    ended_ms: int

    @property
    def error(self) -> ErrorCode:
        """Its error."""
        return ErrorCode(self.part.error_code)


class LogWatch:
    """A context in which partition 0 of a topic is watched by a task of its own; `history` is what it has seen.

    With `follower`, the address of a node, it is this node's replica that is asked for its ends.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        history: LogHistory,
        *,
        every_s: float = 0.05,
        follower: tuple[str, int] | None = None,
    ) -> None:
        self.topic, self.history = topic, history
        self._executor = current()
        self._every_s = every_s
        self._replica = CONSUMER if follower is None else DEBUGGER
        self._leaders = Leaders(self._executor, bootstrap, "watch", timeout_s=5.0)
        self._follower = follower
        self._own = Leaders(self._executor, bootstrap, "watch-producer")
        self._ends = self._executor.signal()
        self._task: Any = None

    def __enter__(self) -> Self:
        self._task = self._executor.start(f"watch of {self.topic}", self._watch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self._task.join(30.0)
        self._own.forget()
        self._leaders.forget()

    def require_legal(self) -> None:
        """BrokenPromise with the first wrong of what was seen; Unproven where that is too little."""
        require_legal(self.history, f"{self.topic}-0")

    # -- looking ------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while not self._ends.is_set():
            try:
                await self._look()
            except (*TROUBLE, ClientTrouble):
                self._leaders.forget()
            await self._ends.wait(self._every_s)

    async def _look(self) -> None:
        start = await self._listed(EARLIEST)
        if self._follower is not None:
            return
        end = await self._listed(LATEST)
        for offset in dict.fromkeys((start - 1, start, end, end + 1)):
            if offset >= 0:
                await self._fetched(offset)

    async def _listed(self, timestamp: int) -> int:
        asked = ListOffsetsPartition(partition_index=0, timestamp=timestamp)
        request = ListOffsetsRequest(
            replica_id=BrokerId(self._replica),
            topics=(ListOffsetsTopic(name=TopicName(self.topic), partitions=(asked,)),),
        )
        told = await self._asked(ApiKey.LIST_OFFSETS, _LIST_OFFSETS, request)
        if told.error:
            raise ClientTrouble(f"ListOffsets: {told.error.name}")
        offset, span = int(told.part.offset), {"began_ms": told.began_ms, "ended_ms": told.ended_ms}
        if timestamp == EARLIEST:
            self.history.looks.append(Look(**span, asked="ListOffsets earliest", start=offset))
        else:
            self.history.looks.append(Look(**span, asked="ListOffsets latest", end=offset))
        return offset

    async def _fetched(self, offset: int) -> None:
        """A Fetch of as little as can be."""
        wanted = FetchPartition(partition=0, fetch_offset=offset, partition_max_bytes=1)
        topic = FetchTopic(topic=TopicName(self.topic), partitions=(wanted,))
        request = FetchRequest(max_wait_ms=0, min_bytes=1, max_bytes=1, topics=(topic,))
        told = await self._asked(ApiKey.FETCH, _FETCH, request)
        span: dict[str, Any] = {"began_ms": told.began_ms, "ended_ms": told.ended_ms, "asked": f"Fetch from {offset}"}
        if told.error is ErrorCode.OFFSET_OUT_OF_RANGE:
            self.history.looks.append(Look(**span, refused_at=offset))
        elif told.error:
            raise ClientTrouble(f"Fetch: {told.error.name}")
        else:
            start, end = int(told.part.log_start_offset), int(told.part.high_watermark)
            self.history.looks.append(Look(**span, answered_at=offset, start=start, end=end))

    async def _asked(self, api_key: ApiKey, version: int, request: Any) -> Told:
        leaders = self._leaders
        if self._follower is None:
            connection = await leaders.leader(self.topic, 0)
        else:
            connection = await leaders.at(self._follower)
        spoken = await connection.highest(api_key, version)
        began_ms = self._executor.wall_ms()
        answer = await connection.request(api_key, spoken, request)
        ended_ms = self._executor.wall_ms()
        of_topic = (answer.responses if api_key is ApiKey.FETCH else answer.topics)[0]
        return Told(of_topic.partitions[0], began_ms, ended_ms)

    # -- acting -------------------------------------------------------------------------------------------------

    def append(self, *timestamps: int, size: int = 100) -> Append:
        """Appends one batch with acks=all, a record of `size` bytes for each timestamp. ClientTrouble where it is not
        acknowledged."""
        records = [Record(index, at, None, bytes(size)) for index, at in enumerate(timestamps)]
        data = encode_batch(records)
        part = PartitionProduceData(index=0, records=memoryview(data))
        topic = TopicProduceData(name=TopicName(self.topic), partition_data=(part,))
        request = ProduceRequest(acks=-1, timeout_ms=_TIMEOUT_MS, topic_data=(topic,))
        answer, began_ms = self._sent(ApiKey.PRODUCE, _PRODUCE, request, len(records))
        if answer.error_code:
            raise ClientTrouble(f"Produce to {self.topic}: {ErrorCode(answer.error_code).name}")
        base, appended_ms = int(answer.base_offset), int(answer.log_append_time_ms)
        batch = Append(
            began_ms=began_ms,
            ended_ms=self._executor.wall_ms(),
            base_offset=base,
            last_offset=base + len(records) - 1,
            size=len(data),
            max_timestamp=max(timestamps) if appended_ms < 0 else appended_ms,
        )
        self.history.appends.append(batch)
        return batch

    def append_now(self, *, ahead_ms: int = 0, size: int = 100) -> Append:
        """Appends one record of this moment, or of one after it."""
        return self.append(self._executor.wall_ms() + ahead_ms, size=size)

    def append_without_time(self) -> Append:
        """Appends one record without a timestamp."""
        return self.append(NO_TIMESTAMP)

    def delete_records(self, before: int) -> int:
        """DeleteRecords below an offset; the low watermark. BrokenPromise where it is refused."""
        wanted = DeleteRecordsPartition(partition_index=0, offset=before)
        topic = DeleteRecordsTopic(name=TopicName(self.topic), partitions=(wanted,))
        request = DeleteRecordsRequest(topics=(topic,), timeout_ms=_TIMEOUT_MS)
        answer, began_ms = self._sent(ApiKey.DELETE_RECORDS, _DELETE_RECORDS, request)
        require(ErrorCode(answer.error_code).name, "NONE", f"the answer to DeleteRecords below {before}")
        low = int(answer.low_watermark)
        cut = Cut(began_ms=began_ms, ended_ms=self._executor.wall_ms(), offset=max(before, low), low_watermark=low)
        self.history.cuts.append(cut)
        return low

    def _sent(self, api_key: ApiKey, version: int, request: Any, records: int = 0) -> tuple[Any, int]:
        """(the part of the leader's answer that is about the partition, when it was asked). Asks again while a new
        leader does not know yet that it leads, as clients do."""

        async def send() -> tuple[Any, int]:
            connection = await self._own.leader(self.topic, 0)
            spoken = await connection.highest(api_key, version)
            began_ms = self._executor.wall_ms()
            answer = await connection.request(api_key, spoken, request, timeout_s=_TIMEOUT_MS / 1000 + 5)
            if api_key is ApiKey.PRODUCE:
                return answer.responses[0].partition_responses[0], began_ms
            return answer.topics[0].partitions[0], began_ms

        deadline_ns = self._executor.now_ns() + _LEADS_WITHIN_NS
        while True:
            try:
                part, began_ms = self._executor.run(send())
            except TROUBLE as trouble:
                self._own.forget()
                raise ClientTrouble(f"the leader of {self.topic}: {trouble}") from trouble
            if part.error_code not in _NOT_LED or self._executor.now_ns() > deadline_ns:
                return part, began_ms
            if api_key is ApiKey.PRODUCE and part.error_code == ErrorCode.NOT_LEADER_OR_FOLLOWER:
                doubt = Doubt(began_ms=began_ms, ended_ms=self._executor.wall_ms(), records=records)
                self.history.doubts.append(doubt)
            self._own.forget()
            self._executor.sleep(0.1)

    # -- what others do -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def changing(self, limits: Limits) -> Iterator[None]:
        """In the block, the log gets other limits."""
        began_ms = self._executor.wall_ms()
        yield
        ended_ms = self._executor.wall_ms() + _SETTLES_MS
        self.history.changes.append(Change(began_ms=began_ms, ended_ms=ended_ms, value=limits))

    @contextlib.contextmanager
    def moving_clock(self, ahead_ms: int, *, is_broken: bool = True) -> Iterator[None]:
        """In the block, the broker's wall clock is set; the broker may be restarted for that (`is_broken`)."""
        with self.broken("its clock is set") if is_broken else contextlib.nullcontext():
            began_ms = self._executor.wall_ms()
            yield
            ended_ms = self._executor.wall_ms() + _SETTLES_MS
        self.history.clock.append(Change(began_ms=began_ms, ended_ms=ended_ms, value=ahead_ms))

    @contextlib.contextmanager
    def broken(self, words: str, *, forgets: bool = False, forgets_cuts: bool = False) -> Iterator[None]:
        """In the block, the broker may be gone, or another may come to lead."""
        began_ms = self._executor.wall_ms()
        yield
        self._own.forget()
        ended_ms = self._executor.wall_ms()
        self.history.breaks.append(
            Break(began_ms=began_ms, ended_ms=ended_ms, words=words, forgets=forgets, forgets_cuts=forgets_cuts)
        )
