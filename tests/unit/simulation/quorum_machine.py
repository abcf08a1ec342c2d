"""A member of the metadata quorum as a machine of a world, and what must hold among all of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from reference_broker.effects import Outbox
from reference_broker.environment import Now
from reference_broker.raft.frames import CommittedBatch
from reference_broker.raft.machine import Quorum
from reference_broker.raft.settings import Identity, QuorumSettings
from reference_broker.raft.snapshots import Snapshot, SnapshotId, encode_snapshot
from reference_broker.raft.store import DIRECTORY, MetadataStore, StoreSettings
from reference_broker.raft.voters import ReplicaKey, Voter, VoterEndpoint, VoterSet
from reference_broker.simulation.clock import NodeClock
from reference_broker.simulation.disk import SimulatedDisk
from reference_broker.simulation.faults import plan, random_faults, undo_all
from reference_broker.simulation.machine import Surroundings
from reference_broker.simulation.world import World
from reference_broker.waiting import NEVER_MS, Later
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.api_versions_response import ApiVersionsResponse, SupportedFeatureKey
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import TopicName, Uuid
from reference_broker.wire.refusal import KafkaError

LISTENER = "CONTROLLER"
EAGER_TO_CLEAN = StoreSettings(retention_bytes=0, retention_ms=0)
"""All snapshots but the newest go, and the log before it: who is behind has to fetch the snapshot."""


def voters_of(node_ids: Sequence[int]) -> VoterSet:
    return VoterSet.of(
        Voter(
            key=ReplicaKey(node_id, Uuid(bytes([node_id]) * 16)),
            endpoints=(VoterEndpoint(LISTENER, f"host{node_id}", 9093),),
        )
        for node_id in node_ids
    )


class QuorumMachine:
    """Opens the store that its disk has, and listens to what is committed."""

    def __init__(self, quorums: Quorums, surroundings: Surroundings, now: Now) -> None:
        self.outbox = Outbox()
        self.node_id = surroundings.node_id
        self.next_offset, self.last_epoch = 0, 0
        self.values: list[str] = []
        self.leads_epoch = -1
        self._quorums = quorums
        self._later: list[Later] = []
        self.store = MetadataStore.open(
            disk=surroundings.disk, metadata_log_dir="/data", settings=EAGER_TO_CLEAN, now_ms=now.wall_ms
        )
        voter = quorums.voters.get(self.node_id)
        assert voter is not None
        self.quorum = Quorum.open(
            store=self.store,
            identity=Identity(key=voter.key, cluster_id="c", listener=LISTENER, endpoints=voter.endpoints),
            settings=QuorumSettings(),
            bootstrap_servers=[(one.host, one.port) for peer in quorums.voters.voters for one in peer.endpoints],
            random=surroundings.random,
            outbox=self.outbox,
            log=surroundings.log,
            now=now,
        )
        self.quorum.add_listener(self, now)

    # -- as a machine -------------------------------------------------------------------------------------------

    def next_deadline_ms(self) -> int:
        return min([self.quorum.next_deadline_ms(), *(one.deadline_ms for one in self._later)], default=NEVER_MS)

    def on_time(self, now: Now) -> None:
        for later in [one for one in self._later if one.deadline_ms <= now.monotonic_ms]:
            later.expire(now)
        self.quorum.on_time(now)
        self._later = [one for one in self._later if not one.is_done]

    def on_request(self, api_key: ApiKey, request: Any, sender: int, respond: Callable[[Any], None], now: Now) -> None:
        result = self._call(api_key, request, now)
        if isinstance(result, Later):
            result.then(respond)
            self._later = [one for one in (*self._later, result) if not one.is_done]
        else:
            respond(result)

    def _call(self, api_key: ApiKey, request: Any, now: Now) -> Any:
        quorum = self.quorum
        match api_key:
            case ApiKey.API_VERSIONS:
                feature = SupportedFeatureKey(name="kraft.version", min_version=0, max_version=1)
                return ApiVersionsResponse(supported_features=(feature,))
            case ApiKey.VOTE:
                return quorum.on_vote(request, 2, LISTENER, now)
            case ApiKey.FETCH:
                return quorum.on_fetch(request, 18, LISTENER, now)
            case ApiKey.BEGIN_QUORUM_EPOCH:
                return quorum.on_begin_quorum_epoch(request, 1, LISTENER, now)
            case ApiKey.END_QUORUM_EPOCH:
                return quorum.on_end_quorum_epoch(request, 1, LISTENER, now)
            case ApiKey.FETCH_SNAPSHOT:
                return quorum.on_fetch_snapshot(request, 1, LISTENER, now)
            case _:
                return quorum.on_update_raft_voter(request, LISTENER, now)

    def shut_down(self, now: Now) -> None:
        self.quorum.shut_down(now)

    # -- as a listener ------------------------------------------------------------------------------------------

    def on_commit(self, batches: Sequence[CommittedBatch], now: Now) -> None:
        for batch in batches:
            self._quorums.note_commit(self.node_id, batch)
            self.next_offset, self.last_epoch = batch.last_offset + 1, batch.epoch
            self.values += [str(message.name) for message, _ in batch.records]
            self._quorums.note_state(self.node_id, self.next_offset, self.values)

    def on_snapshot(self, snapshot_id: SnapshotId, records: Sequence[VersionedRecord], now: Now) -> None:
        self.next_offset, self.last_epoch = snapshot_id.end_offset, snapshot_id.epoch
        self.values = [str(message.name) for message, _ in records]
        self._quorums.snapshots_told += 1
        self._quorums.note_state(self.node_id, self.next_offset, self.values)

    def write_snapshot(self, now: Now) -> None:
        if self.next_offset > self.store.log_start_offset:
            records = [(TopicRecord(name=TopicName(value)), 0) for value in self.values]
            self.quorum.write_snapshot(records, self.next_offset - 1, self.last_epoch, now)

    def on_leader(self, leader_id: int | None, epoch: int, now: Now) -> None:
        self.leads_epoch = epoch if leader_id == self.node_id else -1


class Quorums:
    """All members, as a world runs them."""

    def __init__(self, seed: int, count: int = 3, *, is_recorded: bool = False) -> None:
        self.world = World(seed, is_recorded=is_recorded)
        self.ids = tuple(range(1, count + 1))
        self.voters = voters_of(self.ids)
        self.committed: dict[int, CommittedBatch] = {}
        self.states: dict[int, str] = {}
        self.snapshots_told = 0
        self.leaders: dict[int, int] = {}
        self.wrong: str | None = None
        self._values = 0
        self.world.invariants.append(self.look)
        for node_id in self.ids:
            self.world.add(
                node_id, lambda s, now: QuorumMachine(self, s, now), (f"host{node_id}", 9093), clock=NodeClock()
            )
            self._format(self.world.nodes[node_id].disk)
            self.world.start(node_id)

    def _format(self, disk: SimulatedDisk) -> None:
        disk.make_directories(f"/data/{DIRECTORY}")
        disk.flush_directory("/")
        disk.flush_directory("/data")
        content = encode_snapshot(
            Snapshot(records=(), kraft_version=1, voters=self.voters.to_record()), epoch=0, now_ms=0
        )
        disk.write_atomically(f"/data/{DIRECTORY}/{SnapshotId(0, 0).file_name}", content)

    def machines(self) -> list[QuorumMachine]:
        return [machine for _, machine in self.world.running() if isinstance(machine, QuorumMachine)]

    # -- what must hold -----------------------------------------------------------------------------------------

    def note_commit(self, node_id: int, batch: CommittedBatch) -> None:
        if self.committed.setdefault(batch.base_offset, batch) != batch:
            self.wrong = f"node {node_id} has {batch} committed, not {self.committed[batch.base_offset]}"

    def note_state(self, node_id: int, offset: int, values: Sequence[str]) -> None:
        state = " ".join(values)
        if self.states.setdefault(offset, state) != state:
            self.wrong = f"node {node_id} has {state} at offset {offset}, not {self.states[offset]}"

    def look(self) -> str | None:
        for machine in self.machines():
            if machine.quorum.is_leader:
                leader = self.leaders.setdefault(machine.quorum.leader_epoch, machine.node_id)
                if leader != machine.node_id:
                    return f"nodes {leader} and {machine.node_id} lead epoch {machine.quorum.leader_epoch}"
        return self.wrong

    # -- what happens -------------------------------------------------------------------------------------------

    def append(self) -> None:
        """A record at each node that believes to lead, and again in a while."""
        for machine in self.machines():
            node = self.world.nodes[machine.node_id]
            if machine.leads_epoch >= 0 and not node.is_paused:
                self._values += 1
                record = (TopicRecord(name=TopicName(str(self._values))), 0)
                with contextlib.suppress(KafkaError):
                    machine.quorum.append([record], machine.leads_epoch, self.world.now_of(machine.node_id))
                self.world.carry_out(node)
        self.world.after(50_000, self.append)

    def write_snapshots(self) -> None:
        """A snapshot at a node that runs, and again in a while."""
        running = [one for one in self.machines() if not self.world.nodes[one.node_id].is_paused]
        if running:
            machine = self.world.random.choice(running)
            machine.write_snapshot(self.world.now_of(machine.node_id))
            self.world.carry_out(self.world.nodes[machine.node_id])
        self.world.after(700_000, self.write_snapshots)

    def has_progress_beyond(self, end_offset: int) -> bool:
        machines = self.machines()
        return len(machines) == len(self.ids) and all(machine.next_offset > end_offset for machine in machines)


def run_scenario(seed: int, *, count: int = 3, is_recorded: bool = False) -> Quorums:
    """Faults for ten seconds, then a heal, after which all members must get on. AssertionError where not."""
    quorums = Quorums(seed, count, is_recorded=is_recorded)
    quorums.world.after(50_000, quorums.append)
    quorums.world.after(700_000, quorums.write_snapshots)
    plan(quorums.world, random_faults(Random(seed), quorums.ids, duration_ms=10_000, gap_ms=400))
    quorums.world.run_for(10_000)
    undo_all(quorums.world, quorums.ids)
    end = max(quorums.committed, default=0)
    is_better = quorums.world.run_until(lambda: quorums.has_progress_beyond(end + 10), 30_000)
    assert is_better, f"seed {seed}: no progress after the heal"
    return quorums
