"""Random scenarios: faults from a seed, then a heal, after which the members must make progress."""

from __future__ import annotations

import random

from quorum_world import World
from world_node import BrokenPromise, WorldNode

FAULTS_MS = 12_000
HEALED_MS = 30_000


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
        up = self._up()
        if up:
            self.chance.choice(up).crash()

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
