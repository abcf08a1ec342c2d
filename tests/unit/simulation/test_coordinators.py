"""Coordinators fail over in a world of three nodes: members go on, and committed offsets never go back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from group_member import GroupMember

from harness.judging.failover import offsets_gone_back, refused_wrongly
from reference_broker.simulation.cluster import Layout, add_cluster
from reference_broker.simulation.scenario.caller import Caller, Waits
from reference_broker.simulation.tasks import spawn
from reference_broker.simulation.world import World
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.primitives import TopicName, Uuid

LAYOUT = Layout(
    nodes=3,
    settings={
        "broker.session.timeout.ms": "1000",
        "broker.heartbeat.interval.ms": "200",
        "group.initial.rebalance.delay.ms": "0",
        "offsets.topic.num.partitions": "3",
        "min.insync.replicas": "2",
    },
)
LIMIT_MS = 60_000
WORKED = 10
"""So many commits of each member, again and again."""


def kill(world: World, node_id: int) -> None:
    world.kill(node_id)


def pause(world: World, node_id: int) -> None:
    world.pause(node_id)


def isolate(world: World, node_id: int) -> None:
    world.network.split([node_id], [one for one in world.nodes if one != node_id])


def crash(world: World, node_id: int) -> None:
    world.crash(node_id)


Fault = Callable[[World, int], None]
FAULTS: tuple[Fault, ...] = (kill, pause, isolate, crash)


def heal(world: World, node_id: int) -> None:
    world.network.heal()
    if world.nodes[node_id].is_paused:
        world.resume(node_id)
    if world.nodes[node_id].process is None:
        world.start(node_id)


def a_topic(caller: Caller) -> Waits:
    """Its id."""
    while True:
        yield caller.world.sleep(100)
        try:
            topic = CreatableTopic(name=TopicName("orders"), num_partitions=1, replication_factor=3)
            yield from caller.call_any(ApiKey.CREATE_TOPICS, CreateTopicsRequest(topics=(topic,), timeout_ms=5_000))
            (found,) = (yield from caller.metadata("orders")).topics
        except Exception as error:
            caller.world.note(0, repr(error))
            continue
        if found.error_code == 0 and found.partitions:
            return found.topic_id


def members_of(world: World) -> list[GroupMember]:
    """Members of three groups that work; the second of them asks for what is committed, however stable it is."""
    add_cluster(world, LAYOUT)
    for node_id in world.nodes:
        world.start(node_id)
    topic = spawn(a_topic(Caller(world, LAYOUT.bootstrap)))
    assert world.run_until(lambda: topic.is_done, LIMIT_MS)
    topic_id: Uuid = topic.result()
    members = [
        GroupMember(Caller(world, LAYOUT.bootstrap), f"group-{number}", topic_id, is_stable=number != 1)
        for number in range(3)
    ]
    for member in members:
        spawn(member.run())
    work(world, members)
    return members


def work(world: World, members: list[GroupMember]) -> None:
    """Each member commits some more."""
    wanted = {member.group: member.acknowledged + WORKED for member in members}
    is_done = world.run_until(lambda: all(member.acknowledged >= wanted[member.group] for member in members), LIMIT_MS)
    assert is_done, [member.steps[-5:] for member in members]


def judge(members: list[GroupMember]) -> None:
    for member in members:
        assert (refused_wrongly(member.steps), offsets_gone_back(member.steps)) == ([], [])


def fail_over(seed: int, faults: tuple[Fault, ...]) -> None:
    """The coordinator of the first group fails, again and again; each time the others and it must go on."""
    world = World(seed)
    members = members_of(world)
    for fault in faults:
        struck = members[0].coordinator or 1
        fault(world, struck)
        work(world, members)
        heal(world, struck)
        world.run_for(3_000)
        work(world, members)
        judge(members)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_group_goes_on_when_its_coordinator_fails(fault: Fault) -> None:
    fail_over(1, (fault,))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(25))
def test_groups_go_on_when_coordinators_fail_again_and_again(seed: int) -> None:
    fail_over(seed, tuple(FAULTS[(seed + at) % len(FAULTS)] for at in range(4)))
