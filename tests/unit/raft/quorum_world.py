"""A small world of quorum members in one thread: virtual time, links that can be cut, disks that can crash.

Every message goes through the codec. After each event the world checks what must always hold.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable
from typing import Any

from world_node import LISTENER, LOG_DIR, SETTINGS, BrokenPromise, WorldNode, endpoints_of, voter_of

from reference_broker.effects import Flush, Halt, PeerLost, Send
from reference_broker.environment import Now
from reference_broker.raft.frames import CommittedBatch
from reference_broker.raft.machine import Quorum
from reference_broker.raft.settings import QuorumSettings
from reference_broker.raft.snapshots import Snapshot, SnapshotId, encode_snapshot
from reference_broker.raft.store import DIRECTORY
from reference_broker.raft.voters import ReplicaKey, VoterSet
from reference_broker.waiting import Later
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.codec import decode, encode_bytes
from reference_broker.wire.messages.add_raft_voter_request import AddRaftVoterRequest, Listener
from reference_broker.wire.messages.api_versions_response import ApiVersionsResponse, SupportedFeatureKey
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.metadata_records import message_class
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.refusal import KafkaError

VERSIONS = {
    ApiKey.VOTE: 2,
    ApiKey.BEGIN_QUORUM_EPOCH: 1,
    ApiKey.END_QUORUM_EPOCH: 1,
    ApiKey.FETCH: 18,
    ApiKey.FETCH_SNAPSHOT: 1,
    ApiKey.ADD_RAFT_VOTER: 1,
    ApiKey.REMOVE_RAFT_VOTER: 0,
    ApiKey.UPDATE_RAFT_VOTER: 0,
}
CLASSES = {
    key: tuple(message_class(f"{key.name.lower()}_{kind}") for kind in ("request", "response")) for key in VERSIONS
}


class World:
    """Members by node id. `voters` begin as the storage tool would have them, or as static ones."""

    def __init__(
        self, voters: int = 3, *, seed: int = 0, is_static: bool = False, settings: QuorumSettings = SETTINGS
    ) -> None:
        self.chance = random.Random(seed)
        self.now_ms = 0
        self.events = 0
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self.lines: list[str] = []
        self.cut: dict[tuple[int, int], None] = {}
        self.loss = 0.0
        self.duplication = 0.0
        self.latency_ms = (1, 1)
        self.flush_ms = (1, 1)
        self.leaders: dict[int, int] = {}
        self.committed: dict[int, tuple[int, int, list[str]]] = {}
        self.committed_end = 0
        ids = range(1, voters + 1)
        self.bootstrap = tuple(ids)
        formed = VoterSet.of(voter_of(node_id) for node_id in ids)
        self.static_voters = (
            VoterSet.static(LISTENER, [(one.node_id, f"host{one.node_id}", 9093) for one in formed.voters])
            if is_static
            else None
        )
        self.nodes = {node_id: WorldNode(self, node_id, settings=settings) for node_id in ids}
        if not is_static:
            content = Snapshot(records=(), kraft_version=1, voters=formed.to_record())
            data = encode_snapshot(content, epoch=0, now_ms=0)
            for node in self.nodes.values():
                node.disk.make_directories(f"{LOG_DIR}/{DIRECTORY}")
                node.disk.write_atomically(f"{LOG_DIR}/{DIRECTORY}/{SnapshotId(0, 0).file_name}", data)

    def start(self) -> None:
        for node in self.nodes.values():
            node.start()

    # -- time ---------------------------------------------------------------------------------------------------

    def at(self, due_ms: int, then: Callable[[], None]) -> None:
        self.events += 1
        heapq.heappush(self._queue, (due_ms, self.events, then))

    def run_until(self, end_ms: int, is_done: Callable[[], bool] = lambda: False) -> None:
        """Let things happen until a time, or until something holds."""
        steps = 0
        while self._queue and self._queue[0][0] <= end_ms and not is_done():
            self.now_ms, _, then = heapq.heappop(self._queue)
            then()
            steps += 1
            if steps > 2_000_000:
                raise BrokenPromise("events without end")
        if not is_done():
            self.now_ms = end_ms

    def run_for(self, duration_ms: int) -> None:
        self.run_until(self.now_ms + duration_ms)

    # -- effects ------------------------------------------------------------------------------------------------

    def after_input(self, node: WorldNode) -> None:
        for effect in node.outbox.take():
            if isinstance(effect, Send):
                self._send(node, effect)
            elif isinstance(effect, Flush):
                self._flush(node, effect)
            elif isinstance(effect, Halt):
                raise BrokenPromise(f"{node.node_id} halts: {effect.reason}")
        self._check(node)
        if node.quorum is not None:
            node.wake_at(node.quorum.next_deadline_ms())

    def _delay(self) -> int:
        low, high = self.latency_ms
        return low if low == high else self.chance.randrange(low, high)

    def _flush(self, node: WorldNode, effect: Flush) -> None:
        incarnation = node.incarnation

        def flushed() -> None:
            if node.incarnation == incarnation:
                for target in effect.targets:
                    target.flush()
                node.outbox.settle(effect.token, None, node.now())
                self.after_input(node)

        low, high = self.flush_ms
        takes_ms = node.flush_ms + (low if low == high else self.chance.randrange(low, high))
        self.at(self.now_ms + takes_ms, flushed)

    def is_cut(self, source: int, target: int) -> bool:
        return (source, target) in self.cut

    def _send(self, source: WorldNode, send: Send) -> None:
        incarnation, lost_ms = source.incarnation, self.now_ms + send.timeout_ms
        is_settled: list[bool] = []

        def settle(outcome: Any) -> None:
            if not is_settled and source.incarnation == incarnation:
                is_settled.append(True)
                source.outbox.settle(send.token, outcome, source.now())
                self.after_input(source)

        target = next((one for one in self.nodes.values() if endpoints_of(one.node_id)[0].host == send.peer.host), None)
        if target is None or (target.quorum is None and not self.is_cut(source.node_id, target.node_id)):
            self.at(self.now_ms + self._delay(), lambda: settle(PeerLost("refused")))
            return
        self.at(lost_ms, lambda: settle(PeerLost("timeout")))
        payload = None
        if send.api_key is not ApiKey.API_VERSIONS:
            payload = encode_bytes(send.request, VERSIONS[send.api_key])

        def answer(message: Any) -> None:
            if send.api_key is not ApiKey.API_VERSIONS:
                kind = CLASSES[send.api_key][1]
                message = decode(kind, VERSIONS[send.api_key], encode_bytes(message, VERSIONS[send.api_key]))
            if not self.is_cut(target.node_id, source.node_id) and self.chance.random() >= self.loss:
                self.at(self.now_ms + self._delay(), lambda: settle(message))

        def arrive() -> None:
            if target.quorum is not None and not self.is_cut(source.node_id, target.node_id):
                self._deliver(source, target, send.api_key, payload, answer)

        if self.chance.random() >= self.loss:
            self.at(self.now_ms + self._delay(), arrive)
        if self.duplication and self.chance.random() < self.duplication:
            self.at(self.now_ms + self._delay() + self.chance.randrange(0, 3000), arrive)

    def _deliver(
        self,
        source: WorldNode,
        target: WorldNode,
        api_key: ApiKey,
        payload: bytes | None,
        answer: Callable[[Any], None],
    ) -> None:
        if payload is None:
            feature = SupportedFeatureKey(name="kraft.version", min_version=0, max_version=1)
            answer(ApiVersionsResponse(supported_features=(feature,)))
            return
        request = decode(CLASSES[api_key][0], VERSIONS[api_key], payload)
        assert target.quorum is not None
        result = call(target.quorum, api_key, request, target.now())
        if api_key is ApiKey.VOTE:
            self._check_vote(target, request, result)
        if isinstance(result, Later):
            incarnation = target.incarnation
            result.then(answer)

            def expire() -> None:
                if target.incarnation == incarnation and not result.is_done:
                    result.expire(target.now())
                    self.after_input(target)

            if result.deadline_ms < 1 << 60:
                self.at(result.deadline_ms - target.skew_ms, expire)
        else:
            answer(result)
        self.after_input(target)

    def _check_vote(self, target: WorldNode, request: Any, response: Any) -> None:
        if response.error_code or not response.topics[0].partitions[0].vote_granted:
            return
        asked = request.topics[0].partitions[0]
        if asked.pre_vote:
            return
        voted = target.votes.get(asked.replica_epoch)
        if voted is None or voted.node_id != asked.replica_id:
            raise BrokenPromise(f"{target.node_id} grants {asked.replica_id} a vote that it did not store: {voted}")

    # -- what must hold -----------------------------------------------------------------------------------------

    def note(self, node: WorldNode, line: str) -> None:
        self.lines.append(f"{node.node_id}: {line}")

    def note_leader(self, node: WorldNode, leader_id: int | None, epoch: int) -> None:
        """A listener hears of a leader."""

    def note_committed(self, node: WorldNode, batch: CommittedBatch, values: list[str]) -> None:
        told = (batch.last_offset, batch.epoch, values)
        known = self.committed.setdefault(batch.base_offset, told)
        if known != told:
            raise BrokenPromise(f"{node.node_id}: offset {batch.base_offset} was committed as {known}, now {told}")
        self.committed_end = max(self.committed_end, batch.last_offset + 1)

    def note_snapshot(self, node: WorldNode, snapshot_id: SnapshotId, values: list[str]) -> None:
        if values != self.values_before(snapshot_id.end_offset):
            raise BrokenPromise(f"{node.node_id}: the snapshot {snapshot_id} says {values}")

    def values_before(self, offset: int) -> list[str]:
        return [
            value
            for base, (last, _, values) in sorted(self.committed.items())
            if base < offset and last < offset
            for value in values
        ]

    def _check(self, node: WorldNode) -> None:
        quorum = node.quorum
        if quorum is None:
            return
        if quorum.high_watermark < node.high_watermark:
            raise BrokenPromise(f"{node.node_id}: high watermark {node.high_watermark} to {quorum.high_watermark}")
        node.high_watermark = quorum.high_watermark
        if quorum.is_leader:
            epoch = quorum.leader_epoch
            if self.leaders.get(epoch) is None:
                self._check_complete(node, epoch)
            if self.leaders.setdefault(epoch, node.node_id) != node.node_id:
                raise BrokenPromise(f"{node.node_id} and {self.leaders[epoch]} lead epoch {epoch}")

    def _check_complete(self, node: WorldNode, epoch: int) -> None:
        """A new leader holds every record that was ever committed."""
        store = node.store
        assert store is not None
        held = {batch.base_offset: batch for batch in store.batches(store.log_start_offset, store.end_offset)}
        for base, (last, epoch_of_batch, _) in self.committed.items():
            batch = held.get(base)
            if base >= store.log_start_offset and (
                batch is None or (batch.last_offset, batch.epoch) != (last, epoch_of_batch)
            ):
                raise BrokenPromise(f"{node.node_id} leads epoch {epoch} without the committed record at {base}")

    # -- what a test does ---------------------------------------------------------------------------------------

    def leader(self) -> WorldNode | None:
        """The member that leads the highest epoch and whose listener knows it."""
        leading = [
            node
            for node in self.nodes.values()
            if node.quorum is not None and node.quorum.is_leader and node.listener.leader_id == node.node_id
        ]
        return max(leading, key=lambda node: node.listener.leader_epoch, default=None)

    def append(self, node: WorldNode, *values: str) -> int | None:
        """Append values where a node's listener believes that it leads; None where it is refused."""
        records = [(TopicRecord(name=TopicName(value)), 0) for value in values]
        try:
            return int(node.run(lambda quorum, now: quorum.append(records, node.listener.leader_epoch, now)))
        except KafkaError:
            self.after_input(node)
            return None

    def snapshot(self, node: WorldNode) -> SnapshotId | None:
        """Write a snapshot of all that a node's listener was told."""
        offset = node.listener.next_offset
        if node.store is None or offset == 0 or offset <= node.store.log_start_offset:
            return None
        if node.quorum is not None and node.quorum._snapshots.is_running:
            return None
        epoch = next(e for b, (last, e, _) in sorted(self.committed.items(), reverse=True) if last + 1 == offset)
        records = [(TopicRecord(name=TopicName(value)), 0) for value in node.listener.values]
        node.run(lambda quorum, now: quorum.write_snapshot(records, offset - 1, epoch, now))
        return SnapshotId(offset, epoch)

    def split(self, *groups: Iterable[int]) -> None:
        """Cut all links between groups."""
        side = {node_id: at for at, group in enumerate(groups) for node_id in group}
        self.cut = {
            (a, b): None for a in self.nodes for b in self.nodes if a != b and side.get(a, -1) != side.get(b, -1)
        }

    def heal(self) -> None:
        self.cut = {}
        self.loss = self.duplication = 0.0


