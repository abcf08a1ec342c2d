"""Replicas under crashes, splits, leader changes and lost disks: by seed, what was acknowledged stays."""

from __future__ import annotations

import random

import pytest
from replica_world import World

from reference_broker.replication.leader import Leader

SEEDS = 40
STEPS = 40


def disturb(world: World, chance: random.Random) -> None:
    """One thing happens; never so much that the ISR rule itself would lose a record."""
    running, image = sorted(world.nodes), world.controller.image
    match chance.randrange(10):
        case 0 if len(running) > 2:
            victim = chance.choice(running)
            others = [one for one in image.isr if one != victim and one in world.nodes]
            world.kill(victim, loses_unflushed=bool(others) and victim in image.isr and chance.random() < 0.5)
        case 1 | 2:
            gone = [one for one in world.disks if one not in world.nodes]
            if gone:
                world.start(chance.choice(gone))
        case 3 if not world.links_cut:
            world.isolate(chance.choice(running))
        case 4 if not world.links_cut:
            world.links_cut.add((chance.choice(running), chance.choice(running)))
        case 5 | 6:
            world.heal()
        case 7:
            world.controller.elect(chance.choice(running))
            world.controller.publish()
        case _:
            for node_id in running:
                if world.nodes[node_id].partition.is_leader:
                    for count in range(chance.randrange(1, 4)):
                        world.append(node_id, f"{world.now_ms}-{node_id}-{count}".encode())


def settle(world: World) -> None:
    for node_id in world.disks:
        if node_id not in world.nodes:
            world.start(node_id)
    world.run(500)
    world.heal()
    world.run(6_000)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_was_acknowledged_is_there_on_every_replica_at_the_end(seed: int) -> None:
    chance = random.Random(seed)
    world = World(3, min_isr=chance.choice([1, 2]), seed=seed, segment_bytes=chance.choice([500, 1 << 30]))
    world.run(20)
    for _ in range(STEPS):
        disturb(world, chance)
        world.run(chance.choice([1, 3, 20, 150, 600]))
        world.check_equal()
    settle(world)
    leader = world.leader()
    assert leader is not None
    assert isinstance(leader.partition.role, Leader)
    assert sorted(leader.partition.isr) == [1, 2, 3], world.events[-20:]
    stored = world.values(leader.id)
    assert {at: stored.get(at) for at in world.acknowledged} == world.acknowledged, world.events
    assert world.stored(1) == world.stored(2) == world.stored(3)
    assert len({node.partition.high_watermark for node in world.nodes.values()}) == 1
