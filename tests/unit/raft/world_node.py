"""One member of a world: its disk stays, its process comes and goes; and the listener that it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from crashing_disk import CrashingDisk

from reference_broker.effects import Outbox
from reference_broker.environment import Now
from reference_broker.raft.frames import CommittedBatch
from reference_broker.raft.machine import Quorum
from reference_broker.raft.quorum_state import QuorumState
from reference_broker.raft.settings import Identity, QuorumSettings, StoreSettings
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.raft.store import MetadataStore
from reference_broker.raft.voters import ReplicaKey, Voter, VoterEndpoint
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import Uuid

if TYPE_CHECKING:
    from quorum_world import World

CLUSTER = "a-cluster"
LISTENER = "CONTROLLER"
LOG_DIR = "/data"
WALL_START_MS = 1_800_000_000_000
SETTINGS = QuorumSettings(append_linger_ms=0)


class BrokenPromise(AssertionError):
    """Something that must always hold does not."""


def endpoints_of(node_id: int) -> tuple[VoterEndpoint, ...]:
    return (VoterEndpoint(LISTENER, f"host{node_id}", 9093),)


def voter_of(node_id: int, directory: int = 0) -> Voter:
    return Voter(key=ReplicaKey(node_id, directory_of(node_id, directory)), endpoints=endpoints_of(node_id))


def directory_of(node_id: int, directory: int = 0) -> Uuid:
    return Uuid(bytes([node_id, directory]) * 8)


def value_of(record: VersionedRecord) -> str:
    message, _ = record
    return str(message.name)


class Follows:
    """A listener: the values it was told, and who leads."""

    def __init__(self, node: WorldNode) -> None:
        self._node = node
        self.values: list[str] = []
        self.next_offset = 0
        self.leader_id: int | None = None
        self.leader_epoch = -1

    def on_commit(self, batches: Iterable[CommittedBatch], now: Now) -> None:
        for batch in batches:
            if batch.base_offset != self.next_offset:
                raise BrokenPromise(f"{self._node.node_id}: told {batch.base_offset} after {self.next_offset}")
            self.next_offset = batch.last_offset + 1
            values = [value_of(record) for record in batch.records]
            self.values += values
            self._node.world.note_committed(self._node, batch, values)

    def on_snapshot(self, snapshot_id: SnapshotId, records: Iterable[VersionedRecord], now: Now) -> None:
        self.values = [value_of(record) for record in records]
        self.next_offset = snapshot_id.end_offset
        self._node.world.note_snapshot(self._node, snapshot_id, self.values)

    def on_leader(self, leader_id: int | None, epoch: int, now: Now) -> None:
        self.leader_id, self.leader_epoch = leader_id, epoch
        self._node.world.note_leader(self._node, leader_id, epoch)


class WorldNode:
    """One member: its disk stays, its process comes and goes."""

    def __init__(self, world: World, node_id: int, *, directory: int = 0, settings: QuorumSettings = SETTINGS) -> None:
        self.world, self.node_id, self.settings = world, node_id, settings
        self.disk = CrashingDisk()
        self.directory = directory
        self.quorum: Quorum | None = None
        self.store: MetadataStore | None = None
        self.outbox = Outbox()
        self.listener = Follows(self)
        self.incarnation = 0
        self.skew_ms = 0
        self.flush_ms = 0
        """How long a flush takes on top of what the world says."""
        self._wake_ms = -1
        self.high_watermark = -1
        self.votes: dict[int, ReplicaKey] = {}

    @property
    def key(self) -> ReplicaKey:
        return ReplicaKey(self.node_id, directory_of(self.node_id, self.directory))

    def now(self) -> Now:
        return Now(WALL_START_MS + self.world.now_ms, self.world.now_ms + self.skew_ms)

    def start(self) -> None:
        self.incarnation += 1
        self.high_watermark, self._wake_ms = -1, -1
        self.outbox, self.listener = Outbox(), Follows(self)
        now = self.now()
        self.store = MetadataStore.open(
            disk=self.disk,
            metadata_log_dir=LOG_DIR,
            settings=StoreSettings(),
            now_ms=now.wall_ms,
            static_voters=self.world.static_voters,
        )
        self._watch_votes(self.store)
        self.quorum = Quorum.open(
            store=self.store,
            identity=Identity(
                key=self.key, cluster_id=CLUSTER, listener=LISTENER, endpoints=endpoints_of(self.node_id)
            ),
            settings=self.settings,
            bootstrap_servers=[
                (one.host, one.port) for node_id in self.world.bootstrap for one in endpoints_of(node_id)
            ],
            random=self.world.chance,
            outbox=self.outbox,
            log=lambda level, line: self.world.note(self, line),
            now=now,
        )
        self.quorum.add_listener(self.listener, now)
        self.world.after_input(self)

    def _watch_votes(self, store: MetadataStore) -> None:
        write = store.write_quorum_state

        def watched(state: QuorumState) -> None:
            if state.voted_id >= 0:
                voted = ReplicaKey(state.voted_id, state.voted_directory_id)
                before = self.votes.setdefault(state.leader_epoch, voted)
                if before.node_id != voted.node_id:
                    raise BrokenPromise(f"{self.node_id} votes for {before} and {voted} in epoch {state.leader_epoch}")
            write(state)

        store.write_quorum_state = watched  # type: ignore[method-assign]

    def crash(self) -> None:
        self.quorum = self.store = None
        self.incarnation += 1
        self.disk.crash(self.world.chance)

    def run(self, then: Callable[[Quorum, Now], Any]) -> Any:
        assert self.quorum is not None
        result = then(self.quorum, self.now())
        self.world.after_input(self)
        return result

    def wake_at(self, deadline_ms: int) -> None:
        due_ms = max(deadline_ms - self.skew_ms, self.world.now_ms)
        if self._wake_ms >= self.world.now_ms and self._wake_ms <= due_ms:
            return
        self._wake_ms = due_ms
        incarnation = self.incarnation

        def wake() -> None:
            if self.incarnation == incarnation and self.quorum is not None and self._wake_ms == due_ms:
                self._wake_ms = -1
                self.run(lambda quorum, now: quorum.on_time(now))

        if due_ms < 1 << 60:
            self.world.at(due_ms, wake)