def call(quorum: Quorum, api_key: ApiKey, request: Any, now: Now) -> Any:
    """Hand a request to the member that it is for."""
    version = VERSIONS[api_key]
    if api_key is ApiKey.VOTE:
        return quorum.on_vote(request, version, LISTENER, now)
    if api_key is ApiKey.FETCH:
        return quorum.on_fetch(request, version, LISTENER, now)
    if api_key is ApiKey.BEGIN_QUORUM_EPOCH:
        return quorum.on_begin_quorum_epoch(request, version, LISTENER, now)
    if api_key is ApiKey.END_QUORUM_EPOCH:
        return quorum.on_end_quorum_epoch(request, version, LISTENER, now)
    if api_key is ApiKey.FETCH_SNAPSHOT:
        return quorum.on_fetch_snapshot(request, version, LISTENER, now)
    if api_key is ApiKey.ADD_RAFT_VOTER:
        return quorum.on_add_raft_voter(request, now)
    if api_key is ApiKey.REMOVE_RAFT_VOTER:
        return quorum.on_remove_raft_voter(request, now)
    return quorum.on_update_raft_voter(request, LISTENER, now)


def addition_of(key: ReplicaKey) -> AddRaftVoterRequest:
    """A request to add a member as a voter."""
    listeners = tuple(Listener(name=one.listener, host=one.host, port=one.port) for one in endpoints_of(key.node_id))
    return AddRaftVoterRequest(
        cluster_id=None, voter_id=key.node_id, voter_directory_id=key.directory_id, listeners=listeners
    )
