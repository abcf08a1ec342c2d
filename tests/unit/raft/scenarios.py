"""Random scenarios: faults from a seed, then a heal, after which the members must make progress."""

from __future__ import annotations

import random

from quorum_world import World, addition_of
from world_node import BrokenPromise, WorldNode

from reference_broker.raft.settings import QuorumSettings
from reference_broker.wire.messages.remove_raft_voter_request import RemoveRaftVoterRequest

FAULTS_MS = 12_000
HEALED_MS = 30_000
MOST_NODES = 6


class Scenario:
    """One world and what happens in it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        voters = self.chance.choice((1, 2, 3, 3, 3, 3, 4, 5, 5))
        self.world = World(voters, seed=seed, is_static=self.chance.random() < 0.3)
        self.world.latency_ms = self.chance.choice(((1, 2), (1, 20), (1, 200), (50, 600)))
        self.world.flush_ms = self.chance.choice(((1, 2), (1, 30), (1, 400)))
        for node in self.world.nodes.values():
            node.skew_ms = self.chance.randrange(0, 10_000)
        self._count = 0
        self._actions = (
            *(self.append,) * 12,
            *(self.crash, self.restart, self.restart, self.split, self.cut_one_way, self.heal, self.heal),
            *(self.lose, self.snapshot, self.resign),
        )

    def run(self) -> None:
        """BrokenPromise where something does not hold that must."""
        self.world.start()
        while self.world.now_ms < FAULTS_MS:
            self.world.run_for(self.chance.randrange(1, 300))
            self.chance.choice(self._actions)()
        self._heal_all()
        self._check_progress()

    def _up(self) -> list[WorldNode]:
        return [node for node in self.world.nodes.values() if node.quorum is not None]

    def append(self) -> None:
        up = self._up()
        if up:
            self._count += 1
            leader = self.world.leader() if self.chance.random() < 0.8 else self.chance.choice(up)
            values = [f"{self._count}.{at}" for at in range(self.chance.choice((1, 1, 1, 3)))]
            self.world.append(leader or self.chance.choice(up), *values)

    def crash(self) -> None:
        up, leader = self._up(), self.world.leader()
        if up:
            (leader if leader is not None and self.chance.random() < 0.4 else self.chance.choice(up)).crash()

    def restart(self) -> None:
        down = [node for node in self.world.nodes.values() if node.quorum is None]
        if down:
            self.chance.choice(down).start()

    def split(self) -> None:
        ids = list(self.world.nodes)
        self.chance.shuffle(ids)
        at = self.chance.randrange(0, len(ids))
        self.world.split(ids[:at], ids[at:])

    def cut_one_way(self) -> None:
        ids = list(self.world.nodes)
        self.world.cut[self.chance.choice(ids), self.chance.choice(ids)] = None

    def heal(self) -> None:
        self.world.heal()

    def lose(self) -> None:
        self.world.loss = self.chance.choice((0.0, 0.05, 0.3))
        self.world.duplication = self.chance.choice((0.0, 0.1))

    def snapshot(self) -> None:
        up = self._up()
        if up:
            self.world.snapshot(self.chance.choice(up))

    def resign(self) -> None:
        leader = self.world.leader()
        if leader is not None:
            leader.run(lambda quorum, now: quorum.resign(quorum.leader_epoch, now))

    def _heal_all(self) -> None:
        self.world.heal()
        for node in self.world.nodes.values():
            if node.quorum is None:
                node.start()

    def _check_progress(self) -> None:
        world = self.world
        deadline_ms = world.now_ms + HEALED_MS
        count = 0
        while world.now_ms < deadline_ms:
            world.run_for(500)
            leader = world.leader()
            if leader is not None:
                count += 1
                world.append(leader, f"final {count}")
            if all(any(v.startswith("final") for v in n.listener.values) for n in world.nodes.values()):
                return
        roles = {n.node_id: (n.quorum and n.quorum.role.value, n.high_watermark) for n in world.nodes.values()}
        raise BrokenPromise(f"no progress within {HEALED_MS} ms of the heal: {roles}")


class Membership(Scenario):
    """The same with voters added and removed, by an administrator or by themselves, and folders lost (KIP-853)."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        settings = QuorumSettings(append_linger_ms=0, auto_join=self.chance.random() < 0.5)
        latency_ms, flush_ms = self.world.latency_ms, self.world.flush_ms
        self.world = World(self.chance.choice((1, 2, 3, 3, 4)), seed=seed, settings=settings)
        self.world.latency_ms, self.world.flush_ms = latency_ms, flush_ms
        self.world.bootstrap = tuple(range(1, MOST_NODES + 1))
        self._settings = settings
        self.is_stuck = False
        self._actions += (self.add, self.add, self.add, self.remove, self.remove, self.begin, self.replace)

    def begin(self) -> None:
        """A new node."""
        node_id = max(self.world.nodes) + 1
        if node_id <= MOST_NODES:
            self.world.nodes[node_id] = WorldNode(self.world, node_id, settings=self._settings)
            self.world.nodes[node_id].start()

    def replace(self) -> None:
        """A node loses its folder, where the voters that are left are a majority in everybody's eyes."""
        node = self.chance.choice(list(self.world.nodes.values()))
        if self._all_up() and self._has_majorities(without=node):
            node.crash()
            after = WorldNode(self.world, node.node_id, directory=node.directory + 1, settings=node.settings)
            self.world.nodes[node.node_id] = after
            after.start()

    def _has_majorities(self, without: WorldNode | None = None) -> bool:
        """Whether a majority has its folders in every voter set that a node goes by."""
        keys = [one.key for one in self.world.nodes.values() if one is not without]
        sets = [one.quorum.voters for one in self.world.nodes.values() if one.quorum is not None]
        return all(sum(voter.key in keys for voter in voters.voters) >= voters.majority for voters in sets if voters)

    def _check_progress(self) -> None:
        # A crash may bring back a voter set that nobody went by when a folder was lost, or voters were removed when
        # others had lost theirs. And as in Kafka, whoever is no voter by its own log asks for no votes, even where its
        # log is the longest and its removal was not committed.
        if self._has_majorities() and self._is_longest_log_a_voters():
            super()._check_progress()
        else:
            self.is_stuck = True

    def _is_longest_log_a_voters(self) -> bool:
        stores = [(node.key, node.store) for node in self.world.nodes.values() if node.store is not None]
        longest = max((store.last_epoch, store.end_offset) for _, store in stores)
        return any(
            store.voters.latest.is_voter(key)
            for key, store in stores
            if (store.last_epoch, store.end_offset) == longest
        )

    def _all_up(self) -> bool:
        return all(one.quorum is not None for one in self.world.nodes.values())

    def add(self) -> None:
        """Add a node that does not vote, if the leader will."""
        leader = self.world.leader()
        if leader is not None and leader.quorum is not None:
            voters = leader.quorum.voters
            others = [one for one in self.world.nodes.values() if not voters.is_voter(one.key)]
            if others:
                request = addition_of(self.chance.choice(others).key)
                leader.run(lambda quorum, now: quorum.on_add_raft_voter(request, now))

    def remove(self) -> None:
        """Remove a voter, the leader perhaps."""
        leader = self.world.leader()
        if leader is not None and leader.quorum is not None:
            key = self.chance.choice(leader.quorum.voters.keys)
            request = RemoveRaftVoterRequest(cluster_id=None, voter_id=key.node_id, voter_directory_id=key.directory_id)
            leader.run(lambda quorum, now: quorum.on_remove_raft_voter(request, now))
