"""A leader's answers to those who replicate its log: Fetch, FetchSnapshot, and DescribeQuorum (KIP-595, KIP-630).

A fetch says how far the follower's log reaches, all of it on stable storage; so it is also the acknowledgement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from reference_broker.environment import Now
from reference_broker.raft import messages
from reference_broker.raft.leader import Leader
from reference_broker.raft.member import Member
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.raft.voters import ReplicaKey
from reference_broker.waiting import Later
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages import fetch_snapshot_response
from reference_broker.wire.messages.fetch_request import FetchRequest
from reference_broker.wire.messages.fetch_response import FetchResponse
from reference_broker.wire.messages.fetch_snapshot_request import FetchSnapshotRequest
from reference_broker.wire.messages.fetch_snapshot_response import FetchSnapshotResponse
from reference_broker.wire.refusal import KafkaError

FORMATTED = SnapshotId(0, 0)
"""The snapshot that the storage tool wrote. It is each node's own: the first leader puts it into the log."""


class _ParkedFetch(Struct, frozen=True):
    later: Later
    offset: int
    max_bytes: int
    version: int
    listener: str


class Serving:
    """`advance` is called when a fetch may have moved the high watermark."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._parked: list[_ParkedFetch] = []
        self.advance: Callable[[Leader, Now], None] = lambda leader, now: None

    def refusal(self, epoch: int) -> int:
        """Why a request that only the leader of `epoch` may answer is refused; 0 where it is not."""
        member = self._member
        if epoch != member.epoch:
            return ErrorCode.FENCED_LEADER_EPOCH if epoch < member.epoch else ErrorCode.UNKNOWN_LEADER_EPOCH
        if not isinstance(member.role, Leader):
            return ErrorCode.NOT_LEADER_OR_FOLLOWER
        return ErrorCode.BROKER_NOT_AVAILABLE if member.is_shutting_down else ErrorCode.NONE

    # -- Fetch --------------------------------------------------------------------------------------------------

    def on_fetch(self, request: FetchRequest, version: int, listener: str, now: Now) -> FetchResponse | Later:
        """The next batches; at once where there is news, else once there is some or the follower's time is over."""
        member = self._member
        if request.cluster_id is not None and request.cluster_id != member.identity.cluster_id:
            return FetchResponse(error_code=ErrorCode.INCONSISTENT_CLUSTER_ID)
        asked: Any = messages.only_fetched(request.topics)
        if asked is None or asked.partition != 0:
            return FetchResponse(error_code=ErrorCode.INVALID_REQUEST)
        replica_id = request.replica_state.replica_id if version >= 15 else request.replica_id
        is_valid = 0 <= asked.last_fetched_epoch <= asked.current_leader_epoch and replica_id != member.node_id
        if request.max_wait_ms < 0 or asked.fetch_offset < 0 or not is_valid:
            error: int = ErrorCode.INVALID_REQUEST
        else:
            error = self.refusal(asked.current_leader_epoch)
        if error:
            return messages.make_fetch_response(member, version, listener, error=error)
        leader = member.role
        assert isinstance(leader, Leader)
        snapshot, diverging = self._elsewhere(asked.fetch_offset, asked.last_fetched_epoch)
        if snapshot is not None or diverging is not None:
            mark = member.high_watermark if leader.is_established else -1
            return messages.make_fetch_response(
                member, version, listener, high_watermark=mark, snapshot=snapshot, diverging=diverging
            )
        if replica_id >= 0:
            key = ReplicaKey(replica_id, asked.replica_directory_id)
            leader.note_fetch(key, asked.fetch_offset, member.store.end_offset, now)
            self.advance(leader, now)
        has_records = asked.fetch_offset < member.store.end_offset
        has_news = leader.is_established and asked.high_watermark < member.high_watermark
        if has_records or has_news or request.max_wait_ms == 0:
            return self._batches(leader, asked.fetch_offset, request.max_bytes, version, listener)
        return self._park(asked.fetch_offset, request, version, listener, now)

    def _elsewhere(self, offset: int, epoch: int) -> tuple[SnapshotId | None, tuple[int, int] | None]:
        """A snapshot, or (epoch, end offset) where the logs part, if the follower cannot go on from its log's end."""
        store = self._member.store
        latest, earliest = store.latest_snapshot, store.earliest_snapshot
        if offset == 0 and latest is not None and latest != FORMATTED:
            return latest, None
        if offset == 0 and store.log_start_offset == 0:
            return None, None
        if earliest is not None:
            start = store.log_start_offset
            is_start = offset == start and epoch == earliest.epoch
            if offset < start or (offset == start and not is_start) or epoch < earliest.epoch:
                return latest, None
        found, end_offset = store.end_offset_for_epoch(epoch)
        if found != epoch or end_offset < offset:
            return None, (found, end_offset)
        return None, None

    def _batches(self, leader: Leader, offset: int, max_bytes: int, version: int, listener: str) -> FetchResponse:
        member = self._member
        mark = member.high_watermark if leader.is_established else -1
        records = member.store.read(offset, max_bytes) if offset < member.store.end_offset else b""
        return messages.make_fetch_response(member, version, listener, high_watermark=mark, records=records)

    def _park(self, offset: int, request: FetchRequest, version: int, listener: str, now: Now) -> Later:
        parked: _ParkedFetch

        def expire(now: Now) -> Any:
            self._parked = [one for one in self._parked if one is not parked]
            return self._answer(parked)

        later = Later(now.monotonic_ms + request.max_wait_ms, expire)
        parked = _ParkedFetch(later, offset, request.max_bytes, version, listener)
        self._parked = [one for one in self._parked if not one.later.is_done]  # of connections that are gone
        self._parked.append(parked)
        return later

    def _answer(self, parked: _ParkedFetch) -> FetchResponse:
        member = self._member
        if isinstance(member.role, Leader):
            return self._batches(member.role, parked.offset, parked.max_bytes, parked.version, parked.listener)
        error = ErrorCode.NOT_LEADER_OR_FOLLOWER
        return messages.make_fetch_response(member, parked.version, parked.listener, error=error)

    def answer_parked(self) -> None:
        """The log has grown, the high watermark moved, or the member leads no longer."""
        parked, self._parked = self._parked, []
        for one in parked:
            one.later.complete(self._answer(one))

    # -- FetchSnapshot ------------------------------------------------------------------------------------------

    def on_fetch_snapshot(
        self, request: FetchSnapshotRequest, version: int, listener: str, now: Now
    ) -> FetchSnapshotResponse:
        """Some bytes of a snapshot."""
        member = self._member
        if request.cluster_id is not None and request.cluster_id != member.identity.cluster_id:
            return FetchSnapshotResponse(error_code=ErrorCode.INCONSISTENT_CLUSTER_ID)
        if len(request.topics) != 1 or len(request.topics[0].partitions) != 1:
            return FetchSnapshotResponse(error_code=ErrorCode.INVALID_REQUEST)
        asked = request.topics[0].partitions[0]
        snapshot_id = SnapshotId(asked.snapshot_id.end_offset, asked.snapshot_id.epoch)
        total, data = 0, b""
        if request.topics[0].name != messages.NAME or asked.partition != 0:
            error: int = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        elif error := self.refusal(asked.current_leader_epoch):
            pass
        elif snapshot_id == FORMATTED:
            error = ErrorCode.SNAPSHOT_NOT_FOUND
        else:
            try:
                total, data = member.store.snapshot_bytes(snapshot_id, asked.position, request.max_bytes)
            except KafkaError as refused:
                error = refused.code
        assert error or isinstance(member.role, Leader)
        if not error and isinstance(member.role, Leader):
            member.role.note_contact(ReplicaKey(request.replica_id, asked.replica_directory_id), now)
        module = fetch_snapshot_response
        partition = module.PartitionSnapshot(
            index=asked.partition,
            error_code=error,
            snapshot_id=module.SnapshotId()
            if error
            else module.SnapshotId(end_offset=snapshot_id.end_offset, epoch=snapshot_id.epoch),
            current_leader=module.LeaderIdAndEpoch(leader_id=messages.leader_id_of(member), leader_epoch=member.epoch),
            size=total,
            position=0 if error else asked.position,
            unaligned_records=data,
        )
        return FetchSnapshotResponse(
            topics=(module.TopicSnapshot(name=request.topics[0].name, partitions=(partition,)),),
            node_endpoints=messages.leader_nodes(module.NodeEndpoint, member, listener, version),
        )
